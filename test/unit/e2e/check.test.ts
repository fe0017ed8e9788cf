import { describe, expect, it } from 'vitest';
import { type DoubleSignature, doubleEncrypted, doubleSigned } from '../../double-backend.ts';
import { limitsWith, parseXml, rfc3923Policy } from '../../../src/index.ts';
import { sameXml } from '../../../src/xml/canonical.ts';
import {
  cpim,
  juliet,
  mallory,
  open,
  refusal,
  romeo,
  sealed,
  sealedIn,
  shell,
  signedBy,
  wrappedXmppXml,
  xmppXml,
} from './scene.ts';

const lax = { policy: rfc3923Policy };

describe('the signature', () => {
  it('is required by the strict policy, whatever the cipher', async () => {
    await refusal(open(sealedIn(doubleEncrypted(cpim(), [romeo]))), 'ERR_E2E_UNSIGNED', 'verify');
  });

  it('is not required by the RFC policy, which then names no sender', async () => {
    const { verdict } = await open(sealedIn(doubleEncrypted(cpim(), [romeo])), lax);
    expect(verdict.sender).toBeNull();
    expect(verdict.claimedFrom).toBe(juliet);
    expect(verdict.authenticated).toBe(true);
    expect(verdict.replay).toBe('off');
    expect(verdict.words[0]).toContain('NOT SIGNED');
  });

  it('is missing without any security layer', async () => {
    await refusal(open(sealedIn(cpim())), 'ERR_E2E_UNSIGNED', 'unwrap');
    await refusal(open(sealedIn(cpim()), lax), 'ERR_E2E_UNSIGNED', 'unwrap');
  });

  it.each([
    ['bad', 'ERR_E2E_SIGNATURE_INVALID'],
    ['unknown-signer', 'ERR_E2E_SIGNER_UNKNOWN'],
    ['untrusted', 'ERR_E2E_SIGNER_UNTRUSTED'],
    ['expired', 'ERR_E2E_SIGNER_UNTRUSTED'],
    ['revoked', 'ERR_E2E_SIGNER_UNTRUSTED'],
    ['weak', 'ERR_E2E_WEAK_ALGORITHM'],
  ] as const)('that is %s ends in %s with the reason', async (outcome, code) => {
    const error = await refusal(open(signedBy({ outcome, reason: 'because' })), code, 'verify');
    expect(error.reason).toBe('because');
    await refusal(open(signedBy({ outcome }), lax), code, 'verify');
  });

  it('is one: of two signers nobody knows which is the sender', async () => {
    const two = doubleSigned(cpim(), { signers: [juliet] }, { signers: [mallory] });
    await refusal(open(sealedIn(two)), 'ERR_E2E_SIGNATURE_INVALID', 'verify');
  });
});

describe('of several signatures, where a limit allows them', () => {
  const limits = limitsWith({ signatures: 3 });
  const policy = { ...rfc3923Policy, unknownSigner: 'deliver', untrustedSigner: 'deliver' } as const;
  const by = (...outcomes: readonly NonNullable<DoubleSignature['outcome']>[]) =>
    sealedIn(doubleSigned(cpim(), ...outcomes.map((outcome) => ({ signers: [juliet], outcome }))));

  it.each([
    [['good', 'unknown-signer', 'bad'], 'ERR_E2E_SIGNATURE_INVALID'],
    [['unknown-signer', 'bad', 'good'], 'ERR_E2E_SIGNATURE_INVALID'],
    [['unknown-signer', 'weak'], 'ERR_E2E_WEAK_ALGORITHM'],
    [['untrusted', 'revoked', 'unknown-signer'], 'ERR_E2E_SIGNER_UNTRUSTED'],
    [['unknown-signer', 'expired'], 'ERR_E2E_SIGNER_UNTRUSTED'],
    [['good', 'good', 'good', 'good'], 'ERR_E2E_SIGNATURE_INVALID'],
  ] as const)('%s is what the worst is', async (outcomes, code) => {
    await refusal(open(by(...outcomes), { limits, policy }), code, 'verify');
  });

  it('good ones are good, and one by somebody unknown among them is not', async () => {
    expect((await open(by('good', 'good'), { limits, policy })).verdict.level).toBe('good');
    const { verdict } = await open(by('good', 'unknown-signer', 'good'), { limits, policy });
    expect([verdict.level, verdict.sender]).toEqual(['unknown-signer', null]);
  });
});

