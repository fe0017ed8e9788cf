/**
 * Node 20 waits for itself, for ever, when it collects the job that made a key pair while it exports that pair as JWK:
 * one lock guards both. So what was generated must never be exported that way.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { nodeCrypto } from '../../../src/crypto/node.ts';

it('no generated key is exported as JWK', async () => {
  const prototypes = Object.values(generateKeyPairSync('x25519')).map((key) => Object.getPrototypeOf(key) as KeyObject);
  const spies = prototypes.map((prototype) => vi.spyOn(prototype, 'export'));
  const formats = (): unknown[] => spies.flatMap((spy) => spy.mock.calls.map(([options]) => options?.format));

  const { publicKey } = await nodeCrypto.generateKeyPair({ algorithm: 'x25519' });
  expect(formats()).toEqual(['der', 'der']);
  const agreed = await nodeCrypto.agreeEphemeral(publicKey);
  expect(agreed?.publicPoint).toHaveLength(32);
  expect(formats()).toEqual(['der', 'der']);
});
