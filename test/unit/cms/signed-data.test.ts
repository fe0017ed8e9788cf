import { beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { timeElement } from '../../../src/asn1/time.ts';
import {
  type DerPart,
  der,
  derContext,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  encodeDer,
} from '../../../src/asn1/writer.ts';
import { concatBytes, hex, indexOfBytes } from '../../../src/bytes.ts';
import { identifies } from '../../../src/cms/certificate-identifier.ts';
import { defaultSignatureAlgorithm, signData } from '../../../src/cms/sign.ts';
import { parseSignedData, serializeCertificates } from '../../../src/cms/signed-data.ts';
import { verifySigner } from '../../../src/cms/verify.ts';
import type { SignatureAlgorithm } from '../../../src/crypto/provider.ts';
import type { PssParameters } from '../../../src/crypto/rsa-parameters.ts';
import { webCrypto } from '../../../src/crypto/web.ts';
import { defaultLimits, limitsWith } from '../../../src/limits.ts';
import {
  type KeyName,
  type Written,
  attribute,
  byIssuer,
  byKey,
  codeOf,
  content,
  contentInfo,
  crypto,
  keyPair,
  nameOf,
  signedMessage,
  strict,
  verdictOf,
} from './support.ts';

const certificate = encodeDer(derSequence(derInteger(7)));
const crl = encodeDer(derSequence(derInteger(8)));
const at = new Date('2026-06-01T12:00:00.500Z');

let base: Written;
beforeAll(async () => {
  base = { keys: await keyPair('p256'), scheme: { scheme: 'ecdsa', hash: 'sha256' }, digest: 'sha256' };
});

async function parsed(change: Partial<Written> = {}, limits = defaultLimits) {
  return parseSignedData(await signedMessage({ ...base, ...change }), limits);
}

describe('parseSignedData', () => {
  it('gives all that is there', async () => {
    const signedData = await parsed({
      eContent: derOctetString(content),
      certificates: [certificate, certificate],
      crls: [crl],
    });
    expect(signedData).toMatchObject({
      version: 1,
      digestAlgorithms: [oids.sha256],
      eContentType: oids.data,
      eContent: content,
      certificates: [certificate, certificate],
      crls: [crl],
    });
    expect(signedData.signerInfos).toHaveLength(1);
    expect(signedData.signerInfos[0]!.identifier).toEqual(byIssuer);
  });

  it('leaves out attribute certificates and other kinds (RFC 5652 section 10.2)', async () => {
    const others = [derContext(0, derInteger(1)), derContext(2, derInteger(1)), derContext(3, derOid('1.2.3'))];
    const signedData = await parsed({
      certificates: [...others, certificate],
      crls: [derContext(1, derOid('1.2.3')), crl],
    });
    expect(signedData.certificates).toEqual([certificate]);
    expect(signedData.crls).toEqual([crl]);
  });

  it('reads signers by key identifier', async () => {
    const identifier = der(0x80, Uint8Array.of(1, 2, 3, 4));
    const { signerInfos } = await parsed({ identifier, signerVersion: 3, version: 3 });
    expect(signerInfos[0]!.identifier).toEqual(byKey);
  });

  it('reports every signer that the limits let through', async () => {
    expect((await parsed({ signers: 3 }, limitsWith({ signatures: 3 }))).signerInfos).toHaveLength(3);
    expect(await codeOf(() => parsed({ signers: 2 }))).toBe('LIMIT');
    expect((await parsed({ signers: 0 })).signerInfos).toHaveLength(0);
  });

  it.each<[string, Partial<Written>]>([
    ['certificates', { certificates: Array.from({ length: 33 }, () => certificate) }],
    ['other kinds of certificates', { certificates: Array.from({ length: 33 }, () => derContext(3, certificate)) }],
    ['revocation lists', { crls: Array.from({ length: 9 }, () => crl) }],
    ['octets of one certificate', { certificates: [derSequence(derOctetString(new Uint8Array(16_384)))] }],
    ['digest algorithms', { digestAlgorithms: Array.from({ length: 65 }, () => derSequence(derOid(oids.sha256))) }],
    ['octets of an OBJECT IDENTIFIER', { eContentType: `1.2.${'9.'.repeat(70)}1` }],
  ])('keeps the limit on %s', async (_, change) => {
    expect(await codeOf(() => parsed(change))).toBe('LIMIT');
  });

  it.each<[string, Partial<Written>]>([
    ['version 0', { version: 0 }],
    ['version 2', { version: 2 }],
    ['version 6', { version: 6 }],
    ['a signer of version 2', { signerVersion: 2 }],
    ['content that is no OCTET STRING', { eContent: derSequence() }],
    [
      'content in two pieces side by side',
      { eContent: concatBytes(encodeDer(derOctetString(content)), encodeDer(derOctetString())) },
    ],
    ['a digest algorithm that is none', { digestAlgorithms: [derInteger(1)] }],
    ['a signer that is named by nothing known', { identifier: derContext(1, derInteger(1)) }],
    ['a signer without serial number', { identifier: derSequence(nameOf('x')) }],
  ])('refuses %s', async (_, change) => {
    expect(await codeOf(() => parsed(change))).toBe('MALFORMED');
  });

  it('refuses trailing octets, inside and outside', async () => {
    const message = await signedMessage(base);
    expect(await codeOf(() => parseSignedData(concatBytes(message, Uint8Array.of(0)), defaultLimits))).toBe(
      'MALFORMED',
    );
    const extra = derSequence(derOid(oids.signedData), derContext(0, derSequence()), derInteger(1));
    expect(await codeOf(() => parseSignedData(encodeDer(extra), defaultLimits))).toBe('MALFORMED');
  });

  it('refuses other content types as UNSUPPORTED', async () => {
    for (const type of [oids.data, oids.envelopedData, oids.encryptedData, oids.authData, '1.2.3']) {
      expect(await codeOf(() => parseSignedData(contentInfo(type, derSequence()), defaultLimits))).toBe('UNSUPPORTED');
    }
  });

  it('refuses every truncation', async () => {
    const message = await signedMessage({ ...base, eContent: derOctetString(content), certificates: [certificate] });
    for (let length = 0; length < message.length; length++) {
      expect(await codeOf(() => parseSignedData(message.subarray(0, length), defaultLimits))).toBe('MALFORMED');
    }
  });
});

describe('certs-only objects (RFC 8551 section 3.7)', () => {
  it('have no content and no signer', () => {
    const signedData = parseSignedData(serializeCertificates([certificate], [crl]), defaultLimits);
    expect(signedData).toEqual({
      version: 1,
      digestAlgorithms: [],
      eContentType: oids.data,
      eContent: undefined,
      certificates: [certificate],
      crls: [crl],
      signerInfos: [],
    });
  });
});

describe('signData', () => {
  const providers = { node: crypto, web: webCrypto() };
  const names: readonly KeyName[] = ['rsa', 'p256', 'p384', 'p521', 'ed25519'];

  for (const [name, provider] of Object.entries(providers)) {
    it.each(names)(`writes what verifies, with ${name} and %s`, async (kind) => {
      const keys = await keyPair(kind);
      for (const identifier of [byIssuer, byKey]) {
        for (const detached of [true, false]) {
          const message = await signData({
            content,
            detached,
            signer: { privateKey: keys.privateKey, identifier },
            certificates: [certificate],
            signingTime: at,
            crypto: provider,
          });
          const signedData = parseSignedData(message, defaultLimits);
          const signerInfo = signedData.signerInfos[0]!;
          expect(signerInfo.identifier).toEqual(identifier);
          expect(signedData.version).toBe(identifier === byKey ? 3 : 1);
          expect(signedData.certificates).toEqual([certificate]);
          expect(signedData.eContent).toEqual(detached ? undefined : content);
          const verdict = await verifySigner({
            signedData,
            signerInfo,
            content: detached ? content : undefined,
            publicKey: keys.publicKey,
            crypto: provider,
            policy: strict,
          });
          // RFC 5652 section 11.3: whole seconds.
          expect(verdict).toMatchObject({ outcome: 'good', signingTime: new Date('2026-06-01T12:00:00Z') });
        }
      }
    });
  }

  it('chooses the algorithm by the key', () => {
    const chosen = (
      algorithm: 'rsa' | 'rsa-pss' | 'ec' | 'ed25519',
      curve?: 'p256' | 'p384' | 'p521',
      pss?: PssParameters,
    ) => defaultSignatureAlgorithm({ algorithm, curve, oid: '', pss });
    expect(chosen('rsa')).toEqual({ scheme: 'rsa-pkcs1v15', hash: 'sha256' });
    expect(chosen('rsa-pss')).toEqual({ scheme: 'rsa-pss', hash: 'sha256', saltLength: 32 });
    // RFC 4055 section 3.3: what a restricted key names.
    const longer = chosen('rsa-pss', undefined, { hash: 'sha384', saltLength: 64 });
    expect(longer).toEqual({ scheme: 'rsa-pss', hash: 'sha384', saltLength: 64 });
    const shorter = chosen('rsa-pss', undefined, { hash: 'sha512', saltLength: 20 });
    expect(shorter).toEqual({ scheme: 'rsa-pss', hash: 'sha512', saltLength: 64 });
    const lattice = defaultSignatureAlgorithm({
      algorithm: 'ml-dsa',
      oid: oids.mlDsa87,
      curve: undefined,
      pss: undefined,
    });
    expect(lattice).toEqual({ scheme: 'ml-dsa', parameterSet: 87 });
    expect(chosen('ec', 'p256')).toEqual({ scheme: 'ecdsa', hash: 'sha256' });
    expect(chosen('ec', 'p384')).toEqual({ scheme: 'ecdsa', hash: 'sha384' });
    expect(chosen('ec', 'p521')).toEqual({ scheme: 'ecdsa', hash: 'sha512' });
    expect(chosen('ed25519')).toEqual({ scheme: 'ed25519' });
    expect(() => defaultSignatureAlgorithm({ algorithm: 'x25519', oid: '', curve: undefined, pss: undefined })).toThrow(
      TypeError,
    );
  });

  it('writes DER: SHA digests without parameters, RSA with NULL, and protects its algorithms', async () => {
    const keys = await keyPair('rsa');
    const message = await signData({
      content,
      detached: true,
      signer: { privateKey: keys.privateKey, identifier: byIssuer },
      crypto,
    });
    const sha256 = '300b0609608648016503040201';
    const octets = hex(message);
    // digestAlgorithms, SignerInfo, CMSAlgorithmProtection.
    expect(octets.split(sha256)).toHaveLength(4);
    expect(octets).toContain('300d06092a864886f70d0101010500');
    expect(octets).toContain(hex(encodeDer(derOid(oids.cmsAlgorithmProtect))));
    expect(indexOfBytes(message, content)).toBe(-1);
  });

  it.each<SignatureAlgorithm>([
    { scheme: 'rsa-pss', hash: 'sha512', saltLength: 64 },
    { scheme: 'rsa-pkcs1v15', hash: 'sha384' },
  ])('takes another algorithm: %j', async (algorithm) => {
    const keys = await keyPair('rsa');
    const signer = { privateKey: keys.privateKey, identifier: byIssuer, algorithm };
    const message = await signData({ content, detached: true, signer, crypto });
    expect(await verdictOf(message, keys.publicKey, { detached: content })).toMatchObject({ outcome: 'good' });
  });

  it('takes a key that is elsewhere, with an algorithm', async () => {
    const keys = await keyPair('p256');
    const algorithm: SignatureAlgorithm = { scheme: 'ecdsa', hash: 'sha256' };
    const asked: SignatureAlgorithm[] = [];
    const privateKey = (data: Uint8Array, wanted: SignatureAlgorithm) => {
      asked.push(wanted);
      return Promise.resolve(crypto.sign(keys.privateKey, wanted, data));
    };
    const signer = { privateKey, identifier: byIssuer, algorithm };
    const message = await signData({ content, detached: true, signer, crypto });
    expect(asked).toEqual([algorithm]);
    expect((await verdictOf(message, keys.publicKey, { detached: content })).outcome).toBe('good');
    expect(() => signData({ content, detached: true, signer: { privateKey, identifier: byIssuer }, crypto })).toThrow(
      TypeError,
    );
  });

  it('signs further attributes', async () => {
    const keys = await keyPair('p256');
    const further: DerPart = attribute('1.2.3.4', timeElement(at));
    const message = await signData({
      content,
      detached: true,
      signer: { privateKey: keys.privateKey, identifier: byIssuer },
      signedAttributes: [further],
      crypto,
    });
    expect(indexOfBytes(message, encodeDer(further))).toBeGreaterThan(0);
    expect((await verdictOf(message, keys.publicKey, { detached: content })).outcome).toBe('good');
  });
});

describe('identifies', () => {
  const issuer = { raw: nameOf('Capulet CA') };
  const serial = Uint8Array.of(0x17);
  it('compares issuer and serial number, or the key identifier of the extension', () => {
    const subjectKeyId = Uint8Array.of(1, 2, 3, 4);
    expect(identifies(byIssuer, { issuer, serial, subjectKeyId: undefined })).toBe(true);
    expect(identifies(byIssuer, { issuer, serial: Uint8Array.of(0x18), subjectKeyId })).toBe(false);
    expect(identifies(byIssuer, { issuer: { raw: nameOf('Montague CA') }, serial, subjectKeyId })).toBe(false);
    expect(identifies(byKey, { issuer, serial, subjectKeyId })).toBe(true);
    expect(identifies(byKey, { issuer, serial, subjectKeyId: subjectKeyId.subarray(1) })).toBe(false);
    expect(identifies(byKey, { issuer, serial, subjectKeyId: undefined })).toBe(false);
  });
});
