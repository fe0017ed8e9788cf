/** Payload to stanza (RFC 3922 sections 4.2, 5.2 and 6.3, RFC 3923 section 5). */

import { E2eError } from '../errors.ts';
import type { Jid } from '../jid/jid.ts';
import { element, type XmlElement, type XmlNode } from '../xml/element.ts';
import { hasLegalText } from '../xml/legal-text.ts';
import { CLIENT } from '../xml/namespaces.ts';
import type { CpimMessage } from './cpim.ts';
import { isForServers } from './for-servers.ts';
import { invalid } from './invalid.ts';
import { nameOfChild } from './loss.ts';
import { reconstructMessage } from './message.ts';
import type { Payload } from './payload.ts';
import type { PidfPresence, PidfTuple } from './pidf.ts';
import { isTupleOf, reconstructPresence, resourceOfTuple } from './presence.ts';

/** What a payload leaves to the stanza around it. */
export interface ReconstructOptions {
  /** Address of the sender, with the resource that its server stamped. */
  readonly from: Jid;
  readonly to: Jid;
  /** For a message from Message/CPIM; PIDF and application/xmpp+xml bring their own. */
  readonly type?: string | undefined;
  /** For Message/CPIM and PIDF; application/xmpp+xml brings its own. */
  readonly id?: string | undefined;
  /**
   * What to do with a CPIM `Require` of something unknown: refuse the message, or report it among `dropped`, as a
   * gateway does that warns its user (RFC 3922 section 4.2.7).
   */
  readonly requires?: 'refuse' | 'report' | undefined;
}

/** A stanza made from a payload. */
export interface Reconstructed {
  readonly stanza: XmlElement;
  /** What the payload held and the stanza cannot or may not. */
  readonly dropped: readonly string[];
}

/**
 * Builds the stanza that a payload stands for: content from inside, addresses from outside.
 *
 * A PIDF document with several tuples gives the presence of the resource in `from`; see {@link reconstructTuples}.
 *
 * @throws {E2eError} UNSUPPORTED for a `Require` of something unknown and for presence without a mapping;
 * PAYLOAD_INVALID for text that XML cannot hold and for a document about other resources only
 */
export function reconstruct(payload: Payload, options: ReconstructOptions): Reconstructed {
  const dropped = requiredFeatures(payload.cpim, options);
  const { from, to, type, id } = options;
  if (payload.stanza !== undefined) return withinOuter(payload.stanza, from, to, dropped);
  if (payload.pidf !== undefined) return presenceOf(payload.pidf, options, dropped);
  const { cpim, bodies } = payload;
  const children = reconstructMessage(cpim?.subjects ?? [], bodies);
  return { stanza: stanzaOf('message', { from, to, type, id }, children), dropped };
}

function requiredFeatures(cpim: CpimMessage | undefined, { requires = 'refuse' }: ReconstructOptions): string[] {
  const unknown = (cpim?.unsupportedRequires ?? []).map(({ namespace, name }) => `Require {${namespace}}${name}`);
  const [first] = unknown;
  if (first !== undefined && requires === 'refuse') {
    // RFC 3862 section 4.7: the receiver MUST understand it.
    throw new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason: 'CPIM Require', subject: first });
  }
  return unknown;
}

/** The inner stanza with the outer addresses, without what only servers may say. */
function withinOuter(stanza: XmlElement, from: Jid, to: Jid, dropped: string[]): Reconstructed {
  const children: XmlNode[] = [];
  for (const child of stanza.children) {
    if (typeof child !== 'string' && isForServers(child)) dropped.push(nameOfChild(child));
    else children.push(child);
  }
  const addressed = stanza.withAttribute('from', from.toString()).withAttribute('to', to.toString());
  return { stanza: addressed.withChildren(children), dropped };
}

function presenceOf(pidf: PidfPresence, options: ReconstructOptions, dropped: string[]): Reconstructed {
  const { from, to, id } = options;
  const [first] = pidf.tuples;
  if (first === undefined) return emptyPresence(pidf, options, dropped);
  const tuple = pidf.tuples.length === 1 ? first : pidf.tuples.find((one) => isTupleOf(one, from.resource));
  if (tuple === undefined) throw invalid('PIDF without a tuple for the resource of the sender', from.resource);
  for (const other of pidf.tuples) if (other !== tuple) dropped.push(`tuple ${other.id}`);
  return fromTuple(pidf, tuple, { from, to, id }, dropped);
}

/** RFC 3922 section 6.3.2: presence of the user rather than of a device; notes make it unmappable (section 5.2.11). */
function emptyPresence(pidf: PidfPresence, { from, to, id }: ReconstructOptions, dropped: string[]): Reconstructed {
  if (pidf.notes.length > 0) throw new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason: 'PIDF with notes only' });
  dropped.push(...pidf.extensions.map(nameOfChild));
  return { stanza: stanzaOf('presence', { from: from.bare(), to, id }, []), dropped };
}

function fromTuple(
  pidf: PidfPresence,
  tuple: PidfTuple,
  { from, to, id }: Pick<ReconstructOptions, 'from' | 'to' | 'id'>,
  dropped: string[],
): Reconstructed {
  const presence = reconstructPresence(tuple);
  dropped.push(...presence.dropped, ...pidf.notes.map(() => 'note on all tuples'), ...pidf.extensions.map(nameOfChild));
  return { stanza: stanzaOf('presence', { from, to, type: presence.type, id }, presence.children), dropped };
}

/**
 * Builds one presence for each tuple of a PIDF document, as a gateway does (RFC 3922 section 6.3.1). The resources come
 * from the tuple ids, so these stanzas speak for the bare JID only.
 *
 * @param options `from` is the presentity's bare JID
 * @throws {E2eError} as {@link reconstruct}; MALFORMED for a tuple id that is no resource
 */
export function reconstructTuples(payload: Payload, options: ReconstructOptions): readonly Reconstructed[] {
  const { pidf } = payload;
  if (pidf === undefined || pidf.tuples.length === 0) return [reconstruct(payload, options)];
  const required = requiredFeatures(payload.cpim, options);
  return pidf.tuples.map((tuple) => {
    const from = options.from.bare().withResource(resourceOfTuple(tuple));
    return fromTuple(pidf, tuple, { ...options, from }, [...required]);
  });
}

function stanzaOf(
  name: 'message' | 'presence',
  { from, to, type, id }: Pick<ReconstructOptions, 'from' | 'to' | 'type' | 'id'>,
  children: readonly XmlElement[],
): XmlElement {
  // An escape of CPIM or an octet of text/plain can be a control character, which would end an XML stream.
  if (!children.every(hasLegalText)) throw invalid('text that XML cannot hold');
  return element(name, CLIENT, { from: from.toString(), to: to.toString(), type, id }, children);
}
