/** Certificates as they are sent to who asks for them (RFC 3923 section 6.2), read by openssl and gpg. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/index.ts';
import { parseEntity } from '../../src/mime/entity.ts';
import { decodeBody } from '../../src/mime/transfer-encoding.ts';
import { juliet, people } from '../people.ts';
import { hasProgram } from '../shared-data.ts';

const at = new Date('2026-11-22T12:00:00Z');

async function exported(name: 'smime' | 'openpgp') {
  const { juliet: her } = await people(name);
  const entity = parseEntity(await her.backend.exportCertificates!(her.jid, at), {
    limits: defaultLimits,
    stage: 'parse',
  });
  const [candidate] = await her.backend.importCertificates(entity, defaultLimits);
  return { entity, body: decodeBody(entity, 'parse'), summary: candidate!.summary };
}

describe('exported certificates', () => {
  it.skipIf(!hasProgram('openssl', 'version'))('of S/MIME are certs-only for openssl', async () => {
    const { entity, body, summary } = await exported('smime');
    expect(entity.contentType?.type).toBe('application/pkcs7-mime');
    expect(entity.contentType?.parameters.get('smime-type')).toBe('certs-only');
    const pem = execFileSync('openssl', ['pkcs7', '-inform', 'DER', '-print_certs'], { input: body });
    const text = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256', '-ext', 'subjectAltName'], {
      input: pem,
      encoding: 'utf8',
    });
    expect(text.replaceAll(':', '').toLowerCase()).toContain(summary.fingerprint);
    expect(text).toContain(`URI:im:${juliet}`);
  });

  it.skipIf(!hasProgram('gpg'))('of OpenPGP are public keys for gpg', async () => {
    const { entity, body, summary } = await exported('openpgp');
    expect(entity.contentType?.type).toBe('application/pgp-keys');
    const home = mkdtempSync(join(tmpdir(), 'xmpp-e2e-gpg-'));
    try {
      const arguments_ = ['--homedir', home, '--batch', '--with-colons', '--import-options', 'show-only', '--import'];
      const { stdout } = spawnSync('gpg', arguments_, { input: body, encoding: 'utf8' });
      expect(stdout.toLowerCase()).toContain(summary.fingerprint);
      expect(stdout).toContain(`xmpp\\x3a${juliet}`);
      expect(stdout).toMatch(/^pub:/m);
      expect(stdout).not.toMatch(/^sec:/m);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
