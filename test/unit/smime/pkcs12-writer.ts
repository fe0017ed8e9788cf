/**
 * Writes PKCS #12 files (RFC 7292) part by part, right or wrong, under a MAC that fits: what the MAC protects can only be
 * reached that way. It shares nothing with the reader under test but the DER writer.
 */
import { createCipheriv, createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { oids } from '../../../src/asn1/oids.ts';
import { concatBytes, utf8 } from '../../../src/bytes.ts';

type Hash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

const salt = utf8('saltsalt');

/** RFC 7292 appendix B.2, by big integers. */
function derive(hash: Hash, id: number, passphrase: string, iterations: number, length: number): Uint8Array {
  const v = hash === 'sha1' || hash === 'sha256' ? 64 : 128;
  const password = concatBytes(
    ...Array.from(`${passphrase}\0`, (character) => {
      const code = character.charCodeAt(0);
      return Uint8Array.of(code >> 8, code & 0xff);
    }),
  );
  const repeat = (octets: Uint8Array): Uint8Array =>
    Uint8Array.from({ length: Math.ceil(octets.length / v) * v }, (_, i) => octets[i % octets.length]!);
  let blocks = concatBytes(repeat(salt), repeat(password));
  const out: Uint8Array[] = [];
  for (let done = 0; done < length;) {
    let a = createHash(hash).update(new Uint8Array(v).fill(id)).update(blocks).digest();
    for (let i = 1; i < iterations; i++) a = createHash(hash).update(a).digest();
    out.push(a);
    done += a.length;
    const add = BigInt(`0x${Buffer.from(repeat(a).subarray(0, v)).toString('hex')}`) + 1n;
    const changed: Uint8Array[] = [];
    for (let at = 0; at < blocks.length; at += v) {
      const sum =
        (BigInt(`0x${Buffer.from(blocks.subarray(at, at + v)).toString('hex')}`) + add) % (1n << BigInt(8 * v));
      changed.push(Buffer.from(sum.toString(16).padStart(2 * v, '0'), 'hex'));
    }
    blocks = concatBytes(...changed);
  }
  return concatBytes(...out).subarray(0, length);
}

/** An encryption of octets: the algorithm, and what comes out. */
export interface Encrypted {
  readonly algorithm: DerPart;
  readonly octets: Uint8Array;
}

/** pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 appendix C). */
export function tripleDes(octets: Uint8Array, passphrase: string, iterations = 1): Encrypted {
  const key = derive('sha1', 1, passphrase, iterations, 24);
  const cipher = createCipheriv('des-ede3-cbc', key, derive('sha1', 2, passphrase, iterations, 8));
  const parameters = derSequence(derOctetString(salt), derInteger(iterations));
  return {
    algorithm: derSequence(derOid('1.2.840.113549.1.12.1.3'), parameters),
    octets: concatBytes(cipher.update(octets), cipher.final()),
  };
}

/** PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC (RFC 8018 section 6.2). */
export function pbes2(octets: Uint8Array, passphrase: string, iterations = 1): Encrypted {
  const iv = utf8('0123456789abcdef');
  const key = pbkdf2Sync(passphrase, salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const derivation = derSequence(
    derOid('1.2.840.113549.1.5.12'),
    derSequence(derOctetString(salt), derInteger(iterations), derSequence(derOid('1.2.840.113549.2.9'), derNull)),
  );
  const scheme = derSequence(derOid(oids.aes256Cbc), derOctetString(iv));
  return {
    algorithm: derSequence(derOid('1.2.840.113549.1.5.13'), derSequence(derivation, scheme)),
    octets: concatBytes(cipher.update(octets), cipher.final()),
  };
}

/** A SafeBag. */
export function bag(type: string, value: DerPart, ...attributes: readonly DerPart[]): DerPart {
  return derSequence(
    derOid(type),
    derContext(0, value),
    ...(attributes.length === 0 ? [] : [der(0x31, ...attributes)]),
  );
}

const bags = '1.2.840.113549.1.12.10.1';

export function keyBag(pkcs8: Uint8Array): DerPart {
  return bag(`${bags}.1`, pkcs8);
}

export function shroudedKeyBag({ algorithm, octets }: Encrypted): DerPart {
  return bag(`${bags}.2`, derSequence(algorithm, derOctetString(octets)));
}

export function certificateBag(certificate: Uint8Array, type = '1.2.840.113549.1.9.22.1'): DerPart {
  return bag(`${bags}.3`, derSequence(derOid(type), derContext(0, derOctetString(certificate))));
}

export function secretBag(): DerPart {
  return bag(`${bags}.5`, derSequence(derOid('1.2.3'), derContext(0, derOctetString(utf8('secret')))));
}

export function nestedBags(...inside: readonly DerPart[]): DerPart {
  return bag(`${bags}.6`, derSequence(...inside));
}

/** A ContentInfo of the type Data. */
export function plainSafe(...inside: readonly DerPart[]): DerPart {
  return derSequence(derOid(oids.data), derContext(0, derOctetString(encodeDer(derSequence(...inside)))));
}

/** A ContentInfo of the type EncryptedData. */
export function encryptedSafe({ algorithm, octets }: Encrypted): DerPart {
  const info = derSequence(derOid(oids.data), algorithm, der(0x80, octets));
  return derSequence(derOid(oids.encryptedData), derContext(0, derSequence(derInteger(0), info)));
}

/** SafeContents to encrypt. */
export function contents(...inside: readonly DerPart[]): Uint8Array {
  return encodeDer(derSequence(...inside));
}

/**
 * A PFX.
 *
 * @param safes the octets of the AuthenticatedSafe, or its parts
 */
export function pfx(
  safes: Uint8Array | readonly DerPart[],
  passphrase: string,
  { hash = 'sha256', iterations = 1 }: { readonly hash?: Hash; readonly iterations?: number } = {},
): Uint8Array {
  const octets = safes instanceof Uint8Array ? safes : encodeDer(derSequence(...safes));
  const key = derive(hash, 3, passphrase, iterations, createHash(hash).digest().length);
  const mac = createHmac(hash, key).update(octets).digest();
  return encodeDer(
    derSequence(
      derInteger(3),
      derSequence(derOid(oids.data), derContext(0, derOctetString(octets))),
      derSequence(
        derSequence(derSequence(derOid(oids[hash]), derNull), derOctetString(new Uint8Array(mac))),
        derOctetString(salt),
        ...(iterations === 1 ? [] : [derInteger(iterations)]),
      ),
    ),
  );
}
