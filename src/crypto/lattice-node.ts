/**
 * ML-DSA and ML-KEM on node:crypto, where it has them: Node 22 verifies ML-DSA, Node 24.7 has all of both. Keys are made
 * from a drawn seed (FIPS 204 section 5.1, FIPS 203 section 7.1), which leaves the seed as the whole private key.
 */

import * as runtime from 'node:crypto';
import { type LatticeParameters, latticeByOid, mlDsaOids, serializeLatticeSeed } from './lattice-keys.ts';
import { parsePrivateKey } from './private-key.ts';
import type { Encapsulation, KeyPair } from './provider.ts';
import { parsePublicKey } from './public-key.ts';

/** What the type declarations of the oldest supported release do not have. */
interface KeyEncapsulation {
  readonly encapsulate?: (key: runtime.KeyObject) => {
    readonly ciphertext: Uint8Array;
    readonly sharedKey: Uint8Array;
  };
  readonly decapsulate?: (key: runtime.KeyObject, ciphertext: Uint8Array) => Uint8Array;
}

const { encapsulate, decapsulate } = runtime as KeyEncapsulation;

let verification: boolean | undefined;
let signatures: boolean | undefined;

/** Whether ML-DSA signatures can be verified: asked of the runtime once, by importing a key. */
export function verifiesMlDsa(): boolean {
  return (verification ??= succeeds(() => importSeed(mlDsaOids[44], new Uint8Array(32))));
}

/** Whether ML-DSA signatures can be made too: asked once, by making one. */
export function hasMlDsa(): boolean {
  return (signatures ??= succeeds(() =>
    runtime.sign(null, new Uint8Array(), importSeed(mlDsaOids[44], new Uint8Array(32))),
  ));
}

/** Whether ML-KEM is there. */
export const hasMlKem: boolean = encapsulate !== undefined && decapsulate !== undefined;

function succeeds(operation: () => unknown): boolean {
  try {
    operation();
    return true;
  } catch {
    return false;
  }
}

function importSeed(oid: string, seed: Uint8Array): runtime.KeyObject {
  return runtime.createPrivateKey({ format: 'der', type: 'pkcs8', key: Buffer.from(serializeLatticeSeed(oid, seed)) });
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @throws an error of node:crypto where the runtime lacks the algorithm */
export function makeLatticeKeyPair(oid: string): KeyPair {
  const seed = plain(runtime.randomBytes(latticeByOid.get(oid)!.seedLength));
  const publicKey = runtime.createPublicKey(importSeed(oid, seed));
  return {
    publicKey: parsePublicKey(new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))),
    privateKey: parsePrivateKey(serializeLatticeSeed(oid, seed)),
  };
}

/** @throws an error of node:crypto for a public key that fails the check of FIPS 203 section 7.2 */
export function encapsulateTo(handle: runtime.KeyObject): Encapsulation {
  const { ciphertext, sharedKey } = encapsulate!(handle);
  return { ciphertext: plain(ciphertext), secret: plain(sharedKey) };
}

/** @returns undefined for a ciphertext of another length (FIPS 203 section 7.3) */
export function decapsulateWith(
  handle: runtime.KeyObject,
  { outputLength }: LatticeParameters,
  ciphertext: Uint8Array,
): Uint8Array | undefined {
  return ciphertext.length === outputLength ? plain(decapsulate!(handle, ciphertext)) : undefined;
}
