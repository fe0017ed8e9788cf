/** Each check by itself: which signature decides, what a policy may deliver, and the reason that each refusal gives. */
import { describe, expect, it } from 'vitest';
import type { SignatureOutcome, SignatureResult } from '../../../src/backends/backend.ts';
import { claimOf, judgeSignatures, requireSender, requireSignature } from '../../../src/e2e/check.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits, Jid, limitsWith, type Policy, rfc3923Policy, strictPolicy } from '../../../src/index.ts';
import { type DoubleSignature, doubleSigned } from '../../double-backend.ts';
import {
  cpim,
  juliet,
  mallory,
  open,
  refusal,
  romeo,
  sealedIn,
  shell,
  signedBy,
  wrappedXmppXml,
  xmppXml,
} from './scene.ts';

const jid = Jid.parse(juliet);

function result(outcome: SignatureOutcome, more: Partial<SignatureResult> = {}): SignatureResult {
  const summary = { fingerprint: 'ab', jids: [juliet] } as unknown as SignatureResult['chain'][number];
  return {
    outcome,
    reason: `it is ${outcome}`,
    identities: outcome === 'good' ? [{ jid, source: 'im' }] : [],
    trust: outcome === 'good' ? 'pinned' : undefined,
    fingerprint: 'ab',
    algorithm: 'ed25519',
    signedAt: undefined,
    intendedFor: 'unspecified',
    chain: [summary],
    ...more,
  };
}

const judge = (...signatures: readonly SignatureResult[]) => judgeSignatures(signatures, defaultLimits);

describe('the level of a signature', () => {
  it.each<[SignatureOutcome, string]>([
    ['good', 'good'],
    ['bad', 'forged'],
    ['unknown-signer', 'unknown-signer'],
    ['untrusted', 'untrusted'],
    ['expired', 'untrusted'],
    ['revoked', 'untrusted'],
    ['weak', 'weak'],
  ])('of one that is %s is %s', (outcome, level) => {
    const one = result(outcome);
    expect(judge(one)).toEqual({ level, result: one, several: false });
  });

  it('of none is unsigned', () => {
    expect(judge()).toEqual({ level: 'unsigned', result: undefined, several: false });
  });

  it('of several is forged; where as many are allowed, one that is not good decides', () => {
    const [good, bad] = [result('good'), result('weak')];
    expect(judge(good, good)).toEqual({ level: 'forged', result: good, several: true });
    const limits = limitsWith({ signatures: 2 });
    for (const two of [
      [good, bad],
      [bad, good],
    ])
      expect(judgeSignatures(two, limits)).toEqual({ level: 'weak', result: bad, several: false });
    expect(judgeSignatures([good, good], limits)).toEqual({ level: 'good', result: good, several: false });
  });

  it('has what the signature says of itself, frozen', () => {
    expect(claimOf(result('bad'))).toEqual({
      ...{ reason: 'it is bad', fingerprint: 'ab', algorithm: 'ed25519', names: [juliet] },
    });
    expect(claimOf(result('bad', { chain: [] })).names).toEqual([]);
    expect(Object.isFrozen(claimOf(result('bad')))).toBe(true);
  });
});

