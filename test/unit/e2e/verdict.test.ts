/** The words of a verdict: what each fact is called, and that nothing is said of what is as it should be. */
import { describe, expect, it } from 'vitest';
import {
  describeVerdict,
  nameOf,
  verdict,
  type VerdictFacts,
  verdictInstant,
  verifiedSender,
} from '../../../src/e2e/verdict.ts';
import type { SignatureResult } from '../../../src/backends/backend.ts';
import type { PartialVerdict } from '../../../src/errors.ts';
import { Jid, parseXml } from '../../../src/index.ts';
import { juliet, romeo } from './scene.ts';

const sender = {
  jid: juliet,
  source: 'im',
  trust: 'pinned',
  fingerprint: 'ab12',
  algorithm: 'ed25519',
  chain: [],
} as const;
const signature = { reason: 'the reason', fingerprint: 'ab12', algorithm: 'ed25519', names: [juliet] };
const good: VerdictFacts = {
  ...{ policy: 'strict', profile: undefined, backend: 'smime', protection: 'sign+encrypt', payload: 'cpim' },
  ...{ level: 'good', signature, sender, claimedFrom: juliet, pin: 'off', recipientBound: true, recipients: [romeo] },
  lookAlike: { resembles: [], scripts: [] },
  authenticated: true,
  encryption: { cipher: 'aes256-gcm', aead: true, keyTransport: ['ecdh', 'rsa-oaep'] },
  time: { status: 'ok', signed: '2026-11-22T12:00:00.000Z', source: 'cpim', delay: undefined },
  ...{ replay: 'checked', outside: [], dropped: [], exceptions: [] },
};
const words = (facts: Partial<VerdictFacts>): readonly string[] => verdict({ ...good, ...facts }).words;

const usual = [
  'signed by juliet@example.com (ed25519, a certificate filed for this address, im: URI)',
  'signing certificate ab12',
  'encrypted with aes256-gcm (ecdh, rsa-oaep)',
  'made for romeo@example.net',
  'on time (2026-11-22T12:00:00.000Z)',
];
/** The usual words with one line replaced, or added at the end. */
const but = (place: number, line: string): string[] => [...usual.slice(0, place), line, ...usual.slice(place + 1)];

describe('a verdict', () => {
  it('keeps the facts, frozen, and adds its words', () => {
    const made = verdict(good);
    expect(made).toEqual({ ...good, words: usual });
    expect([Object.isFrozen(made), Object.isFrozen(made.words)]).toEqual([true, true]);
  });

  it.each([
    ['anchor', 'im', 'a certificate below a trusted anchor, im: URI'],
    ['pinned', 'pres', 'a certificate filed for this address, pres: URI'],
    ['pinned', 'xmpp', 'a certificate filed for this address, xmpp: URI'],
    ['anchor', 'xmpp-addr', 'a certificate below a trusted anchor, id-on-xmppAddr'],
    ['pinned', 'user-id', 'a certificate filed for this address, User ID'],
  ] as const)('says what vouches for the sender: %s, %s', (trust, source, said) => {
    expect(words({ sender: { ...sender, trust, source } })).toEqual(but(0, `signed by ${juliet} (ed25519, ${said})`));
  });

  it.each([
    ['untrusted', 'SIGNED BY SOMEBODY UNTRUSTED'],
    ['unknown-signer', 'SIGNED BY SOMEBODY UNKNOWN'],
    ['weak', 'SIGNED TOO WEAKLY'],
    ['forged', 'FORGED OR DAMAGED'],
  ] as const)('says that nobody vouches for the sender, and why: %s', (level, said) => {
    expect(words({ level, sender: null })).toEqual([
      `${said}: ${juliet} is only claimed to be the sender`,
      'why: the reason',
      usual[1],
      `that certificate names ${juliet}`,
      ...usual.slice(2),
    ]);
  });

  it('says that nobody signed', () => {
    expect(words({ level: 'unsigned', sender: null, signature: undefined, authenticated: false })).toEqual([
      `NOT SIGNED: ${juliet} is only claimed to be the sender`,
      'encrypted with aes256-gcm (ecdh, rsa-oaep)',
      'NOT AUTHENTICATED: anybody on the way could have changed it',
      ...usual.slice(3),
    ]);
  });

  it.each([
    ['match', 'the certificate is pinned for the sender'],
    ['first', 'FIRST USE: the certificate was pinned for the sender just now, which proves nothing about this stanza'],
    ['none', 'no certificate is pinned for the sender'],
    ['changed', 'ANOTHER CERTIFICATE is pinned for the sender'],
  ] as const)('says how the certificate stands to the pins: %s', (pin, said) => {
    expect(words({ pin })).toEqual([...usual.slice(0, 2), said, ...usual.slice(2)]);
  });

  it.each([
    ['ok', 'on time'],
    ['old', 'OLD'],
    ['future', 'FROM THE FUTURE'],
    ['decreasing', 'OUT OF ORDER: not later than one accepted before'],
    ['delayed', 'delayed on its way'],
    ['replayed', 'REPLAYED'],
    ['absent', 'NO SIGNED TIME'],
  ] as const)('says how the time is: %s', (status, said) => {
    const time = { ...good.time, status };
    expect(words({ time })).toEqual(but(4, `${said} (2026-11-22T12:00:00.000Z)`));
    expect(words({ time: { ...time, signed: undefined } })).toEqual(but(4, said));
  });

  it('says what is not protected, not bound, not looked for, received before', () => {
    expect(words({ encryption: undefined })).toEqual(but(2, 'not encrypted: anybody on the way could read it'));
    expect(words({ recipientBound: false })).toEqual(
      but(3, 'NOT BOUND to a recipient: it may have been made for somebody else'),
    );
    expect(words({ replay: 'off' })).toEqual([...usual, 'replays were not looked for']);
    expect(words({ replay: 'known' })).toEqual([...usual, 'received before']);
  });

  it('says how an address could deceive the eye', () => {
    const lookAlike = {
      resembles: ['jul\u0456et@example.com'],
      scripts: ['Cyrillic', 'Latin'],
    } as unknown as VerdictFacts['lookAlike'];
    expect(words({ lookAlike })).toEqual([
      ...usual.slice(0, 3),
      'LOOKS LIKE jul\u0456et@example.com, but is another address',
      'MIXED SCRIPTS in the address: Cyrillic, Latin',
      ...usual.slice(3),
    ]);
  });

  it('says what was dropped, excepted and stands beside, escaped', () => {
    const outside = parseXml(
      `<message xmlns='jabber:client'><body>Flee</body><x xmlns='urn:\u202e'/></message>`,
    ).elements;
    expect(
      words({ outside, dropped: ['{urn:x}\u001b'], exceptions: ['an \u202e exception'], profile: 'old\u0007' }),
    ).toEqual([
      ...usual,
      'read by the rules of old\\u{7}',
      'EXCEPTION MADE: an \\u{202e} exception',
      'dropped from inside: {urn:x}\\u{1b}',
      'unprotected beside it: {jabber:client}body',
      'unprotected beside it: {urn:\\u{202e}}x',
    ]);
  });
});

