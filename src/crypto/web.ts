/**
 * The primitives on WebCrypto, for browsers and other runtimes, and for any `Crypto` that is handed in.
 *
 * A CryptoKey is bound to one algorithm and hash, so each use of a key has its own import, kept beside the key. What
 * WebCrypto has no way to do (RSAES-PKCS1-v1_5, triple DES, OAEP with two hashes) is UNSUPPORTED: building it from
 * big-integer arithmetic would leak the key through time.
 */

import { concatBytes } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import { ecdsaDerFromFixed, fixedFromEcdsaDer } from './ecdsa-signature.ts';
import { latticeByOid, mlDsaOids, mlKemOids } from './lattice-keys.ts';
import { type KeyEncapsulation, decapsulation, encapsulation, latticeName, pkcs8OfSeed } from './lattice-web.ts';
import { type PrivateKey, parsePrivateKey } from './private-key.ts';
import type {
  CryptoFeature,
  CryptoProvider,
  GcmParameters,
  HashName,
  KeyPairKind,
  OaepParameters,
  SignatureAlgorithm,
} from './provider.ts';
import { type Curve, type PublicKey, coordinateLength, parsePublicKey } from './public-key.ts';
import { pkcs8AsPlainRsa, spkiAsPlainRsa } from './rsa-key-form.ts';
import { fitsKey } from './signature-algorithm.ts';
import { unsupported } from './unsupported.ts';

const hashNames: Readonly<Record<HashName, string>> = {
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};
const curveNames: Readonly<Record<Curve, string>> = { p256: 'P-256', p384: 'P-384', p521: 'P-521' };
const lacking: ReadonlySet<CryptoFeature> = new Set<CryptoFeature>([
  'rsa-pkcs1v15-encrypt',
  'rsa-pkcs1v15-decrypt',
  'oaep-mixed-hash',
  'triple-des',
  'aes-ocb',
]);

// The types of WebCrypto exclude shared memory, which no caller of this library passes.
function source(bytes: Uint8Array): BufferSource {
  return bytes as BufferSource;
}

type Import = RsaHashedImportParams | EcKeyImportParams | Algorithm;

/** How WebCrypto names a signature scheme: for the import, and for the operation. */
function signatureParameters(algorithm: SignatureAlgorithm, curve: Curve | undefined): [Import, Algorithm] {
  switch (algorithm.scheme) {
    case 'rsa-pkcs1v15': {
      const name = 'RSASSA-PKCS1-v1_5';
      return [{ name, hash: hashNames[algorithm.hash] }, { name }];
    }
    case 'rsa-pss': {
      const name = 'RSA-PSS';
      const operation: RsaPssParams = { name, saltLength: algorithm.saltLength };
      return [{ name, hash: hashNames[algorithm.hash] }, operation];
    }
    case 'ecdsa': {
      const name = 'ECDSA';
      const operation: EcdsaParams = { name, hash: hashNames[algorithm.hash] };
      return [{ name, namedCurve: curveNames[curve!] }, operation];
    }
    case 'ed25519':
      return [{ name: 'Ed25519' }, { name: 'Ed25519' }];
    case 'ml-dsa': {
      const name = `ML-DSA-${algorithm.parameterSet}`;
      return [{ name }, { name }];
    }
  }
}

function isLattice(key: { readonly algorithm: string }): key is { readonly algorithm: 'ml-dsa' | 'ml-kem' } {
  return key.algorithm === 'ml-dsa' || key.algorithm === 'ml-kem';
}

function agreementName(key: { readonly algorithm: string; readonly curve: Curve | undefined }): EcKeyImportParams {
  if (key.algorithm === 'ec') return { name: 'ECDH', namedCurve: curveNames[key.curve!] };
  return { name: 'X25519' } as EcKeyImportParams;
}

/**
 * The primitives of a WebCrypto implementation.
 *
 * @param crypto where they come from; the runtime's own unless given
 */
