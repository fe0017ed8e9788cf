/**
 * Seeded mutations of sealed objects and certificates: whatever comes in, there is a verdict or one E2eError, and a
 * good verdict only over the very octets that were sealed.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { openEntity } from '../../../src/backends/openpgp/index.ts';
import { readOneArmor, writeArmor } from '../../../src/backends/openpgp/armor.ts';
import { readPackets, writePacket } from '../../../src/backends/openpgp/packets.ts';
import type { SecurityBackend } from '../../../src/backends/backend.ts';
import { equalBytes } from '../../../src/bytes.ts';
import { E2eError } from '../../../src/errors.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { bareEntity, type Entity } from '../../../src/mime/entity.ts';
import { parseMultipart } from '../../../src/mime/multipart.ts';
import { runs } from '../../shared-data.ts';
import { mutate, random } from './mutate.ts';
import {
  backendOf,
  call,
  content,
  entity as entityOf,
  juliet as julietJid,
  at as noon,
  type Person,
  person,
  romeo as romeoJid,
} from './scene.ts';

describe('mutations', () => {
  let juliet: Person;
  let romeo: Person;
  let rsa: Person;
  let his: SecurityBackend;
  const stages = new Map<string, number>();
  let delivered = 0;

  beforeAll(async () => {
    juliet = await person(julietJid);
    romeo = await person(romeoJid);
    rsa = await person(romeoJid, 'rsa2048');
    his = backendOf(romeo, [juliet]);
  });

  const options = { includeCertificate: false, hidden: false, profile: 'modern' } as const;
  const sealing = () => ({ ...call(), ...options, content, signer: julietJid, recipients: [romeoJid] });

  /** Runs one attempt; anything thrown that is no E2eError fails the test with its own words. */
  async function attempt(open: () => Promise<readonly string[] | undefined>, secretUsed = false): Promise<void> {
    try {
      const outcomes = await open();
      delivered++;
      if (outcomes?.includes('good') === true) stages.set('good', (stages.get('good') ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
      const key = `${error.stage} ${error.code}`;
      stages.set(key, (stages.get(key) ?? 0) + 1);
      if (secretUsed && error.code === 'ERR_E2E_DECRYPTION_FAILED') expect(error.reason).toBeUndefined();
    }
  }

  async function openWith(backend: SecurityBackend, entity: Entity): Promise<readonly string[] | undefined> {
    const request = { ...call(), entity, me: romeoJid, sender: julietJid };
    const kind = backend.recognize(entity);
    if (kind !== undefined) {
      await backend.inspect(entity, defaultLimits).catch((error: unknown) => {
        if (!(error instanceof E2eError)) throw error;
      });
    }
    if (kind === 'signed') {
      const verified = await backend.verify(request);
      for (const { outcome } of verified.signatures) {
        if (outcome === 'good') expect(equalBytes(verified.content, content)).toBe(true);
      }
      return verified.signatures.map(({ outcome }) => outcome);
    }
    const opened = await backend.decrypt(request);
    for (const { outcome } of opened.signatures ?? []) {
      if (outcome === 'good') expect(equalBytes(opened.content, content)).toBe(true);
    }
    return opened.signatures?.map(({ outcome }) => outcome);
  }

  it('of MIME text, bare messages, detached signatures and certificates', { timeout: 1_800_000 }, async () => {
    const sealed = await backendOf(juliet, [romeo]).signAndEncrypt!(sealing());
    const forRsa = await backendOf(juliet, [rsa]).signAndEncrypt!(sealing());
    const rsaBackend = backendOf(rsa, [juliet]);
    const signed = await backendOf(juliet, [romeo]).sign(sealing());
    const message = binaryOf(sealed, 'MESSAGE');
    const rsaMessage = binaryOf(forRsa, 'MESSAGE');
    const signature = binaryOf(signed, 'SIGNATURE');
    const certificate = readOneArmor(juliet.certificate, 'PUBLIC KEY BLOCK', 'parse');
    const total = runs(100_000);
    const next = random(0x2026);
    for (let i = 0; i < total; i++) {
      switch (i % 7) {
        case 0:
          await attempt(() => openWith(his, entityOf(mutate(sealed, next))));
          break;
        case 1:
          await attempt(() => openWith(his, entityOf(mutate(signed, next))));
          break;
        case 2:
          await attempt(() => openWith(his, bareEntity(mutate(message, next, [0, dataOf(message)]))), true);
          break;
        case 3:
          await attempt(
            () => openWith(rsaBackend, bareEntity(mutate(rsaMessage, next, [0, dataOf(rsaMessage)]))),
            true,
          );
          break;
        case 4: {
          const armored = Buffer.from(writeArmor('SIGNATURE', mutate(signature, next), false)).toString('latin1');
          const whole = Buffer.from(signed).toString('latin1');
          const at = whole.indexOf('-----BEGIN PGP SIGNATURE');
          const end = whole.indexOf('-----END PGP SIGNATURE-----') + '-----END PGP SIGNATURE-----\r\n'.length;
          const mutant = Buffer.from(whole.slice(0, at) + armored + whole.slice(end), 'latin1');
          await attempt(() => openWith(his, entityOf(new Uint8Array(mutant))));
          break;
        }
        case 5:
          await attempt(async () => {
            const mutant = mutate(certificate, next);
            const found = await his.importCertificates(bareEntity(mutant), defaultLimits);
            // The packets of the key itself carry the fingerprint: another one is another key.
            return found.map(({ summary }) => summary.fingerprint);
          });
          break;
        default: {
          const mutant = mutate(certificate, next);
          await attempt(async () => {
            const options = { at: noon, certificates: [mutant] };
            const opened = await openEntity(signed, options);
            expect(equalBytes(opened.content, content)).toBe(true);
            expect(opened.signatures[0]!.fingerprint).toBe(juliet.fingerprint);
            return ['good'];
          });
        }
      }
    }
    const refused = total - delivered;
    console.info(`of ${total} mutants ${refused} refused:`, Object.fromEntries([...stages].sort()));
    expect(refused).toBeGreaterThan(total / 4);
    // Every stage is reached: shapes, session keys and content, signatures and certificates.
    const reached = [...stages.keys()];
    for (const expected of [
      'unwrap ERR_E2E_MALFORMED',
      'decrypt ERR_E2E_MALFORMED',
      'decrypt ERR_E2E_NO_DECRYPTION_KEY',
      'decrypt ERR_E2E_DECRYPTION_FAILED',
      'decrypt ERR_E2E_UNSUPPORTED',
      'verify ERR_E2E_MALFORMED',
      'verify ERR_E2E_SIGNER_UNKNOWN',
      'parse ERR_E2E_MALFORMED',
      'good',
    ]) {
      expect(reached).toContain(expected);
    }
  });
});

/** The binary object in the second part of a PGP/MIME entity. */
function binaryOf(entity: Uint8Array, type: 'MESSAGE' | 'SIGNATURE'): Uint8Array {
  const parts = parseMultipart(entityOf(entity), { limits: defaultLimits, parts: 2 });
  return readOneArmor(entityOf(parts[1]!).body, type, 'unwrap');
}

/** Where the encrypted data packet starts. */
function dataOf(message: Uint8Array): number {
  const { tag, body } = readPackets(message, { stage: 'decrypt', maxPackets: 8 }).at(-1)!;
  return message.length - writePacket(tag, body).length;
}
