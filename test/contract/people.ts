/** The people of the conformance suite, with keys of each backend; made once. */
import type { ContractSetup } from '../../src/backends/backend-contract.ts';
import type { SecurityBackend } from '../../src/backends/backend.ts';
import * as openpgp from '../../src/backends/openpgp/index.ts';
import * as smime from '../../src/backends/smime/index.ts';
import { utf8 } from '../../src/bytes.ts';
import { Jid } from '../../src/jid/jid.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { toyBackend } from './toy-backend.ts';

const at = new Date('2026-06-01T00:00:00Z');
const born = new Date('2026-05-01T00:00:00Z');
const jids = ['juliet@example.com', 'romeo@example.net', 'mallory@example.org'].map((text) => Jid.parse(text));

interface Files {
  readonly keys: Uint8Array;
  readonly certificates: Uint8Array;
  readonly forOthers: Uint8Array;
}

async function setup(
  name: string,
  make: (jid: Jid) => Promise<Files>,
  load: (store: ReturnType<typeof memoryStore>) => SecurityBackend,
): Promise<ContractSetup> {
  const files = await Promise.all(jids.map(make));
  const party = (i: number, other?: number) => {
    const store = memoryStore();
    store.addIdentity(jids[i]!, name, files[i]!);
    if (other !== undefined) store.fileCertificate(jids[other]!, name, files[other]!.forOthers);
    return { jid: jids[i]!, backend: load(store) };
  };
  return { at, sender: party(0, 1), recipient: party(1, 0), stranger: party(2) };
}

export function smimePeople(algorithm: smime.IdentityAlgorithm): Promise<ContractSetup> {
  const make = async (jid: Jid): Promise<Files> => {
    const made = await smime.generateIdentity({ jid, algorithm, at: born, days: 100 });
    return { keys: made.keysPem, certificates: made.certificatesPem, forOthers: made.certificatesPem };
  };
  return setup('smime', make, (store) => smime.smime({ store }));
}

export function openpgpPeople(v6: boolean): Promise<ContractSetup> {
  const make = async (jid: Jid): Promise<Files> => {
    const made = await openpgp.generateIdentity({ jid, at: born, v6 });
    const certificates = new Uint8Array();
    return { keys: utf8(made.secretKeyArmored), certificates, forOthers: utf8(made.certificateArmored) };
  };
  return setup('openpgp', make, (store) => openpgp.openpgp({ store }));
}

export function toyPeople(change: (backend: SecurityBackend) => SecurityBackend = (same) => same): ContractSetup {
  const secrets = jids.map((jid) => [jid.toString(), utf8(`secret of ${jid.toString()}`)] as const);
  const party = (i: number, other?: number) => {
    const known = other === undefined ? [] : [secrets[other]!];
    return { jid: jids[i]!, backend: change(toyBackend(new Map([secrets[i]!]), new Map(known))) };
  };
  return { at, sender: party(0, 1), recipient: party(1, 0), stranger: party(2) };
}
