/** Keys on cards and in agents: node:crypto plays the card, the backend has the certificate only. */
import {
  constants,
  createECDH,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type JsonWebKey,
  privateDecrypt,
  sign,
} from 'node:crypto';
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openEntity, openpgp } from '../../../src/backends/openpgp/index.ts';
import type { ExternalPrivateKey, SecurityBackend } from '../../../src/backends/backend.ts';
import { E2eError } from '../../../src/errors.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import {
  at,
  backendOf,
  content,
  entity,
  expectOutcome,
  juliet,
  open,
  person,
  type Person,
  refusal,
  romeo,
  seal,
} from './scene.ts';

const j = await person(juliet);

type Octets = Readonly<Record<string, Uint8Array>>;
const base64url = (octets: Uint8Array): string => Buffer.from(octets).toString('base64url');
const padded = (octets: Uint8Array, length: number): Buffer =>
  Buffer.concat([Buffer.alloc(length - octets.length), octets]);

/** A card with the key of a person, made from the numbers in the packets. */
function cardOf({ key }: Person): ExternalPrivateKey {
  const packets = [key.keyPacket, ...key.subkeys.map(({ keyPacket }) => keyPacket)] as unknown as readonly {
    readonly publicParams: Octets;
    readonly privateParams: Octets;
    getAlgorithmInfo(): { algorithm: string; curve?: string };
  }[];
  const signer = packets[0]!;
  const decrypter = packets[1]!;
  return {
    sign(data, hash, scheme) {
      const algorithm = scheme === 'ed25519' ? null : hash;
      return Promise.resolve(
        Uint8Array.from(sign(algorithm, data, createPrivateKey({ format: 'jwk', key: jwkOf(signer) }))),
      );
    },
    agree(point) {
      const { curve, algorithm } = decrypter.getAlgorithmInfo();
      const { privateParams, publicParams } = decrypter;
      if (curve === 'nistP256' || curve === 'nistP384' || curve === 'nistP521') {
        const ecdh = createECDH({ nistP256: 'prime256v1', nistP384: 'secp384r1', nistP521: 'secp521r1' }[curve]);
        ecdh.setPrivateKey(privateParams['d']!);
        return Promise.resolve(Uint8Array.from(ecdh.computeSecret(point)));
      }
      const legacy = algorithm === 'ecdh';
      const d = legacy ? padded(privateParams['d']!, 32).reverse() : privateParams['k']!;
      const x = legacy ? publicParams['Q']!.subarray(1) : publicParams['A']!;
      const okp = { kty: 'OKP', crv: 'X25519' };
      return Promise.resolve(
        Uint8Array.from(
          diffieHellman({
            privateKey: createPrivateKey({ format: 'jwk', key: { ...okp, d: base64url(d), x: base64url(x) } }),
            publicKey: createPublicKey({ format: 'jwk', key: { ...okp, x: base64url(point) } }),
          }),
        ),
      );
    },
    decryptKey(encrypted, scheme) {
      expect(scheme).toBe('rsa-pkcs1v15');
      const handle = createPrivateKey({ format: 'jwk', key: jwkOf(decrypter) });
      const block = privateDecrypt({ key: handle, padding: constants.RSA_NO_PADDING }, encrypted);
      const end = block.indexOf(0, 2);
      if (block[0] !== 0 || block[1] !== 2 || end < 10) return Promise.reject(new Error('padding'));
      return Promise.resolve(Uint8Array.from(block.subarray(end + 1)));
    },
  };
}

function jwkOf(packet: {
  publicParams: Octets;
  privateParams: Octets;
  getAlgorithmInfo(): { algorithm: string; curve?: string };
}): JsonWebKey {
  const { publicParams, privateParams } = packet;
  const { algorithm, curve } = packet.getAlgorithmInfo();
  if (algorithm.startsWith('rsa')) {
    const { d, p, q, u } = privateParams;
    const number = (octets: Uint8Array): bigint => BigInt(`0x${Buffer.from(octets).toString('hex')}`);
    const exponent = (prime: Uint8Array): string => {
      const text = (number(d!) % (number(prime) - 1n)).toString(16);
      return Buffer.from(text.padStart(text.length + (text.length % 2), '0'), 'hex').toString('base64url');
    };
    return {
      kty: 'RSA',
      n: base64url(publicParams['n']!),
      e: base64url(publicParams['e']!),
      d: base64url(d!),
      p: base64url(q!),
      q: base64url(p!),
      dp: exponent(q!),
      dq: exponent(p!),
      qi: base64url(u!),
    };
  }
  if (algorithm === 'ecdsa') {
    const { Q } = publicParams;
    const size = (Q!.length - 1) / 2;
    return {
      kty: 'EC',
      crv: { nistP256: 'P-256', nistP384: 'P-384', nistP521: 'P-521' }[curve!]!,
      x: base64url(Q!.subarray(1, 1 + size)),
      y: base64url(Q!.subarray(1 + size)),
      d: base64url(padded(privateParams['d']!, size)),
    };
  }
  const seed = padded(privateParams['seed']!, 32);
  const x = algorithm === 'eddsaLegacy' ? publicParams['Q']!.subarray(1) : publicParams['A']!;
  return { kty: 'OKP', crv: 'Ed25519', d: base64url(seed), x: base64url(x) };
}

/** A backend whose own key is outside. */
function outside(
  who: Person,
  keys: ExternalPrivateKey,
  others: readonly Person[],
  certificates = who.certificate,
): SecurityBackend {
  const store = memoryStore();
  store.addIdentity(who.jid, 'openpgp', { keys, certificates });
  for (const other of others) store.fileCertificate(other.jid, 'openpgp', other.certificate);
  return openpgp({ store });
}

