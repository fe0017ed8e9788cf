/** Every kind of key: to itself, through stanzas, and both ways with openpgp.js. */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import {
  algorithmName,
  type Certificate,
  certificateOf,
  type Component,
} from '../../../src/backends/openpgp/certificate.ts';
import { keyStatus } from '../../../src/backends/openpgp/validity.ts';
import type { Jid } from '../../../src/index.ts';
import { defaultLimits, openStanza, ReplayGuard, sealStanza, serializeXml } from '../../../src/index.ts';
import {
  at,
  backendOf,
  bare,
  born,
  content,
  expectOutcome,
  juliet,
  open,
  person,
  type Person,
  personOf,
  romeo,
  seal,
} from './scene.ts';

/** A key as openpgp.js makes it, with the User ID that it needs here. */
async function made(jid: Jid, options: object, config: object = {}): Promise<Person> {
  const generate = library.generateKey as (given: object) => Promise<{ privateKey: library.PrivateKey }>;
  const { privateKey } = await generate({
    ...options,
    userIDs: { name: `xmpp:${jid.toString()}` },
    date: born,
    format: 'object',
    config,
  });
  return personOf(jid, privateKey);
}

const v6 = { v6Keys: true, aeadProtect: true };
const kinds: readonly (readonly [string, (jid: Jid) => Promise<Person>])[] = [
  ['v4 25519 of the first generation', (jid) => person(jid, 'ed25519')],
  ['v4 25519 of the second generation', (jid) => made(jid, { type: 'curve25519' })],
  ['v4 448', (jid) => made(jid, { type: 'curve448' })],
  ['v4 P-256', (jid) => person(jid, 'p256')],
  ['v4 P-384', (jid) => person(jid, 'p384')],
  ['v4 P-521', (jid) => made(jid, { type: 'ecc', curve: 'nistP521' })],
  ['v4 RSA-2048', (jid) => person(jid, 'rsa2048')],
  ['v4 RSA-3072', (jid) => person(jid, 'rsa3072')],
  ['v6 25519', (jid) => person(jid, 'ed25519', { v6: true })],
  ['v6 448', (jid) => made(jid, { type: 'curve448' }, v6)],
  ['v6 P-256', (jid) => person(jid, 'p256', { v6: true })],
  ['v6 P-521', (jid) => made(jid, { type: 'ecc', curve: 'nistP521' }, v6)],
  ['v6 RSA-2048', (jid) => person(jid, 'rsa2048', { v6: true })],
];

describe.each(kinds)('%s', (_, make) => {
  const both = Promise.all([make(juliet), make(romeo)]);

  it('signs, encrypts and does both, and opens them again', async () => {
    const [a, b] = await both;
    const from = backendOf(a, [b]);
    const to = backendOf(b, [a]);
    for (const protection of ['sign', 'encrypt', 'sign+encrypt'] as const) {
      const opened = await open(to, await seal(from, protection));
      expect(opened.content).toEqual(content);
      if (protection === 'encrypt') {
        expect(opened.signatures).toBeUndefined();
        continue;
      }
      const result = expectOutcome(opened, 'good');
      expect(result.fingerprint).toBe(a.key.getFingerprint());
      expect(result.identities).toEqual([{ jid: juliet, source: 'user-id' }]);
      expect(result.signedAt).toEqual(at);
      expect(result.intendedFor).toBe('me');
      expect(result.trust).toBe('pinned');
      expect(result.chain[0]).toMatchObject({ fingerprint: a.key.getFingerprint(), jids: ['juliet@example.com'] });
    }
  });

  it('travels in a stanza', async () => {
    const [a, b] = await both;
    const stanza = `<message from='${juliet.toString()}/balcony' to='${romeo.toString()}' type='chat'><body>\u00e9</body></message>`;
    const sealed = serializeXml(await sealStanza(stanza, { backend: backendOf(a, [b]), at }));
    // Servers turn line ends and CDATA into what they like.
    const relayed = sealed.replaceAll('\r\n', '\n');
    for (const wire of [sealed, relayed]) {
      const opened = await openStanza(wire, {
        backends: [backendOf(b, [a])],
        me: romeo,
        replay: new ReplayGuard(),
        at,
      });
      expect(serializeXml(opened.stanza)).toContain('<body>\u00e9</body>');
      expect(opened.verdict).toMatchObject({ protection: 'sign+encrypt', recipientBound: true, authenticated: true });
    }
    const backends = [backendOf(a, [b])];
    const sent = await openStanza(sealed, { backends, me: juliet, context: 'sent', replay: false, at });
    expect(sent.verdict.sender?.jid).toBe(juliet.toString());
  });

  it('goes both ways with openpgp.js', async () => {
    const [a, b] = await both;
    const sealed = new TextDecoder().decode(await seal(backendOf(a, [b]), 'sign+encrypt'));
    const armored = sealed.slice(sealed.indexOf('-----BEGIN'), sealed.indexOf('-----END') + 25);
    const { data } = await library.decrypt({
      message: await library.readMessage({ armoredMessage: armored }),
      decryptionKeys: b.key,
      verificationKeys: a.key.toPublic(),
      expectSigned: true,
      format: 'binary',
      date: at,
    });
    expect(Buffer.from(data as Uint8Array)).toEqual(Buffer.from(content));
    const message: Uint8Array = await library.encrypt({
      message: await library.createMessage({ binary: content }),
      encryptionKeys: b.key.toPublic(),
      signingKeys: a.key,
      format: 'binary',
      date: at,
    });
    const opened = await open(backendOf(b, [a]), bare(message));
    expectOutcome(opened, 'good');
    expect(opened.content).toEqual(content);
  });
});

describe('keys on secp256k1', () => {
  // Its curve has other uses than this one. No program at hand makes such keys for messages.
  it('are weak, whatever they are wanted for', async () => {
    const { key } = await person(juliet, 'p256');
    const right = await certificateOf([key], defaultLimits);
    const info = { algorithm: 'ecdsa', curve: library.enums.curve.secp256k1 };
    const onCurve = (component: Component): Component => ({ ...component, algorithm: algorithmName(info) });
    const time = at.getTime() / 1000;
    for (const [component, use] of [[right.primary, 'sign'] as const, [right.subkeys[0]!, 'encrypt'] as const]) {
      const status = (certificate: Certificate, one: Component) =>
        keyStatus(certificate, one, use, time, defaultLimits);
      expect(status(right, component)).toBe('valid');
      expect(status(component.primary ? { ...right, primary: onCurve(component) } : right, onCurve(component))).toBe(
        'weak',
      );
    }
  });
});
