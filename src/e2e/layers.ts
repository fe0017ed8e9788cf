/**
 * The security layers of a sealed object: at most one signature inside at most one encryption. Any other nesting is
 * refused, since mixed shapes are what direct-exfiltration and re-signing attacks are made of (RFC 8551 section 6).
 */

import type {
  BackendCall,
  CandidateCertificate,
  Decrypted,
  LayerKind,
  SecurityBackend,
  SignatureResult,
  Verified,
} from '../backends/backend.ts';
import { E2eError, type EncryptionInfo } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import { type Entity, parseEntity } from '../mime/entity.ts';
import type { Protection } from './verdict.ts';

/** What all steps of opening share. */
export interface LayersCall extends BackendCall {
  readonly backends: readonly SecurityBackend[];
  /** Bare JID whose keys decrypt. */
  readonly me: Jid;
  /** Bare JID of the claimed sender. */
  readonly sender: Jid | undefined;
}

/** The content of all layers. Not to be shown before its verdict. */
export interface OpenedLayers {
  readonly protection: Protection;
  readonly backend: string;
  /** The payload: exactly what was signed, or what was decrypted. */
  readonly content: Uint8Array;
  /** The same as an entity; undefined for what a profile parses. */
  readonly entity?: Entity | undefined;
  readonly encryption: EncryptionInfo | undefined;
  readonly signatures: readonly SignatureResult[];
  /** The certificates beside the signature. */
  readonly carried?: (() => Promise<readonly CandidateCertificate[]>) | undefined;
}

interface Layer {
  readonly backend: SecurityBackend;
  readonly kind: LayerKind;
}

/** Finds the backend whose layer an entity is. */
export function recognize(entity: Entity, backends: readonly SecurityBackend[]): Layer | undefined {
  for (const backend of backends) {
    const kind = backend.recognize(entity);
    if (kind !== undefined) return { backend, kind };
  }
  return undefined;
}

/**
 * Decrypts the outermost layer, if it is an encrypted one.
 *
 * @throws {E2eError} what the backend throws; UNSUPPORTED, UNSIGNED or LAYERS_REFUSED for another kind of object
 */
export async function decryptLayer(
  entity: Entity,
  call: LayersCall,
): Promise<(Decrypted & { backend: SecurityBackend }) | undefined> {
  const layer = recognize(entity, call.backends);
  if (layer === undefined) throw unrecognized(entity);
  if (layer.kind === 'certificates') throw refused('unwrap', 'certificates and no content');
  if (layer.kind === 'signed') return undefined;
  const decrypted = await layer.backend.decrypt(requestOf(call, entity));
  call.signal?.throwIfAborted();
  return { backend: layer.backend, ...decrypted };
}

/**
 * Verifies the signed layer of an entity, if it has one.
 *
 * @param outer the encrypted layer it came out of
 * @throws {E2eError} what the backend throws; LAYERS_REFUSED for anything but one signature inside one encryption
 */
export async function verifyLayer(
  entity: Entity,
  outer: (Decrypted & { backend: SecurityBackend }) | undefined,
  call: LayersCall,
): Promise<OpenedLayers> {
  const encryption = outer?.encryption;
  const layer = recognize(entity, call.backends);
  if (layer === undefined && outer !== undefined) {
    const signatures = outer.signatures ?? [];
    const protection = signatures.length === 0 ? 'encrypt' : 'sign+encrypt';
    return { protection, backend: outer.backend.name, content: outer.content, entity, encryption, signatures };
  }
  if (layer?.kind !== 'signed') throw refused('verify', 'an encrypted layer inside an encrypted one');
  if (outer !== undefined && outer.backend !== layer.backend) throw refused('verify', 'layers of two backends');
  if ((outer?.signatures ?? []).length > 0) throw refused('verify', 'signed twice');
  const verified: Verified = await layer.backend.verify(requestOf(call, entity));
  call.signal?.throwIfAborted();
  const content = parseEntity(verified.content, { limits: call.limits, stage: 'parse' });
  if (recognize(content, call.backends) !== undefined) {
    throw refused('verify', 'a security layer inside a signed one');
  }
  const protection = outer === undefined ? 'sign' : 'sign+encrypt';
  return {
    protection,
    backend: layer.backend.name,
    content: verified.content,
    entity: content,
    encryption,
    signatures: verified.signatures,
    carried: () => layer.backend.importCertificates(entity, call.limits),
  };
}

function requestOf(
  { at, algorithms, limits, signal, packets, me, sender }: LayersCall,
  entity: Entity,
): Omit<LayersCall, 'backends'> & { readonly entity: Entity } {
  return { at, algorithms, limits, signal, packets, me, sender, entity };
}

const payloadTypes = ['message/cpim', 'application/pidf+xml', 'application/xmpp+xml'];

function unrecognized(entity: Entity): E2eError {
  const type = entity.contentType?.type;
  if (type === undefined)
    return new E2eError('ERR_E2E_MALFORMED', 'unwrap', { reason: 'neither a MIME object nor a known blob' });
  if (payloadTypes.includes(type)) return new E2eError('ERR_E2E_UNSIGNED', 'unwrap', { reason: 'no security layer' });
  return new E2eError('ERR_E2E_UNSUPPORTED', 'unwrap', { reason: 'no backend for the content type', subject: type });
}

function refused(stage: 'unwrap' | 'verify', reason: string): E2eError {
  return new E2eError('ERR_E2E_LAYERS_REFUSED', stage, { reason });
}
