/**
 * Clients that put something else into `<e2e/>` than RFC 3923 says. Their ways are reached by passing their profile,
 * call by call: a stanza cannot choose by which rules it is read.
 */

import type { BackendCall, PacketOptions, SecurityBackend } from '../backends/backend.ts';
import { base64Text, utf8 } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import type { Limits } from '../limits.ts';
import type { Entity } from '../mime/entity.ts';
import type { PayloadForm } from '../payload/map.ts';
import type { Payload } from '../payload/payload.ts';
import type { XmlElement } from '../xml/element.ts';
import { decryptLayer, type LayersCall, type OpenedLayers } from './layers.ts';
import type { Policy } from './policy.ts';

/** What a foreign client names in a payload. */
export interface DialectNames {
  /** As the sender's key has it. */
  readonly sender: string;
  /** As the recipients' keys have it. */
  readonly recipients: readonly string[];
  /** The signed time, in nanoseconds since 1970. */
  readonly at: bigint;
  readonly form: PayloadForm | 'auto';
}

/** How a foreign client seals and opens. */
export interface DialectProfile {
  /** Shown in the verdict. */
  readonly name: string;
  /** Name of the one backend that its messages are for. */
  readonly backend: string;
  readonly packets: PacketOptions;
  /** Seconds by which its signed times may differ from the clock. */
  readonly windowSeconds: number;
  /** What it shows to clients without encryption, beside `<e2e/>`. */
  readonly fallbackBody: string;
  /**
   * Writes a payload.
   *
   * @throws {E2eError} UNMAPPABLE
   */
  serialize(stanza: XmlElement, names: DialectNames): Uint8Array;
  /**
   * Reads a payload. Inverse of `serialize`.
   *
   * @throws {E2eError} PAYLOAD_INVALID, LIMIT, UNSUPPORTED, LAYERS_REFUSED
   */
  parse(content: Uint8Array, limits: Limits): Payload;
}

/**
 * Refuses what is no profile, and backends that its messages are not for.
 *
 * @throws {TypeError} for either
 */
export function requireDialect(profile: DialectProfile, backends: readonly SecurityBackend[]): SecurityBackend {
  if (typeof profile.serialize !== 'function' || typeof profile.parse !== 'function') {
    throw new TypeError('option profile must be a profile');
  }
  const backend = backends.find(({ name }) => name === profile.backend);
  if (backend?.signAndEncrypt === undefined || backend.keyNames === undefined) {
    throw new TypeError(`profile ${profile.name} needs the ${profile.backend} backend`);
  }
  return backend;
}

/** What {@link sealDialect} needs beside the requests to the backend. */
export interface DialectSealing {
  readonly stanza: XmlElement;
  readonly recipients: readonly Jid[];
  readonly at: bigint;
  readonly form: PayloadForm | 'auto';
}

type Securing = Omit<Parameters<NonNullable<SecurityBackend['signAndEncrypt']>>[0], 'content'>;

/**
 * Seals as a foreign client does.
 *
 * @returns the text of `<e2e/>`
 * @throws {E2eError} UNMAPPABLE, NO_SIGNING_KEY, NO_RECIPIENT_KEY, KEY_UNAVAILABLE, LIMIT
 */
export async function sealDialect(
  profile: DialectProfile,
  backend: SecurityBackend,
  { stanza, recipients, at, form }: DialectSealing,
  request: Securing,
): Promise<Uint8Array> {
  const call: Securing = { ...request, packets: profile.packets };
  const namesOf = (jid: Jid, use: 'sign' | 'encrypt'): Promise<readonly string[]> =>
    backend.keyNames!({ ...(call satisfies BackendCall), jid, use });
  const [sender] = await namesOf(call.signer, 'sign');
  const names: string[] = [];
  for (const jid of recipients) names.push(...(await namesOf(jid, 'encrypt')));
  const content = profile.serialize(stanza, { sender: sender!, recipients: names, at, form });
  return utf8(base64Text(await backend.signAndEncrypt!({ ...call, content })));
}

/**
 * Opens the one layer that a foreign client's message is: an OpenPGP message without MIME around it.
 *
 * @throws {E2eError} what the backend throws; UNSUPPORTED for anything else
 */
export async function openDialectLayer(
  profile: DialectProfile,
  entity: Entity,
  call: LayersCall,
): Promise<OpenedLayers> {
  const unlike = new E2eError('ERR_E2E_UNSUPPORTED', 'unwrap', { reason: 'not as the profile has it' });
  if (entity.contentType !== undefined) throw unlike;
  const outer = await decryptLayer(entity, {
    ...call,
    backends: [requireDialect(profile, call.backends)],
    packets: profile.packets,
  });
  if (outer === undefined) throw unlike;
  const { encryption, content, signatures = [] } = outer;
  const protection = signatures.length === 0 ? 'encrypt' : 'sign+encrypt';
  return { protection, backend: profile.backend, content, encryption, signatures };
}

/** A policy under a profile: its window for signed times, and no order among them, since they count whole seconds. */
export function policyUnder(profile: DialectProfile | undefined, policy: Policy): Policy {
  if (profile === undefined) return policy;
  const { time } = policy;
  const { windowSeconds } = profile;
  return { ...policy, time: { ...time, windowSeconds, deliver: [...time.deliver, 'decreasing'] } };
}
