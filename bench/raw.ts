/**
 * The floor: the asymmetric operations, key derivation, key wrap, cipher and hash that a message needs, in the fastest
 * call sequence known for each kind of key on node:crypto, with parsed keys and without any format.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash as hashOnce,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import type { Contender, Kind } from './contender.ts';

interface KeyTransport {
  /** Encrypts a key for the recipient. */
  readonly send: (key: Buffer) => unknown;
  readonly receive: (sent: never) => Uint8Array;
}

interface Signing {
  readonly sign: (content: Uint8Array) => Uint8Array;
  readonly verify: (content: Uint8Array, signature: Uint8Array) => boolean;
}

interface ContentCipher {
  readonly encrypt: (key: Uint8Array, content: Uint8Array) => unknown;
  readonly decrypt: (key: Uint8Array, encrypted: never) => void;
}

export function raw(kind: Kind, content: Uint8Array): Contender {
  const { sign: makeSignature, verify: checkSignature } = signing(kind);
  const transport = keyTransport(kind);
  const cipher = kind.backend === 'smime' ? gcm(false) : kind.v6 ? gcm(true) : cfb;
  const encrypt = (): unknown => {
    const key = randomBytes(32);
    return [transport.send(key), cipher.encrypt(key, content)];
  };
  const signature = makeSignature(content);
  const [sent, encrypted] = encrypt() as [never, never];
  const decrypt = (): void => cipher.decrypt(transport.receive(sent), encrypted);
  const check = (): void => {
    if (!checkSignature(content, signature)) throw new Error('raw signature does not fit');
  };
  return {
    sign: () => makeSignature(content),
    verify: check,
    encrypt,
    decrypt,
    seal: () => [makeSignature(content), encrypt()],
    open: () => {
      decrypt();
      check();
    },
  };
}

interface KeyObjects {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** RSA keys take long to make. */
const rsaKeys = new Map<Kind['key'], KeyObjects>();

function signingKeys(key: Kind['key']): KeyObjects {
  if (key === 'p256') return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  if (key === 'ed25519') return generateKeyPairSync('ed25519');
  const made = rsaKeys.get(key) ?? generateKeyPairSync('rsa', { modulusLength: Number(key.slice(3)) });
  rsaKeys.set(key, made);
  return made;
}

/** The content is hashed beside the signed attributes of CMS, and together with the trailer of OpenPGP. */
function signing({ backend, key, v6 }: Kind): Signing {
  const { privateKey, publicKey } = signingKeys(key);
  const edwards = key === 'ed25519';
  if (backend === 'openpgp' && !edwards) {
    const hash = key === 'p256' ? 'sha256' : 'sha512';
    return {
      sign: (content) => sign(hash, content, privateKey),
      verify: (content, signature) => verify(hash, content, publicKey, signature),
    };
  }
  const hash = edwards ? 'sha512' : 'sha256';
  const scheme = edwards ? null : hash;
  const salt = randomBytes(32);
  const attributes = randomBytes(150);
  const signed = (digest: Uint8Array): Uint8Array => (backend === 'smime' ? attributes : digest);
  const digest = (content: Uint8Array): Uint8Array =>
    v6 ? createHash(hash).update(salt).update(content).digest() : hashOnce(hash, content, 'buffer');
  return {
    sign: (content) => sign(scheme, signed(digest(content)), privateKey),
    verify: (content, signature) => verify(scheme, signed(digest(content)), publicKey, signature),
  };
}

function keyTransport(kind: Kind): KeyTransport {
  if (kind.key === 'p256') return ecdh(kind);
  if (kind.key === 'ed25519') return x25519(kind);
  return kind.backend === 'smime' ? rsaOaep(kind.key) : rsaPkcs1v15(kind.key);
}

function rsaOaep(key: Kind['key']): KeyTransport {
  const { privateKey, publicKey } = signingKeys(key);
  const options = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  return {
    send: (session) => publicEncrypt({ key: publicKey, ...options }, session),
    receive: (sent: Buffer) => privateDecrypt({ key: privateKey, ...options }, sent),
  };
}

function rsaPkcs1v15(key: Kind['key']): KeyTransport {
  const { privateKey, publicKey } = signingKeys(key);
  return {
    send: (session) => publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, session),
    // Node 20 refuses to remove this padding.
    receive: (sent: Buffer) =>
      privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, sent).subarray(-32),
  };
}

type Agreed = readonly [publicPoint: Buffer, wrapped: Buffer];

