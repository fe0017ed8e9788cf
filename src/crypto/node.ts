/**
 * The primitives on node:crypto. All answer at once but RSA signing, of which the thread pool takes what is more than a
 * few milliseconds of a turn of the event loop.
 */

import {
  type Cipher,
  type CipherGCMTypes,
  type Decipher,
  type KeyObject,
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  diffieHellman,
  generateKeyPair,
  generateKeyPairSync,
  hash as digestOf,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto';
import { randomBytes } from '../bytes.ts';
import { fixedFromEcdsaDer } from './ecdsa-signature.ts';
import { curveNames, ecdhHandle, importOkp, privateHandle, publicHandle } from './key-handles-node.ts';
import { decryptOcb, encryptOcb, hasOcb } from './ocb-node.ts';
import { packetPrimitives } from './packet-node.ts';
import { latticeByOid, mlDsaOids, mlKemOids } from './lattice-keys.ts';
import {
  decapsulateWith,
  encapsulateTo,
  hasMlDsa,
  hasMlKem,
  makeLatticeKeyPair,
  verifiesMlDsa,
} from './lattice-node.ts';
import { type PrivateKey, parsePrivateKey } from './private-key.ts';
import type {
  CryptoFeature,
  CryptoProvider,
  Encapsulation,
  EphemeralAgreement,
  HashName,
  KeyPair,
  KeyPairKind,
  MaybePromise,
  SignatureAlgorithm,
} from './provider.ts';
import { type PublicKey, coordinateLength, parsePublicKey } from './public-key.ts';
import { decryptOaep, decryptPkcs1v15, encryptOaep } from './rsa-node.ts';
import { fitsKey } from './signature-algorithm.ts';
import { unsupported } from './unsupported.ts';

const rejectionSecrets = new WeakMap<PrivateKey, Uint8Array>();

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What node:crypto wants beside a key. */
function signatureOptions(algorithm: SignatureAlgorithm): { padding?: number; saltLength?: number } {
  if (algorithm.scheme === 'rsa-pkcs1v15') return { padding: constants.RSA_PKCS1_PADDING };
  if (algorithm.scheme !== 'rsa-pss') return {};
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltLength };
}

function hashFor(algorithm: SignatureAlgorithm): HashName | null {
  return 'hash' in algorithm ? algorithm.hash : null;
}

function makeSignature(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): MaybePromise<Uint8Array> {
  if (algorithm.scheme === 'ml-dsa' && !hasMlDsa()) throw unsupported();
  const hash = hashFor(algorithm);
  if (!fitsKey(key, algorithm)) throw new TypeError('signature scheme does not fit the key');
  const options = { key: privateHandle(key), ...signatureOptions(algorithm) };
  if (!isSlow(key)) {
    try {
      return plain(sign(hash, data, options));
    } catch {
      throw new TypeError('private key cannot sign');
    }
  }
  return new Promise((resolve, reject) => {
    sign(hash, data, options, (error, signature) => {
      if (error === null) resolve(plain(signature));
      else reject(new TypeError('private key cannot sign'));
    });
  });
}

/** What RSA signatures have taken of this turn of the event loop, in quarters of a millisecond. */
let taken = 0;
/** Eight milliseconds. */
const mostTaken = 32;

/**
 * Whether a signature is left to the thread pool: one of a very long RSA key, and those after the first few of one turn,
 * so that a burst is spread over all processors. The way there and back costs as much as a signature of 2048 bits.
 */
function isSlow(key: PrivateKey): boolean {
  if (key.algorithm !== 'rsa' && key.algorithm !== 'rsa-pss') return false;
  const bits = privateHandle(key).asymmetricKeyDetails?.modulusLength ?? Infinity;
  const cost = bits <= 2048 ? 1 : bits <= 3072 ? 6 : Infinity;
  if (taken + cost > mostTaken) return true;
  if (taken === 0) {
    setImmediate(() => {
      taken = 0;
    });
  }
  taken += cost;
  return false;
}

function checkSignature(
  key: PublicKey,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (algorithm.scheme === 'ml-dsa' && !verifiesMlDsa()) throw unsupported();
  const hash = hashFor(algorithm);
  if (!fitsKey(key, algorithm)) return false;
  if (algorithm.scheme === 'ecdsa' && fixedFromEcdsaDer(signature, coordinateLength(key.curve!)) === undefined) {
    return false;
  }
  try {
    return verify(hash, data, { key: publicHandle(key), ...signatureOptions(algorithm) }, signature);
  } catch {
    return false;
  }
}