describe('what a policy delivers', () => {
  const all: readonly SignatureOutcome[] = ['bad', 'unknown-signer', 'untrusted', 'expired', 'revoked', 'weak'];
  const refused = (policy: Policy, required: boolean): string[] =>
    all.filter((outcome) => {
      try {
        requireSignature(judge(result(outcome)), policy, required);
        return false;
      } catch (error) {
        const { reason, stage } = error as E2eError;
        expect([error instanceof E2eError, reason, stage]).toEqual([true, `it is ${outcome}`, 'verify']);
        return true;
      }
    });

  it('is an untrusted or unknown signer by choice alone, and nothing else', () => {
    const untrusted: Policy = { ...strictPolicy, untrustedSigner: 'deliver' };
    const unknown: Policy = { ...strictPolicy, unknownSigner: 'deliver' };
    for (const policy of [strictPolicy, rfc3923Policy]) expect(refused(policy, false)).toEqual(all);
    expect(refused(untrusted, false)).toEqual(['bad', 'unknown-signer', 'expired', 'revoked', 'weak']);
    expect(refused(unknown, false)).toEqual(['bad', 'untrusted', 'expired', 'revoked', 'weak']);
    // Where only a good signature will do, no policy counts.
    for (const policy of [untrusted, unknown]) expect(refused(policy, true)).toEqual(all);
  });

  it('is what nobody signed by choice, unless a signature is required', () => {
    const open = (policy: Policy, required: boolean) => () => requireSignature(judge(), policy, required);
    expect(open(rfc3923Policy, false)).not.toThrow();
    for (const refusing of [open(strictPolicy, false), open(strictPolicy, true), open(rfc3923Policy, true)])
      expect(refusing).toThrow(expect.objectContaining({ code: 'ERR_E2E_UNSIGNED', stage: 'verify' }));
  });

  it('is a good signature, and never several', () => {
    expect(() => requireSignature(judge(result('good')), strictPolicy, true)).not.toThrow();
    expect(() => requireSignature(judge(result('good'), result('good')), rfc3923Policy, false)).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_SIGNATURE_INVALID', stage: 'verify', reason: 'several signatures' }),
    );
  });
});

describe('the sender of a signature that is not good', () => {
  const envelope = {
    ...({ kind: 'message', me: Jid.parse(romeo), from: Jid.parse(`${juliet}/balcony`), to: undefined } as const),
    ...{ type: 'chat', id: 'm1', context: 'live' as const },
  };
  const payload = { senders: [] } as unknown as Parameters<typeof requireSender>[1];

  it('is vouched for by nobody, and must at least be named by the certificate', () => {
    expect(requireSender(envelope, payload, judge(result('untrusted')))).toBeUndefined();
    expect(requireSender(envelope, payload, judge(result('unknown-signer', { chain: [] })))).toBeUndefined();
    expect(requireSender(envelope, payload, judge())).toBeUndefined();
    expect(requireSender(envelope, payload, judge(result('good')))).toEqual({ jid, source: 'im' });
    const named = { jids: [mallory] } as unknown as SignatureResult['chain'][number];
    for (const chain of [[], [named]])
      expect(() => requireSender(envelope, payload, judge(result('untrusted', { chain })))).toThrow(
        expect.objectContaining({
          code: 'ERR_E2E_SENDER_MISMATCH',
          reason: `the certificate names another: ${juliet}`,
        }),
      );
  });
});

