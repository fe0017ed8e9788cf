/** GnuPG 2.2 and openpgp, both ways; and keys that GnuPG made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareEntity } from '../../src/mime/entity.ts';
import { backendOf, call, content, entity as entityOf, type KeyFiles } from '../unit/openpgp/scene.ts';
import { hasProgram } from '../shared-data.ts';
import {
  armorOf,
  encryptedMail,
  Files,
  julietJid,
  openEntity,
  partsOf,
  type Peer,
  romeoJid,
  signedMail,
  testPeer,
} from './openpgp-peer.ts';

const batch = ['--batch', '--yes', '--quiet', '--no-tty', '--trust-model', 'always'];

function expectGood(files: Files, args: readonly string[], fingerprint: string): void {
  const status = Buffer.from(files.run('gpg', [...batch, '--status-fd', '1', ...args])).toString();
  expect(status).toMatch(/^\[GNUPG:\] GOODSIG /m);
  expect(status.toLowerCase()).toContain(fingerprint);
}

const gpg: Peer = {
  import(files, { secretFile }) {
    files.run('gpg', [...batch, '--import', secretFile]);
  },
  verify(files, signature, data, { fingerprint }) {
    expectGood(files, ['--verify', signature, data], fingerprint);
  },
  sign(files, data, { fingerprint }) {
    const out = `${data}.asc`;
    files.run('gpg', [...batch, '--local-user', fingerprint, '--armor', '--output', out, '--detach-sign', data]);
    return out;
  },
  encrypt(files, data, { fingerprint }, signer) {
    const out = `${data}.asc`;
    const sign = signer === undefined ? [] : ['--local-user', signer.fingerprint, '--sign'];
    files.run('gpg', [...batch, '--armor', '--recipient', fingerprint, ...sign, '--output', out, '--encrypt', data]);
    return out;
  },
  decrypt(files, message, _me, signer) {
    const out = `${message}.out`;
    if (signer === undefined) files.run('gpg', [...batch, '--output', out, '--decrypt', message]);
    else expectGood(files, ['--output', out, '--decrypt', message], signer.fingerprint);
    return files.read(out);
  },
};

testPeer('gpg', '--version', () => gpg);

describe.skipIf(!hasProgram('gpg'))('keys that gpg made', () => {
  const files = new Files();
  const people = new Map<string, KeyFiles>();

  function make(name: string, uid: string, jid: typeof julietJid, algorithm: string, usage: string): KeyFiles {
    const make = ['--passphrase', '', '--pinentry-mode', 'loopback', '--quick-gen-key'];
    files.run('gpg', [...batch, ...make, uid, algorithm, usage, 'never']);
    const listed = Buffer.from(files.run('gpg', [...batch, '--with-colons', '--list-keys', uid])).toString();
    const fingerprint = /^fpr:::::::::([0-9A-F]{40}):/m.exec(listed)![1]!.toLowerCase();
    const secret = files.run('gpg', [
      ...batch,
      '--pinentry-mode',
      'loopback',
      '--armor',
      '--export-secret-keys',
      fingerprint,
    ]);
    const certificate = files.run('gpg', [...batch, '--armor', '--export', fingerprint]);
    const made = { jid, secret, certificate, fingerprint };
    people.set(name, made);
    return made;
  }

  beforeAll(() => {
    make('juliet', 'Juliet <xmpp:juliet@example.com>', julietJid, 'future-default', 'default');
    make('romeo', 'Romeo <xmpp:romeo@example.net>', romeoJid, 'default', 'default');
  });
  afterAll(() => files.remove());

  it('seal and open among themselves', async () => {
    const [juliet, romeo] = [people.get('juliet')!, people.get('romeo')!];
    const common = {
      ...call({ at: new Date() }),
      includeCertificate: false,
      hidden: false,
      profile: 'modern' as const,
    };
    for (const [from, to] of [
      [juliet, romeo],
      [romeo, juliet],
    ] as const) {
      const sealed = await backendOf(from, [to]).signAndEncrypt!({
        ...common,
        content,
        signer: from.jid,
        recipients: [to.jid],
      });
      const opened = await backendOf(to, [from]).decrypt({
        ...common,
        entity: entityOf(sealed),
        sender: from.jid,
        me: to.jid,
      });
      expect(opened.signatures).toMatchObject([{ outcome: 'good', intendedFor: 'me', fingerprint: from.fingerprint }]);
      const file = files.write(armorOf(sealed), 'asc');
      expectGood(files, ['--output', `${file}.out`, '--decrypt', file], from.fingerprint);
    }
  });

  it('verifies text-mode signatures over CRLF, and content that XML turned to LF', async () => {
    const { certificate, fingerprint } = people.get('juliet')!;
    const data = files.write(content);
    const args = [
      '--local-user',
      fingerprint,
      '--armor',
      '--textmode',
      '--output',
      `${data}.asc`,
      '--detach-sign',
      data,
    ];
    files.run('gpg', [...batch, ...args]);
    const mail = signedMail(content, files.read(`${data}.asc`));
    const options = { at: new Date(), certificates: [certificate] };
    expect((await openEntity(mail, options)).content).toEqual(content);
    const afterXml = Buffer.from(Buffer.from(mail).toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    expect((await openEntity(afterXml, options)).content).toEqual(content);
  });

  it('opens hidden recipients both ways', async () => {
    const [juliet, romeo] = [people.get('juliet')!, people.get('romeo')!];
    const data = files.write(content);
    const args = ['--armor', '--hidden-recipient', romeo.fingerprint, '--output', `${data}.asc`, '--encrypt', data];
    files.run('gpg', [...batch, ...args]);
    const theirs = {
      ...call({ at: new Date() }),
      entity: bareEntity(files.read(`${data}.asc`)),
      sender: undefined,
      me: romeoJid,
    };
    expect((await backendOf(romeo, []).decrypt(theirs)).content).toEqual(content);
    const ours = await backendOf(juliet, [romeo]).encrypt({
      ...call({ at: new Date() }),
      content,
      recipients: [romeoJid],
      hidden: true,
      profile: 'modern',
    });
    const file = files.write(armorOf(ours), 'asc');
    files.run('gpg', [...batch, '--try-all-secrets', '--output', `${file}.out`, '--decrypt', file]);
    expect(files.read(`${file}.out`)).toEqual(content);
  });

  it('opens what gpg compressed, with a signature made before encryption (RFC 3156 section 6.1)', async () => {
    const [juliet, romeo] = [people.get('juliet')!, people.get('romeo')!];
    const data = files.write(content);
    files.run('gpg', [
      ...batch,
      '--local-user',
      juliet.fingerprint,
      '--armor',
      '--output',
      `${data}.sig`,
      '--detach-sign',
      data,
    ]);
    const signed = files.write(signedMail(content, files.read(`${data}.sig`)));
    const pack = ['--compress-algo', 'bzip2', '--armor', '--recipient', romeo.fingerprint];
    files.run('gpg', [...batch, ...pack, '--output', `${signed}.asc`, '--encrypt', signed]);
    const opened = await openEntity(encryptedMail(files.read(`${signed}.asc`)), {
      at: new Date(),
      certificates: [juliet.certificate],
      keys: [{ keys: romeo.secret, certificates: new Uint8Array() }],
      identity: (userIds) => userIds.includes('Juliet <xmpp:juliet@example.com>'),
    });
    expect(opened.content).toEqual(content);
    expect(opened.signatures).toHaveLength(1);
    expect(opened.encryption).toMatchObject({ aead: true, keyTransport: ['rsa-pkcs1v15'] });
  });

  it('signs with a micalg that is the hash of the signature', async () => {
    const juliet = people.get('juliet')!;
    const request = {
      ...call({ at: new Date() }),
      content,
      signer: julietJid,
      recipients: [],
      includeCertificate: false,
    };
    const signed = await backendOf(juliet, []).sign({ ...request, profile: 'modern' });
    const file = files.write(partsOf(signed).signature, 'asc');
    const listed = Buffer.from(files.run('gpg', [...batch, '--list-packets', file])).toString();
    const digest = /digest algo (\d+)/.exec(listed)![1];
    expect(entityOf(signed).contentType?.parameters.get('micalg')).toBe({ 8: 'pgp-sha256', 10: 'pgp-sha512' }[digest!]);
  });
});
