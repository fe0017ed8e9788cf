/**
 * Results and stanzas on their way between threads. Structured cloning keeps plain data, dates, maps and octets, but
 * makes nameless objects of our classes: those travel as marked data and are built again on the other side.
 */

import { E2eError, type E2eErrorCode, type E2eErrorDetail, type E2eStage, Jid, XmlElement } from '../index.ts';

/** A copy that structured cloning keeps whole. */
export type Wire = unknown;

/** The only key of a marked object. No object of ours has a property of this name. */
const mark = '$class';

type Marked =
  | { readonly [mark]: 'jid'; readonly text: string }
  | { readonly [mark]: 'element'; readonly parts: readonly unknown[] };

/**
 * Copies a value for another thread.
 *
 * Octets are copied out of the buffers that they are views of: those hold more than is to be shown, and cloning takes
 * them whole.
 */
export function pack(value: unknown): Wire {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return value.map(pack);
  if (value instanceof Jid) return { [mark]: 'jid', text: value.toString() };
  if (value instanceof XmlElement) {
    const { prefix, namespace, name, attributes, children } = value;
    const flat = attributes.flatMap((one) => [one.prefix, one.namespace, one.name, one.value]);
    return { [mark]: 'element', parts: [prefix, namespace, name, flat, children.map(pack)] };
  }
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [key as unknown, pack(inner)]));
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) copy[key] = pack(inner);
  return copy;
}

/** Builds what {@link pack} copied. Everything is frozen that can be, as results are. */
export function unpack(wire: Wire): unknown {
  if (typeof wire !== 'object' || wire === null) return wire;
  if (wire instanceof Date || wire instanceof Uint8Array) return wire;
  if (Array.isArray(wire)) return Object.freeze(wire.map(unpack));
  if (wire instanceof Map) return new Map([...wire].map(([key, inner]) => [key as unknown, unpack(inner)]));
  if (mark in wire) return build(wire as Marked);
  const built: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(wire)) built[key] = unpack(inner);
  return Object.freeze(built);
}

function build(marked: Marked): Jid | XmlElement {
  if (marked[mark] === 'jid') return Jid.parse(marked.text);
  const [prefix, namespace, name, flat, children] = marked.parts as [string, string, string, string[], unknown[]];
  const attributes = [];
  for (let i = 0; i < flat.length; i += 4) {
    attributes.push(
      Object.freeze({ prefix: flat[i]!, namespace: flat[i + 1]!, name: flat[i + 2]!, value: flat[i + 3]! }),
    );
  }
  return new XmlElement(prefix, namespace, name, attributes, children.map(unpack) as (XmlElement | string)[]);
}

/** An E2eError as data. */
export interface WireError {
  readonly code: E2eErrorCode;
  readonly stage: E2eStage;
  readonly detail: Wire;
}

/** Copies an error for another thread. */
export function packError(error: E2eError): WireError {
  const { code, stage } = error;
  // A cause may be anything, and is for nobody's eyes but a debugger's.
  const detail = Object.entries(error).filter(([name]) => !['name', 'code', 'stage', 'cause'].includes(name));
  return { code, stage, detail: pack(Object.fromEntries(detail)) };
}

/** Builds the error that {@link packError} copied. */
export function unpackError({ code, stage, detail }: WireError): E2eError {
  return new E2eError(code, stage, unpack(detail) as E2eErrorDetail);
}
