/**
 * Asking for certificates, answering, and keeping what arrives (RFC 3923 sections 6.2 and 6.6).
 *
 * A request is a signed message with `<certificate-request xmlns='urn:xmpp-e2e:certificates:0'/>`; the answer is a
 * message whose `<e2e/>` holds a signed object, and in it the certificates as the format sends them: S/MIME certs-only
 * or application/pgp-keys. What arrives is a candidate: nothing is trusted by arrival.
 */

import type { CandidateCertificate, SecurityBackend } from '../backends/backend.ts';
import { E2eError, type SignatureLevel } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import type { Limits } from '../limits.ts';
import { type Entity, parseEntity } from '../mime/entity.ts';
import { element, type XmlElement } from '../xml/element.ts';
import { CLIENT, HINTS } from '../xml/namespaces.ts';
import type { Verified } from './believe.ts';
import { judgeSignatures } from './check.ts';
import { recognize } from './layers.ts';
import { type Policy, strictPolicy } from './policy.ts';
import { addressOf, stanzaKind } from './stanza.ts';
import { isSent } from './timeliness.ts';
import { unwrap, wrap } from './wrap.ts';

/** The namespace of the request. */
const CERTIFICATES = 'urn:xmpp-e2e:certificates:0';

/** Certificates that came from a contact. */
export interface ArrivedCertificates {
  /** Bare JID. */
  readonly from: Jid;
  /** The backend whose certificates they are. */
  readonly backend: string;
  /** What the signature around them amounts to; an answer to a request is kept unless it is forged. */
  readonly level: SignatureLevel;
  /** Those that name the sender, and issuers. */
  readonly certificates: readonly CandidateCertificate[];
}

/** A message that asks for the recipient's certificates. To be sealed with protection `sign`. */
export function certificateRequest(to: Jid): XmlElement {
  return element('message', CLIENT, { to: to.toString() }, [element('certificate-request', CERTIFICATES)]);
}

/** Whether an opened stanza is a request for my certificates, and nothing else. */
export function isCertificateRequest(stanza: XmlElement): boolean {
  const [request, ...more] = stanza.elements;
  return stanza.name === 'message' && more.length === 0 && request?.is('certificate-request', CERTIFICATES) === true;
}

/** What an answer is made of. */
export interface CertificateAnswer {
  readonly backend: SecurityBackend;
  /** My bare JID. */
  readonly from: Jid;
  readonly to: Jid;
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a message with my certificates, signed.
 *
 * @throws {E2eError} NO_SIGNING_KEY, KEY_UNAVAILABLE; UNSUPPORTED where the backend cannot export certificates
 */
export async function sealCertificates(answer: CertificateAnswer): Promise<XmlElement> {
  const { backend, from, to, limits, signal } = answer;
  if (backend.exportCertificates === undefined) {
    throw new E2eError('ERR_E2E_UNSUPPORTED', 'sign', { reason: 'the backend exports no certificates' });
  }
  const at = new Date();
  const content = await backend.exportCertificates(from, at);
  const { algorithms } = strictPolicy;
  const recipients = [to.bare()];
  const call = { at, algorithms, limits, signal, signer: from, recipients, includeCertificate: true } as const;
  const signed = await backend.sign({ ...call, content, profile: 'modern' });
  return wrap(element('message', CLIENT, { to: to.toString() }, [element('store', HINTS)]), signed);
}

/** What reading an answer needs. */
export interface CertificateReading {
  readonly backends: readonly SecurityBackend[];
  readonly me: Jid;
  readonly policy: Policy;
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes the certificates out of a message that carries nothing else.
 *
 * @returns undefined for a stanza that is no such message
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED; SIGNATURE_INVALID for a forged signature around them
 */
export async function readCertificates(
  stanza: XmlElement,
  { backends, me, policy, limits, signal }: CertificateReading,
): Promise<ArrivedCertificates | undefined> {
  const sender = addressOf(stanza, 'from', 'unwrap')?.bare();
  if (stanzaKind(stanza, 'unwrap') !== 'message' || sender === undefined) return undefined;
  const { entity } = unwrap(stanza, limits);
  const layer = recognize(entity, backends);
  if (layer === undefined || layer.kind === 'encrypted') return undefined;
  const { backend } = layer;
  if (layer.kind === 'certificates') return arrived(backend, entity, sender, 'unsigned', limits);
  const { algorithms } = policy;
  const verified = await backend.verify({ at: new Date(), algorithms, limits, signal, entity, sender, me });
  const inner = parseEntity(verified.content, { limits, stage: 'parse' });
  if (backend.recognize(inner) !== 'certificates') return undefined;
  const { level, result } = judgeSignatures(verified.signatures, limits);
  if (level === 'forged') throw new E2eError('ERR_E2E_SIGNATURE_INVALID', 'verify', { reason: result?.reason });
  return arrived(backend, inner, sender, level, limits);
}

async function arrived(
  backend: SecurityBackend,
  entity: Entity,
  from: Jid,
  level: SignatureLevel,
  limits: Limits,
): Promise<ArrivedCertificates> {
  const certificates = ofSender(await backend.importCertificates(entity, limits), from);
  return Object.freeze({ from, backend: backend.name, level, certificates });
}

/** Hands over the certificates beside a good signature. Nothing that fails here concerns the stanza. */
export async function handOver(
  { layers, judged, envelope }: Pick<Verified, 'layers' | 'judged' | 'envelope'>,
  take: (arrived: ArrivedCertificates) => void | Promise<void>,
): Promise<void> {
  if (judged.level !== 'good' || layers.carried === undefined || isSent(envelope.context)) return;
  const from = envelope.from.bare();
  try {
    const certificates = ofSender(await layers.carried(), from);
    if (certificates.length > 0) await take({ from, backend: layers.backend, level: judged.level, certificates });
  } catch {
    // They come again, at the latest after five minutes (section 6.6).
  }
}

/** The certificates of others have no business in a message of the sender's; issuers name nobody. */
function ofSender(certificates: readonly CandidateCertificate[], from: Jid): readonly CandidateCertificate[] {
  const name = from.bare().toString();
  const own = certificates.filter(({ summary }) => summary.jids.includes(name));
  if (own.length === 0) return [];
  return Object.freeze([...own, ...certificates.filter(({ summary }) => summary.jids.length === 0)]);
}