function agree(key: PrivateKey, point: Uint8Array): Uint8Array | undefined {
  try {
    if (key.algorithm === 'ec') {
      if (point[0] !== 4 || point.length !== 1 + 2 * coordinateLength(key.curve!)) return undefined;
      return plain(ecdhHandle(key).computeSecret(point));
    }
    if (key.algorithm !== 'x25519' || point.length !== 32) return undefined;
    return nonZero(diffieHellman({ privateKey: privateHandle(key), publicKey: importOkp('x25519', point) }));
  } catch {
    return undefined;
  }
}

function nonZero(secret: Uint8Array): Uint8Array | undefined {
  let bits = 0;
  for (const octet of secret) bits |= octet;
  return bits === 0 ? undefined : plain(secret);
}

function agreeEphemeral(peer: PublicKey): EphemeralAgreement | undefined {
  try {
    if (peer.algorithm === 'ec') {
      const ecdh = createECDH(curveNames[peer.curve!]);
      const publicPoint = plain(ecdh.generateKeys());
      return { publicPoint, secret: plain(ecdh.computeSecret(peer.subjectPublicKey)) };
    }
    if (peer.algorithm !== 'x25519') return undefined;
    const { privateKey, publicKey } = ephemeralX25519();
    const secret = nonZero(diffieHellman({ privateKey, publicKey: publicHandle(peer) }));
    return secret === undefined ? undefined : { publicPoint: plain(Buffer.from(publicKey.x, 'base64url')), secret };
  } catch {
    return undefined;
  }
}

/**
 * A key pair whose public point comes as JWK, since DER takes ninety times as long.
 *
 * The point is asked for together with the pair. A later export holds a lock of the pair, which a garbage collection in
 * between takes again when it collects the job that made the pair: Node 20 then waits for itself, for ever.
 */
function ephemeralX25519(): { readonly publicKey: { readonly x: string }; readonly privateKey: KeyObject } {
  // @types/node does not know this encoding.
  const options: object = { publicKeyEncoding: { format: 'jwk' } };
  return generateKeyPairSync('x25519', options) as object as ReturnType<typeof ephemeralX25519>;
}

function encapsulate(peer: PublicKey): Encapsulation | undefined {
  if (!hasMlKem) throw unsupported();
  if (peer.algorithm !== 'ml-kem') return undefined;
  try {
    return encapsulateTo(publicHandle(peer));
  } catch {
    return undefined;
  }
}

function decapsulate(key: PrivateKey, ciphertext: Uint8Array): Uint8Array | undefined {
  if (!hasMlKem) throw unsupported();
  if (key.algorithm !== 'ml-kem') return undefined;
  return decapsulateWith(privateHandle(key), latticeByOid.get(key.oid)!, ciphertext);
}

function hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array {
  return plain(createHmac(hash, key).update(data).digest());
}

/** RFC 5869; hkdfSync builds a key object and takes three times as long for one block. */
function hkdf(hash: HashName, secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const pseudorandomKey = hmac(hash, salt, secret);
  const out = new Uint8Array(length);
  let block = new Uint8Array(0);
  for (let offset = 0, count = 1; offset < length; count++, offset += block.length) {
    block = new Uint8Array(
      createHmac(hash, pseudorandomKey).update(block).update(info).update(Uint8Array.of(count)).digest(),
    );
    out.set(block.subarray(0, length - offset), offset);
  }
  return out;
}

/** A cipher operation without authentication in one array; undefined when it does not come out. */
function run(cipher: Cipher | Decipher, input: Uint8Array): Uint8Array | undefined {
  try {
    const head = cipher.update(input);
    const tail = cipher.final();
    return tail.length === 0 ? plain(head) : plain(Buffer.concat([head, tail]));
  } catch {
    return undefined;
  }
}

const wrapIv = new Uint8Array(8).fill(0xa6);

function gcm(key: Uint8Array): CipherGCMTypes {
  return `aes-${(key.length * 8) as 128}-gcm`;
}

function rejectionSecret(key: PrivateKey): Uint8Array {
  let secret = rejectionSecrets.get(key);
  if (secret === undefined) {
    secret = hmac('sha256', key.pkcs8, new Uint8Array());
    rejectionSecrets.set(key, secret);
  }
  return secret;
}

function makeKeyPair(kind: KeyPairKind): MaybePromise<KeyPair> {
  if (kind.algorithm === 'rsa') {
    return new Promise((resolve, reject) => {
      generateKeyPair('rsa', { modulusLength: kind.bits }, (error, publicKey, privateKey) => {
        if (error === null) resolve(exported(publicKey, privateKey));
        else reject(error);
      });
    });
  }
  if (kind.algorithm === 'ml-dsa' || kind.algorithm === 'ml-kem') {
    if (lacks(kind.algorithm)) throw unsupported();
    return makeLatticeKeyPair(
      kind.algorithm === 'ml-dsa' ? mlDsaOids[kind.parameterSet] : mlKemOids[kind.parameterSet],
    );
  }
  const { publicKey, privateKey } =
    kind.algorithm === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: curveNames[kind.curve] })
      : kind.algorithm === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('x25519');
  return exported(publicKey, privateKey);
}

