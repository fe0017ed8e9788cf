/** Sealed stanzas made by hand with real keys: any payload, by anybody, for anybody, under any outer stanza. */
import { wrap } from '../../src/e2e/wrap.ts';
import {
  defaultLimits,
  type E2eErrorCode,
  openStanza,
  type Opened,
  type OpenOptions,
  parseXml,
  ReplayGuard,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { refusal, shell } from '../unit/e2e/scene.ts';
import type { Person } from '../people.ts';

export const at = new Date('2026-11-22T12:00:00Z');

const call = { at, algorithms: strictPolicy.algorithms, limits: defaultLimits, profile: 'modern' as const };

/** Signs a payload. */
export function signedBy(signer: Person, content: Uint8Array, forWhom: readonly Person[]): Promise<Uint8Array> {
  const recipients = forWhom.map(({ jid }) => jid);
  return signer.backend.sign({ ...call, signer: signer.jid, recipients, includeCertificate: true, content });
}

/** Encrypts a payload or a signed one. */
export function encryptedFor(by: Person, content: Uint8Array, forWhom: readonly Person[]): Promise<Uint8Array> {
  return by.backend.encrypt({ ...call, recipients: forWhom.map(({ jid }) => jid), hidden: false, content });
}

/** A stanza with a signed and encrypted payload. */
export async function crafted(by: Person, to: Person, content: Uint8Array, outer = shell): Promise<XmlElement> {
  return wrap(parseXml(outer), await encryptedFor(by, await signedBy(by, content, [to]), [to]));
}

/** Opens as somebody, with a fresh guard. */
export function openAs(him: Person, stanza: XmlElement | string, options: Partial<OpenOptions> = {}): Promise<Opened> {
  return openStanza(stanza, { backends: [him.backend], me: him.jid, at, replay: new ReplayGuard(), ...options });
}

/** Expects one of some codes. */
export async function refused(opening: Promise<unknown>, ...codes: readonly E2eErrorCode[]): Promise<void> {
  const code = await opening.then(
    () => 'delivered',
    (error: unknown) => (error as { code?: string }).code,
  );
  if (!codes.includes(code as E2eErrorCode)) await refusal(opening, codes[0]!);
}