export function webCrypto(crypto: Crypto = globalThis.crypto): CryptoProvider {
  const subtle = crypto.subtle;
  const publicHandles = new WeakMap<PublicKey, Map<string, Promise<CryptoKey>>>();
  const privateHandles = new WeakMap<PrivateKey, Map<string, Promise<CryptoKey>>>();

  function cached<K extends object>(
    handles: WeakMap<K, Map<string, Promise<CryptoKey>>>,
    key: K,
    use: string,
    load: () => Promise<CryptoKey>,
  ): Promise<CryptoKey> {
    let uses = handles.get(key);
    if (uses === undefined) handles.set(key, (uses = new Map<string, Promise<CryptoKey>>()));
    let handle = uses.get(use);
    if (handle === undefined) uses.set(use, (handle = load()));
    return handle;
  }

  function publicKey(key: PublicKey, parameters: Import, usage: readonly KeyUsage[]): Promise<CryptoKey> {
    return cached(publicHandles, key, JSON.stringify(parameters), () =>
      subtle.importKey('spki', source(spkiAsPlainRsa(key)), parameters, true, usage),
    );
  }

  async function privateKey(key: PrivateKey, parameters: Import, usage: readonly KeyUsage[]): Promise<CryptoKey> {
    try {
      return await cached(privateHandles, key, JSON.stringify(parameters), () =>
        subtle.importKey(
          'pkcs8',
          source(isLattice(key) ? pkcs8OfSeed(key) : pkcs8AsPlainRsa(key)),
          parameters,
          false,
          usage,
        ),
      );
    } catch (error) {
      if (error instanceof E2eError) throw error;
      throw isUnsupported(error) ? unsupported() : new TypeError('private key cannot be imported');
    }
  }

  const methods = subtle as SubtleCrypto & KeyEncapsulation;
  const absent = new Set(lacking);
  // Runtimes brought ML-DSA and ML-KEM together.
  if (typeof methods.encapsulateBits !== 'function') absent.add('ml-kem').add('ml-dsa').add('ml-dsa-verify');

  async function encapsulate(peer: PublicKey) {
    if (absent.has('ml-kem')) throw unsupported();
    if (peer.algorithm !== 'ml-kem') return undefined;
    const algorithm = { name: latticeName(peer.oid) };
    try {
      const handle = await publicKey(peer, algorithm, encapsulation);
      const { ciphertext, sharedKey } = await methods.encapsulateBits!(algorithm, handle);
      return { ciphertext: new Uint8Array(ciphertext), secret: new Uint8Array(sharedKey) };
    } catch (error) {
      if (isUnsupported(error)) throw unsupported();
      return undefined;
    }
  }

  async function decapsulate(key: PrivateKey, ciphertext: Uint8Array): Promise<Uint8Array | undefined> {
    if (absent.has('ml-kem')) throw unsupported();
    if (key.algorithm !== 'ml-kem' || ciphertext.length !== latticeByOid.get(key.oid)!.outputLength) return undefined;
    const algorithm = { name: latticeName(key.oid) };
    const handle = await privateKey(key, algorithm, decapsulation);
    return attempt(methods.decapsulateBits!(algorithm, handle, source(ciphertext)));
  }

  async function aesKey(name: string, key: Uint8Array, usage: KeyUsage): Promise<CryptoKey> {
    try {
      return await subtle.importKey('raw', source(key), name, false, [usage]);
    } catch (error) {
      // Some browsers have no AES-192 and say so by different errors.
      if (key.length === 24 || isUnsupported(error)) throw unsupported();
      throw error;
    }
  }

  async function hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
    // WebCrypto imports no empty key; HMAC pads keys with zeros, so that one zero octet is the same key.
    const raw = key.length === 0 ? new Uint8Array(1) : key;
    const handle = await subtle.importKey('raw', source(raw), { name: 'HMAC', hash: hashNames[hash] }, false, ['sign']);
    return new Uint8Array(await subtle.sign('HMAC', handle, source(data)));
  }

  async function sign(key: PrivateKey, algorithm: SignatureAlgorithm, data: Uint8Array): Promise<Uint8Array> {
    const [parameters, operation] = signatureParameters(algorithm, key.curve);
    if (algorithm.scheme === 'ml-dsa' && absent.has('ml-dsa')) throw unsupported();
    if (!fitsKey(key, algorithm)) throw new TypeError('signature scheme does not fit the key');
    const handle = await privateKey(key, parameters, ['sign']);
    const signature = new Uint8Array(await subtle.sign(operation, handle, source(data)));
    return algorithm.scheme === 'ecdsa' ? ecdsaDerFromFixed(signature) : signature;
  }

  async function verify(
    key: PublicKey,
    algorithm: SignatureAlgorithm,
    data: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    const [parameters, operation] = signatureParameters(algorithm, key.curve);
    if (algorithm.scheme === 'ml-dsa' && absent.has('ml-dsa')) throw unsupported();
    if (!fitsKey(key, algorithm)) return false;
    const value = algorithm.scheme === 'ecdsa' ? fixedFromEcdsaDer(signature, coordinateLength(key.curve!)) : signature;
    if (value === undefined) return false;
    try {
      return await subtle.verify(operation, await publicKey(key, parameters, ['verify']), source(value), source(data));
    } catch (error) {
      if (isUnsupported(error)) throw unsupported();
      return false;
    }
  }

  function oaep({ hash, mgfHash }: OaepParameters): RsaHashedImportParams {
    if (hash !== mgfHash) throw unsupported();
    return { name: 'RSA-OAEP', hash: hashNames[hash] };
  }

  async function secretWith(key: CryptoKey, peer: PrivateKey | PublicKey, point: Uint8Array) {
    const parameters = agreementName(peer);
    const length = peer.algorithm === 'ec' ? coordinateLength(peer.curve!) : 32;
    if (peer.algorithm === 'ec' ? point[0] !== 4 || point.length !== 1 + 2 * length : point.length !== 32) {
      return undefined;
    }
    const other = await subtle.importKey('raw', source(point), parameters, true, []);
    const bits = await subtle.deriveBits({ name: parameters.name, public: other }, key, length * 8);
    const secret = new Uint8Array(bits);
    return peer.algorithm === 'x25519' && secret.every((octet) => octet === 0) ? undefined : secret;
  }

  async function agree(key: PrivateKey, point: Uint8Array): Promise<Uint8Array | undefined> {
    if (key.algorithm !== 'ec' && key.algorithm !== 'x25519') return undefined;
    const handle = await privateKey(key, agreementName(key), ['deriveBits']);
    try {
      return await secretWith(handle, key, point);
    } catch {
      return undefined;
    }
  }

  async function agreeEphemeral(peer: PublicKey) {
    if (peer.algorithm !== 'ec' && peer.algorithm !== 'x25519') return undefined;
    try {
      const pair = await subtle.generateKey(agreementName(peer), false, ['deriveBits']);
      const publicPoint = new Uint8Array(await subtle.exportKey('raw', pair.publicKey));
      const secret = await secretWith(pair.privateKey, peer, peer.subjectPublicKey);
      return secret === undefined ? undefined : { publicPoint, secret };
    } catch (error) {
      if (isUnsupported(error)) throw unsupported();
      return undefined;
    }
  }

  // A key to be wrapped has to be a CryptoKey: HMAC takes any length.
  const carrier: HmacImportParams = { name: 'HMAC', hash: 'SHA-256' };

  function gcmOperation({ nonce, additionalData, tagLength }: GcmParameters): AesGcmParams {
    const operation: AesGcmParams = { name: 'AES-GCM', iv: source(nonce), tagLength: tagLength * 8 };
    return additionalData === undefined ? operation : { ...operation, additionalData: source(additionalData) };
  }

  async function generate(kind: KeyPairKind) {
    const [parameters, usages] = generation(kind);
    if (isLattice(kind) && absent.has(kind.algorithm)) throw unsupported();
    try {
      const pair = await subtle.generateKey(parameters, true, usages);
      return {
        publicKey: parsePublicKey(new Uint8Array(await subtle.exportKey('spki', pair.publicKey))),
        privateKey: parsePrivateKey(new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey))),
      };
    } catch (error) {
      throw isUnsupported(error) ? unsupported() : error;
    }
  }

  return Object.freeze<CryptoProvider>({
    name: 'web',
    supports: (feature) => !absent.has(feature),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    async digest(hash, ...chunks) {
      const data = chunks.length === 1 ? chunks[0]! : concatBytes(...chunks);
      return new Uint8Array(await subtle.digest(hashNames[hash], source(data)));
    },
    hmac,
    async hkdf(hash, secret, salt, info, length) {
      const key = await subtle.importKey('raw', source(secret), 'HKDF', false, ['deriveBits']);
      const parameters = { name: 'HKDF', hash: hashNames[hash], salt: source(salt), info: source(info) };
      return new Uint8Array(await subtle.deriveBits(parameters, key, length * 8));
    },
    sign,
    verify,
    async encryptRsaOaep(key, parameters, data) {
      const handle = await publicKey(key, oaep(parameters), ['encrypt']);
      return new Uint8Array(await subtle.encrypt('RSA-OAEP', handle, source(data)));
    },
    async decryptRsaOaep(key, parameters, ciphertext) {
      const handle = await privateKey(key, oaep(parameters), ['decrypt']);
      return attempt(subtle.decrypt('RSA-OAEP', handle, source(ciphertext)));
    },
    encryptRsaPkcs1v15: () => {
      throw unsupported();
    },
    decryptRsaPkcs1v15: () => {
      throw unsupported();
    },
    agree,
    agreeEphemeral,
    encapsulate,
    decapsulate,
    async wrapKey(kek, key) {
      const inner = await subtle.importKey('raw', source(key), carrier, true, ['sign']);
      return new Uint8Array(await subtle.wrapKey('raw', inner, await aesKey('AES-KW', kek, 'wrapKey'), 'AES-KW'));
    },
    async unwrapKey(kek, wrapped) {
      if (wrapped.length < 24 || wrapped.length % 8 !== 0) return undefined;
      const outer = await aesKey('AES-KW', kek, 'unwrapKey');
      try {
        const key = await subtle.unwrapKey('raw', source(wrapped), outer, 'AES-KW', carrier, true, ['sign']);
        return new Uint8Array(await subtle.exportKey('raw', key));
      } catch {
        return undefined;
      }
    },
    async encryptAesGcm(parameters, plaintext) {
      const key = await aesKey('AES-GCM', parameters.key, 'encrypt');
      const whole = source(concatBytes(...plaintext));
      const sealed = new Uint8Array(await subtle.encrypt(gcmOperation(parameters), key, whole));
      const end = sealed.length - parameters.tagLength;
      return { ciphertext: [sealed.subarray(0, end)], tag: sealed.subarray(end) };
    },
    async decryptAesGcm(parameters, ciphertext, tag) {
      if (tag.length !== parameters.tagLength) return undefined;
      const key = await aesKey('AES-GCM', parameters.key, 'decrypt');
      return attempt(subtle.decrypt(gcmOperation(parameters), key, source(concatBytes(ciphertext, tag))));
    },
    encryptAesOcb: () => {
      throw unsupported();
    },
    decryptAesOcb: () => {
      throw unsupported();
    },
    async encryptAesCbc(key, iv, plaintext) {
      const handle = await aesKey('AES-CBC', key, 'encrypt');
      return new Uint8Array(await subtle.encrypt({ name: 'AES-CBC', iv: source(iv) }, handle, source(plaintext)));
    },
    async decryptAesCbc(key, iv, ciphertext) {
      const handle = await aesKey('AES-CBC', key, 'decrypt');
      return attempt(subtle.decrypt({ name: 'AES-CBC', iv: source(iv) }, handle, source(ciphertext)));
    },
    decryptTripleDesCbc: () => {
      throw unsupported();
    },
    unwrapTripleDesKey: () => {
      throw unsupported();
    },
    generateKeyPair: generate,
  });
}

