/** Juliet, Romeo and Mallory with OpenPGP keys, their stores, and the calls that the contract wants. */
import { expect } from 'vitest';
import * as library from 'openpgp';
import type {
  BackendCall,
  KeyStore,
  StoredCertificate,
  StoredIdentity,
  SecurityBackend,
  SignatureOutcome,
  SignatureResult,
} from '../../../src/backends/backend.ts';
import { openingBothWays } from './both-paths.ts';
import { generateIdentity, type IdentityAlgorithm, openpgp } from '../../../src/backends/openpgp/index.ts';
import { utf8 } from '../../../src/bytes.ts';
import { E2eError, type E2eErrorCode, type E2eStage } from '../../../src/errors.ts';
import { Jid, strictPolicy } from '../../../src/index.ts';
import { defaultLimits } from '../../../src/limits.ts';
import { bareEntity, type Entity, parseEntity } from '../../../src/mime/entity.ts';
import { type MemoryStore, memoryStore } from '../../../src/stores/index.ts';

export const juliet: Jid = Jid.parse('juliet@example.com');
export const romeo: Jid = Jid.parse('romeo@example.net');
export const mallory: Jid = Jid.parse('mallory@example.org');
/** When everything happens, unless a test says otherwise. */
export const at: Date = new Date('2026-11-22T12:00:00Z');
/** When keys are made. */
export const born: Date = new Date('2026-01-01T00:00:00Z');

export const nothing: Uint8Array = new Uint8Array(0);
export const content: Uint8Array = utf8(
  'Content-Type: text/plain; charset=utf-8\r\n\r\nWherefore art thou? \u00e9\r\n',
);

/** A key as openpgp.js holds it, with both halves as files. */
export interface Person {
  readonly jid: Jid;
  readonly key: library.PrivateKey;
  readonly secret: Uint8Array;
  readonly certificate: Uint8Array;
  readonly fingerprint: string;
  readonly passphrase?: (() => Promise<string>) | undefined;
}

/** A person whose key only stands in files. */
export type KeyFiles = Omit<Person, 'key'>;

/** A person out of a key that openpgp.js holds. */
export function personOf(jid: Jid, key: library.PrivateKey): Person {
  return { jid, key, secret: key.write(), certificate: key.toPublic().write(), fingerprint: key.getFingerprint() };
}

/** Makes a person with a key of `generateIdentity`. */
export async function person(
  jid: Jid,
  algorithm: IdentityAlgorithm = 'ed25519',
  options: { readonly v6?: boolean; readonly passphrase?: string; readonly expiresAfterSeconds?: number } = {},
): Promise<Person> {
  const made = await generateIdentity({ jid, algorithm, at: born, ...options });
  const key = await library.readPrivateKey({ armoredKey: made.secretKeyArmored });
  const { passphrase } = options;
  return {
    jid,
    key,
    secret: utf8(made.secretKeyArmored),
    certificate: utf8(made.certificateArmored),
    fingerprint: made.fingerprint,
    passphrase: passphrase === undefined ? undefined : () => Promise.resolve(passphrase),
  };
}

/** A fresh copy of a key, to be tampered with. */
export async function copyOf({ secret }: Person): Promise<library.PrivateKey> {
  const armored = new TextDecoder().decode(secret).startsWith('-----');
  return armored
    ? library.readPrivateKey({ armoredKey: new TextDecoder().decode(secret) })
    : library.readPrivateKey({ binaryKey: secret });
}

/** A backend of one person that has filed the certificates of others. */
export function backendOf(
  me: KeyFiles,
  others: readonly KeyFiles[] = [],
  passphrase: (() => Promise<string>) | undefined = me.passphrase,
): SecurityBackend & { readonly store: MemoryStore } {
  const store = memoryStore();
  store.addIdentity(me.jid, 'openpgp', { keys: me.secret, certificates: nothing, passphrase });
  for (const { jid, certificate } of others) store.fileCertificate(jid, 'openpgp', certificate);
  return { ...openingBothWays(openpgp({ store })), store };
}

/** A store that gives the very same arrays each time, as asked for. */
export function storeOf(
  me: Pick<Person, 'jid' | 'secret' | 'passphrase'>,
  contacts: readonly { readonly jid: Jid; readonly certificate: Uint8Array; readonly filed?: boolean }[],
): KeyStore {
  const own: StoredIdentity[] = [{ keys: me.secret, certificates: nothing, passphrase: me.passphrase }];
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

/** Octets as text. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** What every call carries. */
export function call(overrides: Partial<BackendCall> = {}): BackendCall {
  return { at, algorithms: strictPolicy.algorithms, limits: defaultLimits, ...overrides };
}

/** An entity out of the bytes that a backend writes. */
export function entity(bytes: Uint8Array): Entity {
  return parseEntity(bytes, { limits: defaultLimits });
}

/** A bare OpenPGP message. */
export function bare(bytes: Uint8Array): Entity {
  return bareEntity(bytes);
}

/** Signs, encrypts, or both, as Juliet to Romeo. */
export function seal(
  backend: SecurityBackend,
  protection: 'sign' | 'encrypt' | 'sign+encrypt',
  overrides: {
    readonly content?: Uint8Array;
    readonly signer?: Jid;
    readonly recipients?: readonly Jid[];
    readonly hidden?: boolean;
    readonly call?: Partial<BackendCall>;
  } = {},
): Promise<Uint8Array> {
  const { signer = juliet, recipients = [romeo], hidden = false } = overrides;
  const request = {
    ...call(overrides.call),
    content: overrides.content ?? content,
    recipients,
    includeCertificate: false,
    profile: 'modern' as const,
  };
  if (protection === 'sign') return backend.sign({ ...request, signer });
  if (protection === 'encrypt') return backend.encrypt({ ...request, hidden });
  return backend.signAndEncrypt!({ ...request, signer, hidden });
}

/** What was inside, with every signature. */
export interface Opened {
  readonly content: Uint8Array;
  readonly signatures: readonly SignatureResult[] | undefined;
}

/** Opens one layer as Romeo, from Juliet. */
export async function open(
  backend: SecurityBackend,
  message: Entity | Uint8Array,
  overrides: { readonly me?: Jid; readonly sender?: Jid | undefined; readonly call?: Partial<BackendCall> } = {},
): Promise<Opened> {
  const { me = romeo } = overrides;
  const sender = 'sender' in overrides ? overrides.sender : juliet;
  const layer = message instanceof Uint8Array ? entity(message) : message;
  const request = { ...call(overrides.call), entity: layer, me, sender };
  return backend.recognize(layer) === 'signed' ? backend.verify(request) : backend.decrypt(request);
}

/** Expects one signature with an outcome, and returns it. */
export function expectOutcome({ signatures }: Opened, outcome: SignatureOutcome, reason?: string): SignatureResult {
  expect(signatures).toHaveLength(1);
  const [signature] = signatures!;
  expect(signature).toMatchObject(reason === undefined ? { outcome } : { outcome, reason });
  if (outcome !== 'good') {
    // Whoever looks at names only must not take a signature that is not good for somebody's.
    expect(signature!.identities).toEqual([]);
    expect(signature!.trust).toBeUndefined();
  }
  return signature!;
}

/** Expects an `E2eError` and returns it. */
export async function refusal(doing: Promise<unknown>, code: E2eErrorCode, stage?: E2eStage): Promise<E2eError> {
  const error = await doing.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(E2eError);
  expect((error as E2eError).code).toBe(code);
  if (stage !== undefined) expect((error as E2eError).stage).toBe(stage);
  return error as E2eError;
}