describe('the reason', () => {
  const sent = { context: 'sent' } as const;
  const inner = (attributes: string): Uint8Array => wrappedXmppXml(`<message ${attributes}/>`);
  const mine = shell.replace(`${juliet}/balcony`, romeo);
  const signedAt = '2026-11-22T12:00:00Z';

  it.each<[string, string, string, Uint8Array, DoubleSignature, object?]>([
    ['SENDER_MISMATCH', `CPIM From names another sender: ${mallory}`, shell, cpim({ From: `<im:${mallory}>` }), {}],
    ['SENDER_MISMATCH', `not sent by me: ${juliet}`, shell, cpim(), {}, sent],
    [
      'SENDER_MISMATCH',
      `the certificate does not speak for the sender: ${juliet}`,
      shell,
      cpim(),
      { signers: [mallory] },
    ],
    [
      'SENDER_MISMATCH',
      `inner and outer resource of the sender differ: ${juliet}/tomb`,
      shell,
      inner(`from='${juliet}/tomb'`),
      {},
    ],
    [
      'RECIPIENT_MISMATCH',
      'the stanza has no recipient',
      mine.replace(` to='${romeo}'`, ''),
      cpim({ From: `<im:${romeo}>` }),
      { signers: [romeo] },
      sent,
    ],
    [
      'RECIPIENT_MISMATCH',
      `the stanza is addressed to somebody else: ${mallory}`,
      shell.replace(romeo, mallory),
      cpim(),
      {},
    ],
    [
      'RECIPIENT_MISMATCH',
      `the payload is addressed to somebody else: ${mallory}`,
      shell,
      cpim({ To: `<im:${mallory}>` }),
      {},
    ],
    ['RECIPIENT_MISMATCH', `the inner "to" is somebody else: ${mallory}`, shell, inner(`to='${mallory}'`), {}],
    ['RECIPIENT_MISMATCH', 'the signature is intended for others', shell, cpim(), { intendedFor: 'others' }],
    ['RECIPIENT_MISMATCH', 'nothing sealed names a recipient', shell, xmppXml(`<message id='m1'/>`), { signedAt }],
    [
      'RECIPIENT_MISMATCH',
      `inner and outer resource of the recipient differ: ${romeo}/b`,
      shell.replace(romeo, `${romeo}/a`),
      inner(`to='${romeo}/b'`),
      {},
    ],
    ['PAYLOAD_INVALID', 'the payload is no presence', shell.replace('message', 'presence'), cpim(), {}],
    ['PAYLOAD_INVALID', 'inner and outer type differ', shell, inner(`type='normal'`), {}],
    ['PAYLOAD_INVALID', 'inner and outer id differ', shell, inner(`id='m2'`), {}],
    ['LAYERS_REFUSED', 'an error stanza inside a sealed one', shell, inner(`type='error'`), {}],
    ['TIMESTAMP', 'the signed time is not in UTC', shell, cpim({ DateTime: '2026-11-22T13:00:00+01:00' }), {}],
    ['TIMESTAMP', 'two signed times differ', shell, cpim(), { signedAt: '2026-11-22T12:05:01Z' }],
    ['TIMESTAMP', 'the signed time is old', shell, cpim({ DateTime: '2026-11-22T11:54:59Z' }), {}],
    ['TIMESTAMP', 'the signed time is future', shell, cpim({ DateTime: '2026-11-22T12:05:01Z' }), {}],
    ['TIMESTAMP', 'the signed time is absent', shell, xmppXml(`<message id='m1' to='${romeo}'/>`), {}],
  ])('of %s: %s', async (code, reason, outer, content, signature, options = {}) => {
    const error = await refusal(
      open(signedBy(signature, content, outer), options),
      `ERR_E2E_${code}` as E2eError['code'],
      'check',
    );
    expect(error.reason).toBe(reason);
  });

  it('of two recipients beside an inner "to"', async () => {
    const two = wrappedXmppXml(`<message to='${romeo}' id='m1'/>`, { To: `<im:${romeo}>`, cc: `<im:${mallory}>` });
    const error = await refusal(open(signedBy({}, two)), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
    expect(error.reason).toBe('an inner "to" beside several recipients');
  });

  it('of several signatures', async () => {
    const two = doubleSigned(cpim(), { signers: [juliet] }, { signers: [juliet] });
    const error = await refusal(open(sealedIn(two)), 'ERR_E2E_SIGNATURE_INVALID', 'verify');
    expect(error.reason).toBe('several signatures');
  });

  it('is none where all agree, one by one', async () => {
    const agreeing = [`from='${juliet}/balcony'`, `from='${juliet}'`, `to='${romeo}'`, `type='chat'`, `id='m1'`, ''];
    for (const attributes of agreeing) {
      const { verdict } = await open(signedBy({}, inner(attributes)));
      expect(verdict.level).toBe('good');
    }
    const nowhere = shell.replace(` to='${romeo}'`, '');
    for (const attributes of [`to='${romeo}'`, `to='${romeo}/any'`])
      expect((await open(signedBy({}, inner(attributes), nowhere))).verdict.recipientBound).toBe(true);
  });
});