function isUnsupported(error: unknown): boolean {
  return error instanceof Error && error.name === 'NotSupportedError';
}

async function attempt(operation: Promise<ArrayBuffer>): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await operation);
  } catch {
    return undefined;
  }
}

function generation(kind: KeyPairKind): [RsaHashedKeyGenParams | EcKeyGenParams, readonly KeyUsage[]] {
  switch (kind.algorithm) {
    case 'rsa': {
      const publicExponent = Uint8Array.of(1, 0, 1);
      const parameters = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: kind.bits, publicExponent };
      return [parameters, ['sign', 'verify']];
    }
    case 'ec':
      return [{ name: 'ECDSA', namedCurve: curveNames[kind.curve] }, ['sign', 'verify']];
    case 'ed25519':
      return [{ name: 'Ed25519' } as EcKeyGenParams, ['sign', 'verify']];
    case 'x25519':
      return [{ name: 'X25519' } as EcKeyGenParams, ['deriveBits']];
    case 'ml-dsa':
      return [{ name: latticeName(mlDsaOids[kind.parameterSet]) } as EcKeyGenParams, ['sign', 'verify']];
    case 'ml-kem':
      return [
        { name: latticeName(mlKemOids[kind.parameterSet]) } as EcKeyGenParams,
        [...encapsulation, ...decapsulation],
      ];
  }
}

/** The provider of this runtime, as `#crypto` chooses it. */
export const provider: CryptoProvider = webCrypto();