const kinds = [
  ['rsa2048', {}],
  ['p256', {}],
  ['ed25519', {}],
  ['ed25519', { v6: true }],
] as const;

describe.each(kinds)('%s %j', (algorithm, options) => {
  const made = person(romeo, algorithm === 'rsa2048' ? 'rsa3072' : algorithm, options);

  it('signs, and signs and encrypts, what any reader takes', async () => {
    const r = await made;
    const his = outside(r, cardOf(r), [j]);
    for (const protection of ['sign', 'sign+encrypt'] as const) {
      const sealed = await seal(his, protection, { signer: romeo, recipients: [juliet] });
      const { identities } = expectOutcome(
        await open(backendOf(j, [r]), sealed, { me: juliet, sender: romeo }),
        'good',
      );
      expect(identities).toMatchObject([{ source: 'user-id' }]);
    }
    // openpgp.js verifies the detached signature too.
    const signed = await seal(his, 'sign', { signer: romeo, recipients: [] });
    const text = new TextDecoder().decode(signed);
    const boundary = /boundary="?([^";\r\n]+)/.exec(text)![1]!;
    const part = text.split(`--${boundary}`)[1]!.slice(2, -2);
    const { signatures } = await library.verify({
      message: await library.createMessage({ binary: new TextEncoder().encode(part) }),
      signature: await library.readSignature({
        armoredSignature: text.slice(text.indexOf('-----BEGIN'), text.indexOf('-----END') + 40),
      }),
      verificationKeys: r.key.toPublic(),
      date: at,
    });
    await expect(signatures[0]!.verified).resolves.toBe(true);
  });

  it('decrypts, hidden recipients too', async () => {
    const r = await made;
    const his = outside(r, cardOf(r), [j]);
    for (const hidden of [false, true]) {
      const sealed = await seal(backendOf(j, [r]), 'sign+encrypt', { hidden });
      const opened = await open(his, sealed);
      expect(Buffer.from(opened.content)).toEqual(Buffer.from(content));
      expectOutcome(opened, 'good');
    }
    const sealed = await seal(backendOf(j, [r]), 'sign+encrypt');
    const identity = { keys: cardOf(r), certificates: r.certificate };
    const { signatures } = await openEntity(entity(sealed), { at, keys: [identity], certificates: [j.certificate] });
    expect(signatures).toHaveLength(1);
  });

  it('knows its certificate, and is encrypted to', async () => {
    const r = await made;
    const his = outside(r, cardOf(r), [j]);
    expect(await his.certificates(romeo)).toMatchObject([{ fingerprint: r.key.getFingerprint() }]);
    expect(await his.canSealTo(romeo, at)).toBe(true);
  });

  it('that refuses is unavailable for signing, and one error for decrypting', async () => {
    const r = await made;
    const broken: readonly ExternalPrivateKey[] = [
      {
        sign: () => Promise.reject(new Error('PIN')),
        agree: () => Promise.reject(new Error('PIN')),
        decryptKey: () => Promise.reject(new Error('PIN')),
      },
      {
        sign: () => Promise.resolve(new Uint8Array(3)),
        agree: () => Promise.resolve(new Uint8Array(3)),
        decryptKey: () => Promise.resolve(new Uint8Array(0)),
      },
      {
        sign: () => {
          throw new TypeError('gone');
        },
        agree: () => {
          throw new TypeError('gone');
        },
        decryptKey: () => {
          throw new TypeError('gone');
        },
      },
    ];
    const sealed = await seal(backendOf(j, [r]), 'sign+encrypt');
    for (const card of broken) {
      const his = outside(r, card, [j]);
      const error = await refusal(
        seal(his, 'sign', { signer: romeo, recipients: [juliet] }),
        'ERR_E2E_KEY_UNAVAILABLE',
        'sign',
      );
      expect(error.reason).toBe('the key service did not sign');
      await refusal(open(his, sealed), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
    }
    const locked = new E2eError('ERR_E2E_KEY_UNAVAILABLE', 'decrypt', { reason: 'locked' });
    const says = (): Promise<never> => Promise.reject(locked);
    await expect(open(outside(r, { agree: says, decryptKey: says }, [j]), sealed)).rejects.toBe(locked);
  });

  it('without an operation has no key for it', async () => {
    const r = await made;
    const his = outside(r, {}, [j]);
    await refusal(seal(his, 'sign', { signer: romeo, recipients: [juliet] }), 'ERR_E2E_NO_SIGNING_KEY', 'sign');
    const sealed = await seal(backendOf(j, [r]), 'sign+encrypt');
    await refusal(open(his, sealed), 'ERR_E2E_NO_DECRYPTION_KEY', 'decrypt');
  });
});

describe('the certificate of an external key', () => {
  it('is read again when it changes, and must be readable', async () => {
    const r = await person(romeo);
    const card = cardOf(r);
    const sealed = await seal(backendOf(j, [r]), 'sign+encrypt');
    await refusal(open(outside(r, card, [j], Uint8Array.of(1, 2, 3)), sealed), 'ERR_E2E_KEY_UNAVAILABLE', 'decrypt');
    expectOutcome(await open(outside(r, card, [j]), sealed), 'good');
  });

  it('of another does not decrypt', async () => {
    const r = await person(romeo);
    const sealed = await seal(backendOf(j, [r]), 'sign+encrypt');
    const other = await person(romeo);
    await refusal(open(outside(other, cardOf(r), [j]), sealed), 'ERR_E2E_NO_DECRYPTION_KEY', 'decrypt');
    await refusal(open(outside(r, cardOf(other), [j]), sealed), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
  });
});
