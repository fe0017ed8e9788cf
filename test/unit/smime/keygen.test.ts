import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { fromBER } from 'asn1js';
import { CertificationRequest, Certificate as PkiCertificate } from 'pkijs';
import { describe, expect, it } from 'vitest';
import { namedIdentities } from '../../../src/backends/smime/certificate-identity.ts';
import { generateIdentity, type IdentityAlgorithm } from '../../../src/backends/smime/keygen.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { hasProgram } from '../../shared-data.ts';
import { parseCertificate } from '../../../src/x509/certificate.ts';
import { defaultLimits } from '../../../src/limits.ts';

const at = new Date('2026-05-01T12:00:00.500Z');

describe('generateIdentity', () => {
  const algorithms: readonly IdentityAlgorithm[] = [
    ...(['ed25519', 'p256', 'p384', 'rsa2048'] as const),
    ...(nodeCrypto.supports('ml-kem') ? (['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'] as const) : []),
  ];

  it.each(algorithms)('%s: certificates that name the JID by RFC 3923 section 6.3', async (algorithm) => {
    const { keysPem, certificatesPem } = await generateIdentity({
      jid: 'juliet@capulet.example/balcony',
      algorithm,
      days: 10,
      at,
    });
    const certificates = parsePem(certificatesPem).map(({ der }) => parseCertificate(der, defaultLimits));
    expect(certificates).toHaveLength(algorithm === 'ed25519' || algorithm.startsWith('ml-') ? 2 : 1);
    expect(parsePem(keysPem)).toHaveLength(certificates.length);
    for (const certificate of certificates) {
      expect(namedIdentities(certificate).map(({ jid, source }) => `${source} ${jid.toString()}`)).toEqual([
        'im juliet@capulet.example',
        'pres juliet@capulet.example',
        'xmpp-addr juliet@capulet.example',
      ]);
      expect(certificate.notBefore.toISOString()).toBe('2026-05-01T12:00:00.000Z');
      expect(certificate.notAfter.toISOString()).toBe('2026-05-11T12:00:00.000Z');
      expect(certificate.basicConstraints).toEqual({ ca: false, pathLength: undefined });
      expect(certificate.extendedKeyUsage).toEqual(['1.3.6.1.5.5.7.3.4']);
      // Independent readers see the same.
      const other = new X509Certificate(certificate.der);
      expect(other.subjectAltName).toContain('URI:im:juliet@capulet.example, URI:pres:juliet@capulet.example');
      expect(other.ca).toBe(false);
      expect(new PkiCertificate({ schema: fromBER(certificate.der.slice().buffer).result }).version).toBe(2);
    }
    const [signing] = certificates;
    expect(new X509Certificate(signing!.der).verify(new X509Certificate(signing!.der).publicKey)).toBe(true);
  });

  it('asks for a certificate with a request that others accept', async () => {
    const { requestsPem } = await generateIdentity({ jid: 'juliet@capulet.example', algorithm: 'p256', at });
    const request = new CertificationRequest({ schema: fromBER(parsePem(requestsPem)[0]!.der.slice().buffer).result });
    expect(await request.verify()).toBe(true);
    if (!hasProgram('openssl', 'version')) return;
    const shown = spawnSync('openssl', ['req', '-noout', '-verify', '-text'], { input: requestsPem });
    expect(shown.stderr.toString()).toContain('verify OK');
    expect(shown.stdout.toString()).toContain('URI:im:juliet@capulet.example');
  });

  it('writes names outside ASCII percent-encoded in URIs and as they are in xmppAddr', async () => {
    const { certificatesPem } = await generateIdentity({ jid: 'jiří@čechy.example', algorithm: 'p256', at });
    const certificate = parseCertificate(parsePem(certificatesPem)[0]!.der, defaultLimits);
    expect(namedIdentities(certificate).map(({ jid }) => jid.local)).toEqual(['jiří', 'jiří', 'jiří']);
  });

  it('names a domain by its address alone', async () => {
    const { certificatesPem } = await generateIdentity({ jid: 'capulet.example', algorithm: 'p256', at });
    const certificate = parseCertificate(parsePem(certificatesPem)[0]!.der, defaultLimits);
    expect(namedIdentities(certificate).map(({ source }) => source)).toEqual(['xmpp-addr']);
  });

  it('refuses wrong arguments', async () => {
    await expect(generateIdentity({ jid: 'a@b', days: 0 })).rejects.toThrow(RangeError);
    await expect(generateIdentity({ jid: 'a@b', at: new Date(NaN) })).rejects.toThrow(RangeError);
    await expect(generateIdentity({ jid: 'a@b', algorithm: 'rsa1024' as never })).rejects.toThrow(TypeError);
    await expect(generateIdentity({ jid: 'a@b', colour: 1 } as never)).rejects.toThrow(TypeError);
  });
});
