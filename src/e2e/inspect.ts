/** The layers of a sealed stanza as a tree, found without keys. Nothing in it is verified. */

import type { LayerDescription, SecurityBackend } from '../backends/backend.ts';
import { E2eError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { type Entity, parseEntity } from '../mime/entity.ts';
import { parsePayload } from '../payload/payload.ts';
import { toElement } from '../xml/from-host.ts';
import { recognize } from './layers.ts';
import { readOptions } from './options.ts';
import { e2eChildren, stanzaKind } from './stanza.ts';
import { nameOf } from './verdict.ts';
import { unwrap } from './wrap.ts';

/** One node of the tree. */
export interface InspectedNode {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly warnings: readonly string[];
  /** What is inside, where it is in the clear. */
  readonly inside: InspectedNode | undefined;
}

/** Options of {@link inspectStanza}. */
export interface InspectOptions {
  readonly backends: readonly SecurityBackend[];
  readonly limits?: Limits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What describing every layer needs. */
interface Call {
  readonly backends: readonly SecurityBackend[];
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
}

/**
 * Whether a stanza has an `<e2e/>` child.
 *
 * @param stanza as text, as our tree or as a host's element
 * @throws {E2eError} MALFORMED, LIMIT for something that cannot be read
 */
export function isSealed(stanza: object | string): boolean {
  return e2eChildren(toElement(stanza, { stage: 'unwrap' })).length > 0;
}

/**
 * Describes a sealed stanza without opening it.
 *
 * @returns the stanza with its layers inside each other; a layer that cannot be read ends the tree with a warning
 * @throws {E2eError} NOT_SEALED, MALFORMED, LIMIT, LAYERS_REFUSED for the stanza and its `<e2e/>`
 */
export async function inspectStanza(stanza: object | string, options: InspectOptions): Promise<InspectedNode> {
  const { backends, limits = defaultLimits, signal } = readOptions(options, ['backends', 'limits', 'signal']);
  signal?.throwIfAborted();
  const tree = toElement(stanza, { limits, stage: 'unwrap' });
  const kind = stanzaKind(tree, 'unwrap');
  const { entity, outside } = unwrap(tree, limits);
  const facts: [string, string][] = [];
  for (const name of ['from', 'to', 'type', 'id']) {
    const value = tree.attribute(name);
    if (value !== undefined) facts.push([name, value]);
  }
  for (const child of outside) facts.push(['unprotected beside it', nameOf(child)]);
  const e2e: InspectedNode = {
    title: 'e2e',
    facts: [
      ['octets', String(entity.raw.length)],
      ['form', entity.contentType?.type ?? (entity.raw === entity.body ? 'bare armor' : 'bare base64')],
    ],
    warnings: [],
    inside: await inspectEntity(entity, { backends, limits, signal }),
  };
  return { title: kind, facts, warnings: [], inside: e2e };
}

async function inspectEntity(entity: Entity, call: Call): Promise<InspectedNode> {
  try {
    const layer = recognize(entity, call.backends);
    if (layer === undefined) return payloadNode(entity, call.limits);
    const description = await layer.backend.inspect(entity, call.limits);
    call.signal?.throwIfAborted();
    const content = description.content;
    const inside = content === undefined ? undefined : await inspectContent(content, call);
    return layerNode(description, inside);
  } catch (error) {
    if (!(error instanceof E2eError)) throw error;
    const reason = error.reason === undefined ? error.message : `${error.message}: ${error.reason}`;
    return { title: 'unreadable', facts: [], warnings: [reason], inside: undefined };
  }
}

function inspectContent(content: Uint8Array, call: Call): Promise<InspectedNode> {
  const { backends, limits } = call;
  const entity = parseEntity(content, { limits, stage: 'parse' });
  // Opening refuses layers below a signed one; the tree stops there too, so that nesting cannot make it deep. Signed
  // certificates hold nothing.
  const kind = recognize(entity, backends)?.kind;
  return inspectEntity(entity, { ...call, backends: kind === undefined || kind === 'certificates' ? backends : [] });
}

function layerNode(description: LayerDescription, inside: InspectedNode | undefined): InspectedNode {
  const { title, facts, warnings, kind } = description;
  return { title: `${title} (${kind})`, facts, warnings, inside };
}

function payloadNode(entity: Entity, limits: Limits): InspectedNode {
  const payload = parsePayload(entity.raw, limits);
  const facts: [string, string][] = [
    ['form', payload.form],
    ['stanza', payload.kind],
  ];
  for (const [where, jid] of payload.senders) facts.push([where, jid.toString()]);
  for (const jid of payload.recipients) facts.push(['to', jid.toString()]);
  return { title: entity.contentType?.type ?? 'unknown', facts, warnings: [], inside: undefined };
}
