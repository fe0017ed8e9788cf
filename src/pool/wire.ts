/**
 * Results and stanzas on their way between threads: as JSON, which is written, sent and read in a third of the time that
 * structured cloning takes for many small objects. What JSON has no word for is a string that begins with a mark.
 */

import { E2eError, type E2eErrorCode, type E2eErrorDetail, type E2eStage, Jid, XmlElement } from '../index.ts';

/** A value as another thread can be sent it. */
export interface Wire {
  readonly json: string;
  /** All octets in the value, one after the other. */
  readonly octets: Uint8Array | undefined;
}

/** No text of XML, and none that is likely elsewhere, begins with it. */
const mark = '\0';

/** The only key of an element on its way. No object of ours has a property of this name. */
const elementKey = '\0element';

/** Copies a value for another thread, octets out of the buffers that they are views of: those hold more than is to be shown. */
export function pack(value: unknown): Wire {
  const pieces: Uint8Array[] = [];
  const json = JSON.stringify(plain(value, { pieces, length: 0 }));
  return { json, octets: pieces.length === 0 ? undefined : joinOctets(pieces) };
}

function joinOctets(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}

interface Octets {
  readonly pieces: Uint8Array[];
  length: number;
}

function plain(value: unknown, octets: Octets): unknown {
  switch (typeof value) {
    case 'string':
      return value.startsWith(mark) ? `${mark}s${value}` : value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : `${mark}n${Object.is(value, -0) ? '-0' : value}`;
    case 'undefined':
      // More of it than of anything else.
      return null;
    case 'bigint':
      return `${mark}b${value}`;
    case 'boolean':
      return value;
    default:
      return value === null ? `${mark}l` : plainObject(value as object, octets);
  }
}

function plainObject(value: object, octets: Octets): unknown {
  if (Array.isArray(value)) return value.map((one) => plain(one, octets));
  if (value instanceof Jid) return `${mark}j${value.toString()}`;
  if (value instanceof XmlElement) {
    const { prefix, namespace, name, attributes, children } = value;
    const flat = attributes.flatMap((one) => [one.prefix, one.namespace, one.name, one.value]);
    // Neither names nor the text of XML can begin with the mark.
    return { [elementKey]: [prefix, namespace, name, flat, children.map((child) => plain(child, octets))] };
  }
  if (value instanceof Date) return `${mark}d${value.getTime()}`;
  if (value instanceof Uint8Array) {
    const start = placeOf(value, octets);
    return `${mark}o${start},${start + value.length}`;
  }
  if (value instanceof Map) return { [mapKey]: plain([...value], octets) };
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = plain((value as Record<string, unknown>)[key], octets);
  return copy;
}

/** Where octets lie among all that are sent. A body is a part of its entity, which comes first. */
function placeOf(value: Uint8Array, octets: Octets): number {
  const last = octets.pieces.at(-1);
  const within = last?.buffer === value.buffer ? value.byteOffset - last.byteOffset : -1;
  if (last !== undefined && within >= 0 && within + value.length <= last.length) {
    return octets.length - last.length + within;
  }
  const start = octets.length;
  octets.pieces.push(value);
  octets.length += value.length;
  return start;
}

const mapKey = '\0map';

/** Builds what {@link pack} copied. Everything is frozen that can be, as results are. */
export function unpack({ json, octets }: Wire): unknown {
  return build(JSON.parse(json), octets);
}

function build(value: unknown, octets: Uint8Array | undefined): unknown {
  if (typeof value === 'string') return value.startsWith(mark) ? marked(value, octets) : value;
  if (value === null) return undefined;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = build(value[i], octets);
    return Object.freeze(value);
  }
  const object = value as Record<string, unknown>;
  const parts = object[elementKey];
  if (parts !== undefined) return buildElement(parts as ElementParts, octets);
  const entries = object[mapKey];
  if (entries !== undefined) return new Map(build(entries, octets) as [unknown, unknown][]);
  for (const key of Object.keys(object)) object[key] = build(object[key], octets);
  return Object.freeze(object);
}

function marked(text: string, octets: Uint8Array | undefined): unknown {
  const rest = text.slice(2);
  switch (text[1]) {
    case 'l':
      return null;
    case 'b':
      return BigInt(rest);
    case 'j':
      return Jid.parse(rest);
    case 'd':
      return new Date(Number(rest));
    case 'n':
      return Number(rest);
    case 'o': {
      const [start, end] = rest.split(',').map(Number) as [number, number];
      return octets!.slice(start, end);
    }
    default:
      return rest;
  }
}

type ElementParts = readonly [string, string, string, readonly string[], unknown[]];

function buildElement(
  [prefix, namespace, name, flat, children]: ElementParts,
  octets: Uint8Array | undefined,
): XmlElement {
  const attributes = [];
  for (let i = 0; i < flat.length; i += 4) {
    attributes.push(
      Object.freeze({ prefix: flat[i]!, namespace: flat[i + 1]!, name: flat[i + 2]!, value: flat[i + 3]! }),
    );
  }
  const built = children.map((child) => build(child, octets)) as (XmlElement | string)[];
  return new XmlElement(prefix, namespace, name, attributes, built);
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
