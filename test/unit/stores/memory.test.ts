import { describe, expect, it } from 'vitest';
import { Jid } from '../../../src/jid/jid.ts';
import { memoryStore } from '../../../src/stores/index.ts';

const romeo = Jid.parse('romeo@example.net');
const data = Uint8Array.of(1, 2, 3);

describe('a store in memory', () => {
  it('keeps identities by bare JID and backend', async () => {
    const store = memoryStore();
    expect(await store.identities(romeo, 'smime')).toEqual([]);
    store.addIdentity(romeo.withResource('orchard'), 'smime', { keys: data, certificates: data });
    const [identity] = await store.identities(romeo, 'smime');
    expect(identity!.keys).toBe(data);
    expect((await store.identities(romeo.withResource('x'), 'smime'))[0]).toBe(identity);
    expect(await store.identities(romeo, 'openpgp')).toEqual([]);
    expect(await store.identities(Jid.parse('juliet@example.com'), 'smime')).toEqual([]);
  });

  it('tells candidates from filed certificates', async () => {
    const store = memoryStore();
    store.addCandidate(romeo, 'openpgp', data);
    store.fileCertificate(romeo.withResource('orchard'), 'openpgp', data);
    const found = await store.find(romeo, 'openpgp');
    expect(found.map(({ filed }) => filed)).toEqual([false, true]);
    expect(await store.find(romeo, 'openpgp')).toBe(found);
    expect(() => ((found[0] as { filed: boolean }).filed = true)).toThrow(TypeError);
    store.forget(romeo, 'openpgp');
    expect(await store.find(romeo, 'openpgp')).toEqual([]);
  });
});