function exported(publicKey: KeyObject, privateKey: KeyObject): KeyPair {
  return {
    publicKey: parsePublicKey(new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))),
    privateKey: parsePrivateKey(new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }))),
  };
}

function lacks(feature: CryptoFeature): boolean {
  if (feature === 'ml-dsa') return !hasMlDsa();
  if (feature === 'ml-dsa-verify') return !verifiesMlDsa();
  if (feature === 'ml-kem') return !hasMlKem;
  // BoringSSL, as in Electron, has no OCB.
  return feature === 'aes-ocb' && !hasOcb;
}

/** The primitives of node:crypto. */
export const nodeCrypto: CryptoProvider = Object.freeze<CryptoProvider>({
  name: 'node',
  supports: (feature) => !lacks(feature),
  randomBytes,
  digest(hash, ...chunks) {
    if (chunks.length === 1) return plain(digestOf(hash, chunks[0]!, 'buffer'));
    const digest = createHash(hash);
    for (const chunk of chunks) digest.update(chunk);
    return plain(digest.digest());
  },
  hmac,
  hkdf,
  sign: makeSignature,
  verify: checkSignature,
  encryptRsaOaep(key, parameters, data) {
    const handle = publicHandle(key);
    if (parameters.hash !== parameters.mgfHash) {
      return plain(encryptOaep(handle, key.rsa!.modulus.length, parameters, data));
    }
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    return plain(publicEncrypt({ key: handle, padding, oaepHash: parameters.hash }, data));
  },
  // One path for every pair of hashes: node:crypto's own differs in time between a fault and none by a thrown error.
  decryptRsaOaep: (key, parameters, ciphertext) => decryptOaep(privateHandle(key), parameters, ciphertext),
  encryptRsaPkcs1v15: (key, data) =>
    plain(publicEncrypt({ key: publicHandle(key), padding: constants.RSA_PKCS1_PADDING }, data)),
  decryptRsaPkcs1v15: (key, ciphertext, length) =>
    decryptPkcs1v15(privateHandle(key), rejectionSecret(key), ciphertext, length),
  agree,
  agreeEphemeral,
  encapsulate,
  decapsulate,
  wrapKey(kek, key) {
    const cipher = createCipheriv(`id-aes${kek.length * 8}-wrap`, kek, wrapIv);
    return plain(Buffer.concat([cipher.update(key), cipher.final()]));
  },
  unwrapKey(kek, wrapped) {
    // RFC 3394 section 2.2: blocks of 64 bits, two or more beside the check block.
    if (wrapped.length < 24 || wrapped.length % 8 !== 0) return undefined;
    return run(createDecipheriv(`id-aes${kek.length * 8}-wrap`, kek, wrapIv), wrapped);
  },
  encryptAesGcm({ key, nonce, additionalData, tagLength }, plaintext) {
    const cipher = createCipheriv(gcm(key), key, nonce, { authTagLength: tagLength });
    if (additionalData !== undefined) cipher.setAAD(additionalData);
    const ciphertext = plaintext.map((piece) => plain(cipher.update(piece)));
    cipher.final();
    return { ciphertext, tag: plain(cipher.getAuthTag()) };
  },
  decryptAesGcm({ key, nonce, additionalData, tagLength }, ciphertext, tag) {
    if (tag.length !== tagLength) return undefined;
    const cipher = createDecipheriv(gcm(key), key, nonce, { authTagLength: tagLength });
    if (additionalData !== undefined) cipher.setAAD(additionalData);
    cipher.setAuthTag(tag);
    return run(cipher, ciphertext);
  },
  encryptAesOcb: encryptOcb,
  decryptAesOcb: decryptOcb,
  encryptAesCbc(key, iv, plaintext) {
    return run(createCipheriv(`aes-${key.length * 8}-cbc`, key, iv), plaintext)!;
  },
  decryptAesCbc: (key, iv, ciphertext) => run(createDecipheriv(`aes-${key.length * 8}-cbc`, key, iv), ciphertext),
  decryptTripleDesCbc: (key, iv, ciphertext) => run(createDecipheriv('des-ede3-cbc', key, iv), ciphertext),
  unwrapTripleDesKey(kek, wrapped) {
    // RFC 3217 section 3.1: 24 octets of key, 8 of checksum, 8 of initialization vector.
    return wrapped.length === 40 ? run(createDecipheriv('des3-wrap', kek, null), wrapped) : undefined;
  },
  generateKeyPair: makeKeyPair,
  packets: packetPrimitives(publicHandle, privateHandle, isSlow),
});

/** The provider of this runtime, as `#crypto` chooses it. */
export const provider: CryptoProvider = nodeCrypto;
