/** People with keys, stores and calls for tests of the S/MIME backend. */
import type { KeyStore, SecurityBackend, StoredCertificate, StoredIdentity } from '../../../src/backends/backend.ts';
import {
  generateIdentity,
  type IdentityAlgorithm,
  smime,
  type SmimeOptions,
} from '../../../src/backends/smime/index.ts';
import { utf8 } from '../../../src/bytes.ts';
import { rfc3923Policy, strictPolicy } from '../../../src/e2e/policy.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { type Entity, parseEntity } from '../../../src/mime/entity.ts';
import { serializePem } from '../../../src/x509/pem.ts';
import { crypto, type Issued } from '../x509/support.ts';

export const at = new Date('2026-06-01T00:00:00Z');
export const strict = { at, algorithms: strictPolicy.algorithms, limits: defaultLimits } as const;
export const legacy = { at, algorithms: rfc3923Policy.algorithms, limits: defaultLimits } as const;
export const text = utf8('Content-Type: text/plain; charset=utf-8\r\n\r\nWherefore art thou?\r\n');

export interface Person {
  readonly jid: Jid;
  readonly identity: StoredIdentity;
}

/** Somebody with self-signed certificates, valid around {@link at}. */
export async function person(jid: string, algorithm: IdentityAlgorithm = 'p256'): Promise<Person> {
  const start = new Date(at.getTime() - 86_400_000);
  const { keysPem: keys, certificatesPem: certificates } = await generateIdentity({
    jid,
    algorithm,
    days: 365,
    at: start,
  });
  return { jid: Jid.parse(jid), identity: { keys, certificates } };
}

/** Somebody with certificates by a test CA. */
export function certified(jid: string, ...issued: readonly Issued[]): Person {
  const join = (blocks: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(blocks));
  const keys = join(issued.map(({ keys }) => serializePem('PRIVATE KEY', keys.privateKey.pkcs8)));
  const certificates = join(issued.map(({ certificate }) => serializePem('CERTIFICATE', certificate.der)));
  return { jid: Jid.parse(jid), identity: { keys, certificates } };
}

export interface StoreContent {
  readonly own?: readonly Person[];
  /** Filed by an explicit act. */
  readonly filed?: readonly Person[];
  /** Known, and trusted by nobody. */
  readonly candidates?: readonly Person[];
}

export function storeOf({ own = [], filed = [], candidates = [] }: StoreContent): KeyStore {
  return {
    identities: (jid) => Promise.resolve(own.filter((one) => one.jid.equals(jid)).map(({ identity }) => identity)),
    find: (jid) => {
      const entry =
        (explicit: boolean) =>
        (one: Person): StoredCertificate => ({
          certificates: one.identity.certificates,
          filed: explicit,
        });
      const of = (list: readonly Person[]) => list.filter((one) => one.jid.equals(jid));
      return Promise.resolve([...of(filed).map(entry(true)), ...of(candidates).map(entry(false))]);
    },
  };
}

export function backendOf(content: StoreContent, options: Omit<SmimeOptions, 'store'> = {}): SecurityBackend {
  return smime({ store: storeOf(content), crypto, ...options });
}

export function entityOf(octets: Uint8Array): Entity {
  return parseEntity(octets, { limits: defaultLimits });
}
