/** Openings told in plain words: who signed, with what, for which address, for whom, when, and what came from outside. */
import { describe, expect, it } from 'vitest';
import { doubleEncrypted, doubleSigned } from '../../double-backend.ts';
import {
  describeVerdict,
  type E2eError,
  memoryPinStore,
  PinGuard,
  ReplayGuard,
  rfc3923Policy,
  roster,
  strictPolicy,
  type XmlElement,
} from '../../../src/index.ts';
import { cpim, juliet, mallory, open, romeo, sealedIn, shell, signedBy } from './scene.ts';

const key = 'ab'.repeat(20);
const sealed = (outer = shell, content = cpim()): XmlElement =>
  sealedIn(doubleEncrypted(doubleSigned(content, { signers: [juliet], fingerprint: key }), [romeo]), outer);

async function wordsOfRefusal(opening: Promise<unknown>): Promise<readonly string[]> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason as E2eError,
  );
  return describeVerdict(error!.verdict!);
}

describe('the words on', () => {
  it('a good stanza', async () => {
    const { verdict } = await open(sealed());
    expect(verdict.words).toEqual([
      'signed by juliet@example.com (double, a certificate filed for this address, im: URI)',
      `signing certificate ${key}`,
      'encrypted with aes256-gcm (ecdh)',
      'made for romeo@example.net',
      'on time (2026-11-22T12:00:00.000Z)',
    ]);
    expect(describeVerdict(verdict)).toEqual(verdict.words);
  });

  it('one that nobody signed, late, changeable on its way, with something beside', async () => {
    const beside = shell.replace('/>', "><body xmlns='jabber:client'>beside</body><x xmlns='urn:x\u202e'/></message>");
    const cbc = { cipher: 'aes128-cbc', aead: false, keyTransport: ['rsa-oaep'] };
    const later = new Date('2026-11-22T13:00:00Z');
    const { verdict } = await open(sealedIn(doubleEncrypted(cpim(), [romeo], cbc), beside), {
      policy: rfc3923Policy,
      at: later,
    });
    expect(verdict.words).toEqual([
      'NOT SIGNED: juliet@example.com is only claimed to be the sender',
      'encrypted with aes128-cbc (rsa-oaep)',
      'NOT AUTHENTICATED: anybody on the way could have changed it',
      'made for romeo@example.net',
      'OLD (2026-11-22T12:00:00.000Z)',
      'replays were not looked for',
      'unprotected beside it: {jabber:client}body',
      'unprotected beside it: {urn:x\\u{202e}}x',
    ]);
    expect(verdict.outside.map(({ name }) => name)).toEqual(['body', 'x']);
  });

  it('one whose signer is unknown, by choice', async () => {
    const policy = { ...strictPolicy, unknownSigner: 'deliver' as const };
    const reason = 'no certificate at hand for key 0123\u001b[2J';
    const { verdict } = await open(signedBy({ outcome: 'unknown-signer', reason }), { policy });
    expect(verdict.words.slice(0, 2)).toEqual([
      'SIGNED BY SOMEBODY UNKNOWN: juliet@example.com is only claimed to be the sender',
      'why: no certificate at hand for key 0123\\u{1b}[2J',
    ]);
    expect(verdict.words).toContain('not encrypted: anybody on the way could read it');
  });

  it('one of a sender who looks like a contact, or whose address mixes scripts', async () => {
    const known = roster([juliet, 'nurse@example.com']);
    const stranger = 'ju1iet@example.com';
    const by = (jid: string): XmlElement =>
      signedBy({ signers: [jid] }, cpim({ From: `<im:${encodeURI(jid)}>` }), shell.replaceAll(juliet, jid));
    const { verdict } = await open(by(stranger), { roster: known });
    expect(verdict.sender?.jid).toBe(stranger);
    expect(verdict.lookAlike).toEqual({ scripts: [], resembles: [juliet] });
    expect(verdict.words).toContain(`LOOKS LIKE ${juliet}, but is another address`);

    const mixed = await open(by('jul\u0456et@example.com'), { roster: known });
    expect(mixed.verdict.lookAlike).toEqual({ scripts: ['Latin', 'Cyrillic'], resembles: [juliet] });
    expect(mixed.verdict.words).toContain('MIXED SCRIPTS in the address: Latin, Cyrillic');

    for (const quiet of [await open(by(juliet), { roster: known }), await open(by(stranger))]) {
      expect(quiet.verdict.lookAlike).toEqual({ scripts: [], resembles: [] });
      expect(quiet.verdict.words.join()).not.toContain('LOOKS LIKE');
    }
  });

  it('pins', async () => {
    const pins = new PinGuard(memoryPinStore(), { firstUse: 'pin' });
    const words = async (): Promise<readonly string[]> => (await open(sealed(), { expect: pins })).verdict.words;
    expect(await words()).toContain(
      'FIRST USE: the certificate was pinned for the sender just now, which proves nothing about this stanza',
    );
    expect(await words()).toContain('the certificate is pinned for the sender');
    await pins.pin(juliet, 'cd'.repeat(20));
    expect(await wordsOfRefusal(open(sealed(), { expect: pins }))).toEqual([
      'signed by juliet@example.com',
      `signing certificate ${key}`,
      'ANOTHER CERTIFICATE is pinned for the sender',
      'encrypted with aes256-gcm (ecdh)',
    ]);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['untrusted', () => open(signedBy({ outcome: 'untrusted' })), 'SIGNED BY SOMEBODY UNTRUSTED'],
    ['expired', () => open(signedBy({ outcome: 'expired' })), 'SIGNED BY SOMEBODY UNTRUSTED'],
    ['weak', () => open(signedBy({ outcome: 'weak' })), 'SIGNED TOO WEAKLY'],
    ['forged', () => open(signedBy({ outcome: 'bad' })), 'FORGED OR DAMAGED'],
    ['unsigned', () => open(sealedIn(doubleEncrypted(cpim(), [romeo]))), 'NOT SIGNED'],
  ])('a refused one that is %s', async (_, opening, start) => {
    const [first] = await wordsOfRefusal(opening());
    expect(first).toBe(`${start}: juliet@example.com is only claimed to be the sender`);
  });

  it('refused ones that are well signed: by whom, and what was wrong with the time', async () => {
    expect((await wordsOfRefusal(open(signedBy({ signers: [mallory] }))))[0]).toBe(
      'signed, but not found to be juliet@example.com',
    );
    const replay = new ReplayGuard();
    await open(sealed(), { replay });
    expect(await wordsOfRefusal(open(sealed(), { replay }))).toContain('REPLAYED (2026-11-22T12:00:00.000Z)');
    const early = cpim({ DateTime: '2026-11-22T12:30:00Z' });
    expect(await wordsOfRefusal(open(sealed(shell, early)))).toContain('FROM THE FUTURE (2026-11-22T12:30:00.000Z)');
  });

  it('anything hold nothing of the content, and no raw control character', async () => {
    const body = 'the balcony at nine';
    const { verdict } = await open(sealed(shell, cpim({ Subject: 'secret' }, body)));
    const elsewhere = cpim({ To: '<im:nurse@example.com>', Subject: 'secret' }, body);
    for (const text of [...verdict.words, ...(await wordsOfRefusal(open(sealed(shell, elsewhere))))]) {
      expect(text).not.toContain('balcony at');
      expect(text).not.toContain('secret');
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });
});
