import { fromBER } from 'asn1js';
import { Certificate as PkiCertificate, CertificateRevocationList as PkiCrl } from 'pkijs';
import { X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { limitsWith } from '../../../src/limits.ts';
import { fingerprintOf, parseCertificate } from '../../../src/x509/certificate.ts';
import { keyUsages } from '../../../src/x509/certificate-extensions.ts';
import { keyLabel } from '../../../src/x509/signature.ts';
import { corpusPath, hasCorpus } from '../../shared-data.ts';
import { certificatesOf, crypto, daysFromNow, defaultLimits, issue, issueCrl } from './support.ts';

const sets = ['openssl-cms/verify', 'openssl-cms/smime-certs', 'rfc-personas', 'xmppaddr-certs'];

describe.skipIf(!hasCorpus('openssl-cms/'))('certificates of others, beside two other readers', () => {
  for (const set of sets) {
    it(`${set}: serial, names, validity, key usage, fingerprint`, async () => {
      let compared = 0;
      for (const file of hasCorpus(set) ? readdirSync(corpusPath(set)) : []) {
        if (!file.endsWith('.pem')) continue;
        let certificates: ReturnType<typeof certificatesOf>;
        try {
          certificates = certificatesOf(`${set}/${file}`);
        } catch (error) {
          expect(error, file).toBeInstanceOf(E2eError);
          continue;
        }
        for (const certificate of certificates) {
          const node = new X509Certificate(certificate.der);
          const pki = new PkiCertificate({ schema: fromBER(certificate.der.slice().buffer).result });
          const serial = hex(certificate.serial).replace(/^00(?=.)/, '');
          // A negative serial number, which some CAs have issued, is printed with a sign there.
          if (certificate.serial[0]! < 0x80) expect(serial, file).toBe(node.serialNumber.toLowerCase());
          expect(certificate.notBefore, file).toEqual(pki.notBefore.value);
          expect(certificate.notAfter, file).toEqual(pki.notAfter.value);
          expect(await fingerprintOf(certificate, crypto)).toBe(node.fingerprint256.replaceAll(':', '').toLowerCase());
          expect(certificate.basicConstraints?.ca ?? certificate.version === 1, file).toBe(
            node.ca || certificate.version === 1,
          );
          expect(Buffer.from(certificate.tbs)).toEqual(Buffer.from(pki.tbsView));
          expect(certificate.extensions.size, file).toBe(pki.extensions?.length ?? 0);
          for (const usage of certificate.keyUsage ?? []) expect(keyUsages).toContain(usage);
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(0);
    });
  }
});

describe('parseCertificate', () => {
  it('gives the same object for the same octets, and never one for other octets', async () => {
    const { certificate } = await issue({ subject: 'juliet' });
    expect(parseCertificate(certificate.der.slice(), defaultLimits)).toBe(certificate);
    const changed = certificate.der.slice();
    changed[changed.length - 1]! ^= 1;
    expect(parseCertificate(changed, defaultLimits)).not.toBe(certificate);
  });

  it('keeps the octets of its own', async () => {
    const { certificate } = await issue({ subject: 'juliet' });
    const octets = certificate.der.slice();
    octets[octets.length - 1]! ^= 1;
    const parsed = parseCertificate(octets, defaultLimits);
    octets.fill(0);
    expect(parsed.der[0]).toBe(0x30);
  });

  it('keeps within the limit of octets', async () => {
    const { certificate } = await issue({ subject: 'juliet' });
    const { length } = certificate.der;
    expect(parseCertificate(certificate.der, limitsWith({ certificateBytes: length }))).toBe(certificate);
    expect(() => parseCertificate(certificate.der, limitsWith({ certificateBytes: length - 1 }))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }),
    );
  });

  it('applies stricter limits to what it remembers', async () => {
    const { certificate } = await issue({ subject: 'juliet' });
    expect(() => parseCertificate(certificate.der, limitsWith({ asn1Depth: 3 }))).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_LIMIT' }),
    );
  });

  it('names keys', async () => {
    expect(keyLabel((await crypto.generateKeyPair({ algorithm: 'ed25519' })).publicKey)).toBe('ed25519');
    expect(keyLabel((await crypto.generateKeyPair({ algorithm: 'ec', curve: 'p384' })).publicKey)).toBe('p384');
    expect(keyLabel((await crypto.generateKeyPair({ algorithm: 'rsa', bits: 2048 })).publicKey)).toBe('rsa2048');
  });

  it('prints names for people, without control characters', async () => {
    const { certificate } = await issue({ subject: 'a,b\u202ec\u0007' });
    expect(certificate.subject.text).toBe('CN=a\\,b\\u{202e}c\\u{7}');
  });
});

describe('parseCrl', () => {
  it('agrees with another reader', async () => {
    const issuer = await issue({ subject: 'CA', ca: true });
    const list = await issueCrl({
      issuer,
      number: 300,
      revoked: [
        { serial: Uint8Array.of(5), reason: 1, invalidityDate: daysFromNow(-3) },
        { serial: Uint8Array.of(0, 0xff) },
      ],
    });
    const other = new PkiCrl({ schema: fromBER(list.der.slice().buffer).result });
    expect(other.thisUpdate.value).toEqual(list.thisUpdate);
    expect(other.nextUpdate?.value).toEqual(list.nextUpdate);
    expect(other.revokedCertificates).toHaveLength(2);
    expect(list.entry(issuer.certificate.subject.key, Uint8Array.of(5))).toMatchObject({
      reason: 1,
      invalidityDate: daysFromNow(-3),
    });
    expect(list.entry(issuer.certificate.subject.key, Uint8Array.of(0, 0xff))?.reason).toBe(0);
    expect(list.entry(issuer.certificate.subject.key, Uint8Array.of(6))).toBeUndefined();
    expect(list.entry('other', Uint8Array.of(5))).toBeUndefined();
    expect(hex(list.number!)).toBe('012c');
  });
});
