/**
 * Every level under every choice: what is delivered, and with what standing, against a model that says it in one line
 * each. With a double of a backend, so that every outcome can be had.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DoubleSignature, doubleEncrypted, doubleSigned } from '../../double-backend.ts';
import type { SignatureOutcome } from '../../../src/backends/backend.ts';
import { E2eError, type E2eErrorCode } from '../../../src/errors.ts';
import { memoryPinStore, PinGuard, type Policy, ReplayGuard, rfc3923Policy, strictPolicy } from '../../../src/index.ts';
import { runs } from '../../shared-data.ts';
import { cpim, juliet, mallory, open, romeo, sealedIn } from './scene.ts';

const pinned = 'aa'.repeat(20);
const another = 'bb'.repeat(20);
const choice = fc.constantFrom('refuse', 'deliver');
const outcome = fc.constantFrom<SignatureOutcome>(
  ...(['good', 'bad', 'unknown-signer', 'untrusted', 'expired', 'revoked', 'weak'] as const),
);

const scene = fc.record({
  outcomes: fc.array(outcome, { maxLength: 2 }),
  names: fc.constantFrom(juliet, mallory),
  key: fc.constantFrom(pinned, another),
  aead: fc.boolean(),
  encrypted: fc.boolean(),
  base: fc.constantFrom(strictPolicy, rfc3923Policy),
  unsigned: choice,
  untrustedSigner: choice,
  unknownSigner: choice,
  expectation: fc.constantFrom('nothing', 'sealed', 'key', 'guard', 'guard at first use', 'guard refuses first use'),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

/** What must become of it, told from the rules and not from the code; undefined where it is delivered. */
function model({ outcomes, names, key, aead, encrypted, expectation, ...policy }: Scene): E2eErrorCode | undefined {
  const cbc = encrypted && !aead;
  const hidden = (code: E2eErrorCode): E2eErrorCode => (cbc ? 'ERR_E2E_DECRYPTION_FAILED' : code);
  const required = ['sealed', 'key', 'guard'].includes(expectation);
  if (outcomes.length === 0 && !encrypted) return 'ERR_E2E_UNSIGNED';
  if (outcomes.length > 1) return hidden('ERR_E2E_SIGNATURE_INVALID');
  const [only] = outcomes;
  switch (only) {
    case 'bad':
      return hidden('ERR_E2E_SIGNATURE_INVALID');
    case 'weak':
      return hidden('ERR_E2E_WEAK_ALGORITHM');
    case 'expired':
    case 'revoked':
      return hidden('ERR_E2E_SIGNER_UNTRUSTED');
    case 'untrusted':
      if (required || policy.untrustedSigner === 'refuse') return hidden('ERR_E2E_SIGNER_UNTRUSTED');
      // The double gives no names to a certificate that is not trusted.
      return hidden('ERR_E2E_SENDER_MISMATCH');
    case 'unknown-signer':
      if (required || policy.unknownSigner === 'refuse') return hidden('ERR_E2E_SIGNER_UNKNOWN');
      return expectation === 'guard refuses first use' ? hidden('ERR_E2E_SIGNER_UNTRUSTED') : undefined;
    case undefined:
      if (required || policy.unsigned === 'refuse') return hidden('ERR_E2E_UNSIGNED');
      return expectation === 'guard refuses first use' ? hidden('ERR_E2E_SIGNER_UNTRUSTED') : undefined;
    default:
      if (names === mallory) return 'ERR_E2E_SENDER_MISMATCH';
      if ((expectation === 'key' || expectation === 'guard') && key === another) return 'ERR_E2E_SIGNER_UNTRUSTED';
      return expectation === 'guard refuses first use' ? 'ERR_E2E_SIGNER_UNTRUSTED' : undefined;
  }
}

async function play(given: Scene) {
  const signatures = given.outcomes.map((one): DoubleSignature => ({
    outcome: one,
    signers: [given.names],
    fingerprint: given.key,
  }));
  const signed = signatures.length === 0 ? cpim() : doubleSigned(cpim(), ...signatures);
  const encryption = { cipher: 'some', aead: given.aead, keyTransport: ['ecdh'] };
  const stanza = sealedIn(given.encrypted ? doubleEncrypted(signed, [romeo], encryption) : signed);
  const { base, unsigned, untrustedSigner, unknownSigner, expectation } = given;
  const policy = { ...base, unsigned, untrustedSigner, unknownSigner } as Policy;
  const store = memoryPinStore();
  if (expectation === 'guard') await new PinGuard(store).pin(juliet, pinned);
  const firstUse =
    expectation === 'guard at first use' ? 'pin' : expectation.endsWith('first use') ? 'refuse' : 'deliver';
  const expected = {
    nothing: undefined,
    sealed: { sealed: true },
    key: { keys: [pinned] },
  }[expectation as 'nothing' | 'sealed' | 'key'];
  const guard = expectation.startsWith('guard') ? new PinGuard(store, { firstUse }) : expected;
  const replay = new ReplayGuard();
  const options = { policy, replay, expect: guard };
  const first = await open(stanza, options).catch((error: unknown) => error as E2eError);
  const second = await open(stanza, options).catch((error: unknown) => error as E2eError);
  return { first, second, pins: await store.get(juliet) };
}

describe('every level under every choice', () => {
  it(
    'is delivered or refused as the model says, and has a sender only if it is good',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(scene, async (given) => {
          const code = model(given);
          const { first, second, pins } = await play(given);
          if (code !== undefined) {
            expect((first as E2eError).code).toBe(code);
            expect((second as E2eError).code).toBe(code);
            const { verdict } = first as E2eError;
            expect(verdict === undefined).toBe(
              code === 'ERR_E2E_DECRYPTION_FAILED' || (given.outcomes.length === 0 && !given.encrypted),
            );
            // No refusal pins anything.
            expect(pins?.keys ?? []).toEqual(given.expectation === 'guard' ? [pinned] : []);
            return;
          }
          if (first instanceof E2eError) throw first;
          const { level, sender, authenticated, replay, pin } = first.verdict;
          const good = given.outcomes[0] === 'good';
          expect(level).toBe(good ? 'good' : given.outcomes.length === 0 ? 'unsigned' : 'unknown-signer');
          expect(sender?.jid).toBe(good ? juliet : undefined);
          expect(authenticated).toBe(good || (given.encrypted && given.aead));
          expect(replay).toBe(good ? 'checked' : 'off');
          // Only what is good is ever a replay, and only what is good is pinned.
          expect(second instanceof E2eError).toBe(good);
          const firstUse = good && given.expectation === 'guard at first use';
          expect(pin === 'first').toBe(firstUse);
          expect(pins?.keys ?? []).toEqual(firstUse ? [given.key] : given.expectation === 'guard' ? [pinned] : []);
        }),
        { numRuns: runs(5000), seed: 3923 },
      );
    },
  );
});
