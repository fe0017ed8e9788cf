/** A certificate of Juliet's to tamper with, and what Romeo makes of it. */
import * as library from 'openpgp';
import type { SignatureOutcome } from '../../../src/backends/backend.ts';
import { inlineSigned, type KeyPacket, makeSignature, type SignatureFields } from './forge.ts';
import { at, backendOf, bare, born, content, expectOutcome, juliet, open, person, personOf, romeo } from './scene.ts';

export const { signature: types, reasonForRevocation: reasons, keyFlags, hash } = library.enums;
const day = 86_400_000;
export const later = (days: number, from = at): Date => new Date(from.getTime() + days * day);

export const j = await person(juliet);
export const r = await person(romeo);
/** EdDSA of openpgp.js signs with no short hash. */
export const rsa = await person(juliet, 'rsa2048');

/** A key with a signing subkey and an encryption subkey, all bindings as openpgp.js makes them. */
export async function withSigningSubkey(date = born, type: 'ecc' | 'rsa' = 'ecc'): Promise<library.PrivateKey> {
  const { privateKey } = await library.generateKey({
    ...(type === 'rsa' ? { type, rsaBits: 2048 } : { type, curve: 'curve25519Legacy' }),
    userIDs: [{ name: 'xmpp:juliet@example.com' }],
    date,
    subkeys: [{ sign: true }, {}],
    format: 'object',
  });
  return privateKey;
}

export const self = (key: library.PrivateKey, fields: SignatureFields, user = 0): Promise<library.SignaturePacket> =>
  makeSignature(key.keyPacket, { key: key.keyPacket, userID: key.users[user]!.userID }, fields);
export const overKey = (key: library.PrivateKey, fields: SignatureFields): Promise<library.SignaturePacket> =>
  makeSignature(key.keyPacket, { key: key.keyPacket }, fields);
export const overSubkey = (
  key: library.PrivateKey,
  index: number,
  fields: SignatureFields,
  signer: KeyPacket = key.keyPacket,
): Promise<library.SignaturePacket> =>
  makeSignature(signer, { key: key.keyPacket, bind: key.subkeys[index]!.keyPacket }, fields);

/** What Romeo, who has this certificate of hers on file, says of a message signed with a key packet. */
export async function judged(
  key: library.PrivateKey,
  {
    signer = key.keyPacket,
    signedAt = at,
    judgedAt = signedAt,
    filed = [key],
  }: { signer?: KeyPacket; signedAt?: Date; judgedAt?: Date; filed?: readonly library.PrivateKey[] } = {},
): Promise<[SignatureOutcome, string]> {
  const reader = backendOf(
    r,
    filed.map((one) => personOf(juliet, one)),
  );
  const message = await inlineSigned(content, signer, { at: signedAt });
  const opened = await open(reader, bare(message), { call: { at: judgedAt } });
  const { outcome, reason } = opened.signatures![0]!;
  expectOutcome(opened, outcome);
  return [outcome, reason];
}

/** Whether Romeo can seal to this certificate. */
export const sealable = (key: library.PrivateKey, time = at): Promise<boolean> =>
  backendOf(r, [personOf(juliet, key)]).canSealTo(juliet, time);