function ecdh(kind: Kind): KeyTransport {
  const own = createECDH('prime256v1');
  const peer = own.generateKeys();
  return {
    send: (session) => {
      const ephemeral = createECDH('prime256v1');
      const point = ephemeral.generateKeys();
      return [point, wrapKey(derive(kind, ephemeral.computeSecret(peer)), session)] satisfies Agreed;
    },
    receive: ([point, wrapped]: Agreed) => unwrapKey(derive(kind, own.computeSecret(point)), wrapped),
  };
}

interface Ephemeral {
  readonly publicKey: { readonly x: string };
  readonly privateKey: KeyObject;
}

function x25519(kind: Kind): KeyTransport {
  const own = generateKeyPairSync('x25519');
  return {
    send: (session) => {
      // JWK, since DER takes ninety times as long; at once, since a later export can wait for ever (Node 20).
      const encoding: object = { publicKeyEncoding: { format: 'jwk' } };
      const { privateKey, publicKey } = generateKeyPairSync('x25519', encoding) as object as Ephemeral;
      const secret = diffieHellman({ privateKey, publicKey: own.publicKey });
      const point = Buffer.from(publicKey.x, 'base64url');
      return [point, wrapKey(derive(kind, secret), session)] satisfies Agreed;
    },
    receive: ([point, wrapped]: Agreed) => {
      const jwk = { kty: 'OKP', crv: 'X25519', x: point.toString('base64url') };
      const publicKey = createPublicKey({ format: 'jwk', key: jwk });
      return unwrapKey(derive(kind, diffieHellman({ privateKey: own.privateKey, publicKey })), wrapped);
    },
  };
}

const info = randomBytes(36);

/** One block of the derivation of each format: X9.63 or HKDF in CMS, a hash or HKDF in OpenPGP. */
function derive({ backend, key, v6 }: Kind, secret: Buffer): Buffer {
  if (backend === 'smime' ? key === 'ed25519' : v6) return hkdf(secret).subarray(0, backend === 'smime' ? 32 : 16);
  const derived = createHash('sha256').update(secret).update(info).digest();
  return backend === 'smime' ? derived : derived.subarray(0, 16);
}

const empty = Buffer.alloc(0);
const first = Buffer.of(1);

function hkdf(secret: Uint8Array): Buffer {
  const pseudorandomKey = createHmac('sha256', empty).update(secret).digest();
  return createHmac('sha256', pseudorandomKey).update(info).update(first).digest();
}

const wrapIv = Buffer.alloc(8, 0xa6);

function wrapKey(kek: Buffer, key: Buffer): Buffer {
  const cipher = createCipheriv(`id-aes${kek.length * 8}-wrap`, kek, wrapIv);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

function unwrapKey(kek: Buffer, wrapped: Buffer): Buffer {
  const decipher = createDecipheriv(`id-aes${kek.length * 8}-wrap`, kek, wrapIv);
  return Buffer.concat([decipher.update(wrapped), decipher.final()]);
}

interface GcmData {
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
  readonly tag: Buffer;
}

/** AES-256-GCM; SEIPD version 2 derives its key, and has an empty last chunk. */
function gcm(chunked: boolean): ContentCipher {
  const nonce = randomBytes(12);
  const final = (key: Uint8Array): void => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.final();
    cipher.getAuthTag();
  };
  return {
    encrypt: (session, content): GcmData => {
      const key = chunked ? hkdf(session) : session;
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const ciphertext = cipher.update(content);
      cipher.final();
      if (chunked) final(key);
      return { nonce, ciphertext, tag: cipher.getAuthTag() };
    },
    decrypt: (session, { ciphertext, tag }: GcmData) => {
      const key = chunked ? hkdf(session) : session;
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
      decipher.setAuthTag(tag);
      decipher.update(ciphertext);
      decipher.final();
      if (chunked) final(key);
    },
  };
}

const zeroIv = Buffer.alloc(16);

/** SEIPD version 1: AES-256 in CFB mode over the content and its SHA-1 hash. */
const cfb: ContentCipher = {
  encrypt: (key, content) => {
    const hash = createHash('sha1').update(content).digest();
    const cipher = createCipheriv('aes-256-cfb', key, zeroIv);
    return [cipher.update(randomBytes(18)), cipher.update(content), cipher.update(hash)];
  },
  decrypt: (key, [prefix, ciphertext, hash]: [Buffer, Buffer, Buffer]) => {
    const decipher = createDecipheriv('aes-256-cfb', key, zeroIv);
    decipher.update(prefix);
    const content = decipher.update(ciphertext);
    const expected = createHash('sha1').update(content).digest();
    if (!expected.equals(decipher.update(hash))) throw new Error('raw hash does not fit');
  },
};
