/** RSA session keys where the runtime has no RSAES-PKCS1-v1_5, as in browsers: the library's constant-time way. */
import { describe, expect, it, vi } from 'vitest';

vi.mock('#crypto', async () => import('../../../src/crypto/web.ts'));

const { nativeRsa } = await import('../../../src/backends/openpgp/rsa.ts');
const { encryptPackets, inlineSigned, seipdV1, sessionKeys } = await import('./forge.ts');
const { backendOf, bare, content, expectOutcome, juliet, open, person, refusal, romeo, seal } =
  await import('./scene.ts');

describe('without native RSA', () => {
  it('opens what was encrypted to an RSA key, and tells nothing of what was not', async () => {
    expect(nativeRsa).toBe(false);
    const j = await person(juliet);
    const r = await person(romeo, 'rsa2048');
    const his = backendOf(r, [j]);
    const opened = await open(his, await seal(backendOf(j, [r]), 'sign+encrypt'));
    expectOutcome(opened, 'good');
    expect(opened.content).toEqual(content);
    const signed = await inlineSigned(content, j.key.keyPacket);
    expectOutcome(await open(his, bare(await encryptPackets(signed, [r.key]))), 'good');
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const mixed = Buffer.concat([await sessionKeys(one, [r.key]), seipdV1(signed, other)]);
    await refusal(open(his, bare(mixed)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
    const cut = Buffer.concat([(await sessionKeys(one, [r.key])).fill(7, 20, 60), seipdV1(signed, one)]);
    await refusal(open(his, bare(cut)), 'ERR_E2E_DECRYPTION_FAILED', 'decrypt');
  });
});