describe('the verdict of an error', () => {
  const partial: PartialVerdict = {
    ...{ policy: 'strict', backend: 'smime', protection: 'sign', level: 'good', signature, claimedFrom: juliet },
    ...{ sender: undefined, pin: undefined, time: undefined, encryption: undefined, outside: [] },
  };

  it('says how far it came', () => {
    const plain = 'not encrypted: anybody on the way could read it';
    expect(describeVerdict(partial)).toEqual([
      `signed, but not found to be ${juliet}`,
      'signing certificate ab12',
      `that certificate names ${juliet}`,
      plain,
    ]);
    expect(describeVerdict({ ...partial, sender: juliet })[0]).toBe(`signed by ${juliet}`);
    const time = { status: 'old', signed: '2026-11-22T12:00:00.000Z' };
    expect(describeVerdict({ ...partial, time, outside: ['{urn:x}y'] }).slice(4)).toEqual([
      'OLD (2026-11-22T12:00:00.000Z)',
      'unprotected beside it: {urn:x}y',
    ]);
    expect(describeVerdict({ ...partial, level: 'unsigned', signature: undefined })).toEqual([
      `NOT SIGNED: ${juliet} is only claimed to be the sender`,
      plain,
    ]);
  });
});

describe('the parts of a verdict', () => {
  it('are named and written', () => {
    expect(nameOf(parseXml(`<a xmlns='urn:x'/>`))).toBe('{urn:x}a');
    expect(verdictInstant(undefined)).toBeUndefined();
    expect(verdictInstant(1_000_001_000n)).toBe('1970-01-01T00:00:01.000001Z');
  });

  it('have the sender of the identity, frozen', () => {
    const identity = { jid: Jid.parse(juliet), source: 'xmpp' } as const;
    const result: SignatureResult = {
      outcome: 'good',
      reason: '',
      identities: [identity],
      intendedFor: 'unspecified',
      chain: [],
      trust: 'pinned',
      fingerprint: 'cd',
      algorithm: 'rsa',
      signedAt: undefined,
    };
    const made = verifiedSender(result, identity);
    expect(made).toEqual({
      jid: juliet,
      source: 'xmpp',
      trust: 'pinned',
      fingerprint: 'cd',
      algorithm: 'rsa',
      chain: [],
    });
    expect(Object.isFrozen(made)).toBe(true);
    expect(verifiedSender({ ...result, trust: undefined, fingerprint: undefined }, identity)).toMatchObject({
      ...{ trust: 'anchor', fingerprint: '' },
    });
  });
});
