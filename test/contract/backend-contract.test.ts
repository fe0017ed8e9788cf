/** Every backend keeps the contract, and a backend that breaks a promise is told so. */
import { describe, expect, it } from 'vitest';
import { backendContract, type ContractSetup } from '../../src/backends/backend-contract.ts';
import type { SecurityBackend } from '../../src/backends/backend.ts';
import { E2eError } from '../../src/errors.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { openpgpPeople, smimePeople, toyPeople } from './people.ts';

const backends: Record<string, () => ContractSetup | Promise<ContractSetup>> = {
  'smime p256': () => smimePeople('p256'),
  'smime ed25519': () => smimePeople('ed25519'),
  ...(nodeCrypto.supports('ml-kem') ? { 'smime ml-dsa-65': () => smimePeople('ml-dsa-65') } : {}),
  'openpgp version 4': () => openpgpPeople(false),
  'openpgp version 6': () => openpgpPeople(true),
  'a toy of a third party': () => toyPeople(),
};

describe.each(Object.entries(backends))('%s', (_name, make) => {
  let people: ContractSetup | Promise<ContractSetup> | undefined;
  it.each(backendContract(() => (people ??= make())).map((one) => [one.name, one] as const))(
    '%s',
    { timeout: 60_000 },
    async (_case, one) => {
      await one.run();
    },
  );
});

/** The messages of the cases that fail for the toy with a defect. */
async function complaints(change: (backend: SecurityBackend) => Partial<SecurityBackend>): Promise<string[]> {
  const found: string[] = [];
  const people = toyPeople((backend) => ({ ...backend, ...change(backend) }));
  for (const { run } of backendContract(() => people)) {
    await run().catch((error: unknown) => {
      expect(error).toBeInstanceOf(Error);
      found.push((error as Error).message);
    });
  }
  return found;
}

const defects: [string, (backend: SecurityBackend) => Partial<SecurityBackend>, RegExp][] = [
  ['recognizes everything', () => ({ recognize: () => 'signed' }), /takes plain text for a layer|no encrypted layer/],
  [
    'throws while it recognizes',
    () => ({
      recognize: () => {
        throw new E2eError('ERR_E2E_MALFORMED', 'parse');
      },
    }),
    /recognize throws for data/,
  ],
  [
    'believes every signature',
    (backend) => ({
      verify: async (request) => {
        const { content, signatures } = await backend.verify(request);
        const jid = request.sender!;
        return {
          content,
          signatures: signatures.map((one) => ({
            ...one,
            outcome: 'good',
            fingerprint: 'x',
            identities: [{ jid, source: 'im' }],
          })),
        };
      },
    }),
    /stays good though the content changed/,
  ],
  [
    'changes the content',
    (backend) => ({
      verify: async (request) => {
        const { content, signatures } = await backend.verify(request);
        return { content: content.subarray(1), signatures };
      },
    }),
    /is not the octets that were sealed/,
  ],
  [
    'skips recipients without a key',
    (backend) => ({
      encrypt: async (request) => {
        const can = await Promise.all(request.recipients.map((jid) => backend.canSealTo(jid, request.at)));
        return backend.encrypt({ ...request, recipients: request.recipients.filter((_, i) => can[i]) });
      },
    }),
    /NO_RECIPIENT_KEY was promised, and no error came/,
  ],
  [
    'tells failures of decryption apart',
    (backend) => {
      let failures = 0;
      return {
        decrypt: (request) =>
          backend.decrypt(request).catch((error: unknown) => {
            if (!(error instanceof E2eError) || error.code !== 'ERR_E2E_DECRYPTION_FAILED') throw error;
            throw new E2eError(error.code, failures++ % 2 === 0 ? 'decrypt' : 'parse');
          }),
      };
    },
    /failures of decryption differ/,
  ],
  [
    'throws other errors',
    () => ({ inspect: () => Promise.reject(new TypeError('x')) }),
    /not an E2eError for data: TypeE/,
  ],
  ['seals to all', () => ({ canSealTo: () => Promise.resolve(true) }), /canSealTo promises what encrypt cannot do/],
  [
    'does not hear of an abort',
    (backend) => ({ decrypt: (request) => backend.decrypt({ ...request, signal: undefined }) }),
    /decrypt does not end with the reason/,
  ],
];

describe('a backend that breaks its promise is told so', () => {
  it.each(defects)('%s', async (_name, change, message) => {
    expect((await complaints(change)).join('\n')).toMatch(message);
  });

  it('and the one without defect is not', async () => {
    expect(await complaints(() => ({}))).toEqual([]);
  });
});
