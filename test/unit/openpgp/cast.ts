/** Juliet and Romeo with OpenPGP keys, the stores they look into, and what every call carries. */
import { generateIdentity, type GenerateIdentityOptions, openpgp } from '../../../src/backends/openpgp/index.ts';
import type {
  BackendCall,
  KeyStore,
  SecurityBackend,
  StoredCertificate,
  StoredIdentity,
} from '../../../src/backends/backend.ts';
import { utf8 } from '../../../src/bytes.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { type Entity, parseEntity } from '../../../src/mime/entity.ts';

export const julietJid: Jid = Jid.parse('juliet@example.com');
export const romeoJid: Jid = Jid.parse('romeo@example.net');

/** A fixed time for all tests that need none. */
export const noon: Date = new Date('2026-11-22T12:00:00Z');

export const content: Uint8Array = utf8(
  'Content-Type: Message/CPIM\r\n\r\nFrom: <im:juliet@example.com>\r\n\r\nWherefore art thou, Romeo?\r\n',
);

export function call(at: Date = noon, overrides: Partial<BackendCall> = {}): BackendCall {
  return {
    at,
    limits: defaultLimits,
    algorithms: {
      sha1Signatures: false,
      unsignedAttributes: false,
      rsaPkcs1v15: false,
      cbc: false,
      tripleDes: false,
      clockSkewSeconds: 300,
    },
    ...overrides,
  };
}

export interface Person {
  readonly jid: Jid;
  /** Armored transferable secret key. */
  readonly secret: Uint8Array;
  /** Armored certificate. */
  readonly certificate: Uint8Array;
  readonly fingerprint: string;
  readonly passphrase?: (() => Promise<string>) | undefined;
}

/** Keys made an hour before noon by default. */
export async function person(
  jid: Jid,
  options: Partial<GenerateIdentityOptions> = {},
  at: Date = new Date(noon.getTime() - 3_600_000),
): Promise<Person> {
  const made = await generateIdentity({ jid, at, ...options });
  const { passphrase } = options;
  return {
    jid,
    secret: utf8(made.secretKeyArmored),
    certificate: utf8(made.certificateArmored),
    fingerprint: made.fingerprint,
    passphrase: passphrase === undefined ? undefined : () => Promise.resolve(passphrase),
  };
}

/** What `me` sees: own keys, and the certificates filed for others. */
export function storeOf(
  me: Pick<Person, 'jid' | 'secret' | 'passphrase'>,
  contacts: readonly { readonly jid: Jid; readonly certificate: Uint8Array; readonly filed?: boolean }[],
): KeyStore {
  const own: StoredIdentity[] = [{ keys: me.secret, certificates: new Uint8Array(), passphrase: me.passphrase }];
  const files = new Map<string, StoredCertificate[]>();
  for (const { jid, certificate, filed = true } of contacts) {
    const list = files.get(jid.toString()) ?? [];
    list.push({ certificates: certificate, filed });
    files.set(jid.toString(), list);
  }
  return {
    identities: (jid) => Promise.resolve(jid.equals(me.jid) ? own : []),
    find: (jid) => Promise.resolve(files.get(jid.toString()) ?? []),
  };
}

export function backendOf(me: Person, contacts: readonly Person[]): SecurityBackend {
  return openpgp({ store: storeOf(me, contacts) });
}

export function entityOf(bytes: Uint8Array): Entity {
  return parseEntity(bytes, { limits: defaultLimits });
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