describe('the sender (RFC 3923 section 6.3)', () => {
  it('is the one whom the certificate names', async () => {
    const { verdict } = await open(sealed());
    expect(verdict.sender).toMatchObject({ jid: juliet, trust: 'pinned', source: 'im' });
  });

  it.each<[string, string, Uint8Array, DoubleSignature]>([
    ['the certificate names another', shell, cpim(), { signers: [mallory] }],
    ['the certificate names nobody', shell, cpim(), { signers: [] }],
    ['CPIM From is another', shell, cpim({ From: `<im:${mallory}>` }), {}],
    ['the stanza is from another', shell.replace(juliet, mallory), cpim(), {}],
    [
      'the signer sends under the name of the CPIM From',
      shell.replace(juliet, mallory),
      cpim(),
      { signers: [mallory] },
    ],
    ['the display name carries the JID', shell, cpim({ From: `"${juliet}" <im:${mallory}>` }), { signers: [mallory] }],
    ['the inner from is another', shell, wrappedXmppXml(`<message from='${mallory}' type='chat' id='m1'/>`), {}],
    [
      'the inner resource is another',
      shell,
      wrappedXmppXml(`<message from='${juliet}/tomb' type='chat' id='m1'/>`),
      {},
    ],
  ])('is refused when %s', async (_, outer, content, signature) => {
    await refusal(open(signedBy(signature, content, outer)), 'ERR_E2E_SENDER_MISMATCH', 'check');
  });

  it('must stand in the stanza', async () => {
    await refusal(
      open(signedBy({}, cpim(), `<message xmlns='jabber:client' to='${romeo}'/>`)),
      'ERR_E2E_SENDER_MISMATCH',
    );
    await refusal(open(signedBy({}, cpim(), shell.replace(juliet, '@@'))), 'ERR_E2E_MALFORMED', 'unwrap');
  });

  it('may use any resource, and any name form that is the same JID', async () => {
    const upper = shell.replace(juliet, 'Juliet@EXAMPLE.com');
    const { stanza } = await open(signedBy({}, cpim(), upper));
    expect(stanza.attribute('from')).toBe(`${juliet}/balcony`);
  });
});

describe('the recipient', () => {
  it.each<[string, string, Uint8Array, DoubleSignature]>([
    ['CPIM To is another (surreptitious forwarding)', shell, cpim({ To: `<im:${mallory}>` }), {}],
    ['the stanza is addressed to another', shell.replace(romeo, mallory), cpim(), {}],
    ['the inner to is another', shell, wrappedXmppXml(`<message to='${mallory}' type='chat' id='m1'/>`), {}],
    [
      'the inner resource is another',
      shell.replace(romeo, `${romeo}/a`),
      wrappedXmppXml(`<message to='${romeo}/b' type='chat' id='m1'/>`),
      {},
    ],
    ['the signature is intended for others', shell, cpim(), { intendedFor: 'others' }],
  ])('is refused when %s', async (_, outer, content, signature) => {
    await refusal(open(signedBy(signature, content, outer)), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
    await refusal(open(signedBy(signature, content, outer), lax), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
  });

  it('may be one of several in To and cc', async () => {
    const many = cpim({ To: [`<im:${mallory}>`, `<im:${romeo}>`], cc: '<im:nurse@example.com>' });
    const { verdict } = await open(signedBy({}, many));
    expect(verdict.recipients).toEqual([mallory, romeo, 'nurse@example.com']);
  });

  it('has no inner "to" beside several in CPIM', async () => {
    const two = wrappedXmppXml(`<message to='${romeo}' type='chat' id='m1'/>`, {
      To: `<im:${romeo}>`,
      cc: `<im:${mallory}>`,
    });
    await refusal(open(signedBy({}, two)), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
  });

  it('is missing in a bare form: the strict policy wants one, the RFC policy marks it', async () => {
    const bare = xmppXml(`<message type='chat' id='m1'><body>Hi</body></message>`);
    const signature = { signedAt: '2026-11-22T12:00:00Z' };
    await refusal(open(signedBy(signature, bare)), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
    const { verdict } = await open(signedBy(signature, bare), lax);
    expect(verdict.recipientBound).toBe(false);
    expect(verdict.words.join('\n')).toContain('NOT BOUND');
  });

  it('of a bare form may come from the signature or the inner "to"', async () => {
    const bare = xmppXml(`<message type='chat' id='m1'><body>Hi</body></message>`);
    const intended = { signedAt: '2026-11-22T12:00:00Z', intendedFor: 'me' as const };
    expect((await open(signedBy(intended, bare))).verdict.recipientBound).toBe(true);
    const to = xmppXml(`<message type='chat' id='m1' to='${romeo}'><body>Hi</body></message>`);
    expect((await open(signedBy({ signedAt: '2026-11-22T12:00:00Z' }, to))).verdict.recipientBound).toBe(true);
  });
});

describe('the stanza around the payload', () => {
  const iq = `<iq xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}/orchard' id='q1' type='get'/>`;
  const query = (attributes: string): Uint8Array => wrappedXmppXml(`<iq ${attributes}><query xmlns='urn:x'/></iq>`);

  it.each<[string, string, Uint8Array]>([
    ['a message payload in an iq', iq, cpim()],
    ['an iq payload in a message', shell, query("id='m1' type='get'")],
    ['get turned into set', iq.replace("'get'", "'set'"), query("id='q1' type='get'")],
    ['two swapped results', iq.replace('q1', 'q2'), query("id='q1' type='get'")],
  ])('is refused with %s', async (_, outer, content) => {
    await refusal(open(signedBy({}, content, outer)), 'ERR_E2E_PAYLOAD_INVALID', 'check');
  });

  it('holds no error from inside', async () => {
    const error = wrappedXmppXml(`<message type='error' id='m1'><error type='cancel'/></message>`);
    await refusal(open(signedBy({}, error, shell.replace('chat', 'error'))), 'ERR_E2E_LAYERS_REFUSED', 'check');
  });

  it('gives the opened stanza its addresses, and nothing else of what stands beside e2e', async () => {
    const outer = `<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' id='m1' type='chat'>
      <body>forged</body><store xmlns='urn:xmpp:hints'/></message>`;
    const { stanza, verdict } = await open(sealed(cpim(), outer));
    const expected = shell.replace('/>', '><body>Hi</body></message>');
    expect(sameXml(stanza, parseXml(expected))).toBe(true);
    expect(verdict.outside.map((child) => child.name)).toEqual(['body', 'store']);
  });
});
