/**
 * The lines of `batch`: one JSON object each (NDJSON).
 *
 *     in  = { "stanza": "<message …/>", ? "id": string or number, ? "from": JID, ? "to": JID }
 *     out = { "v": 1, "line": n, ? "id": …, "input": sha256, "ok": true, … }
 *         / { "v": 1, "line": n, ? "id": …, "input": sha256, "ok": false, "error": { "code", "stage", "message", ? "reason" } }
 *
 * `from` and `to` are for sealing. Other members are let be: the lines of other programs carry what they like.
 */

import { createHash } from 'node:crypto';
import { defaultLimits, E2eError, Jid, parseXml, type XmlElement } from '../index.ts';
import type { Line } from './lines.ts';

/** Octets of a line: a stanza of the largest size, every octet of it written as a JSON escape. */
export const maxLineBytes: number = 6 * defaultLimits.stanzaBytes + 8192;

const maxIdLength = 1024;

/** What a line asks for. */
export interface BatchLine {
  /** From 1. */
  readonly line: number;
  readonly id: string | number | undefined;
  /** SHA-256 of the line without its end, hexadecimal; of nothing for one that was too long to keep. */
  readonly input: string;
  /** What is to be worked on, or why that is nothing. */
  readonly stanza: string | XmlElement | E2eError;
}

/** Reads a line; what is wrong with it becomes its answer, and nobody else's. */
export function readBatchLine(bytes: Line, line: number): BatchLine {
  const input = createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
  if (bytes === undefined) {
    const reason = `the line exceeds ${maxLineBytes} octets`;
    return { line, id: undefined, input, stanza: new E2eError('ERR_E2E_LIMIT', 'parse', { reason }) };
  }
  let id: BatchLine['id'];
  try {
    const object = parseObject(bytes);
    id = readId(object['id']);
    return { line, id, input, stanza: readStanza(object) };
  } catch (error) {
    if (!(error instanceof E2eError)) throw error;
    return { line, id, input, stanza: error };
  }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed('the line is no JSON in UTF-8');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('the line is no object');
  return value as Record<string, unknown>;
}

function readId(id: unknown): BatchLine['id'] {
  if (id === undefined) return undefined;
  if (typeof id === 'number') return id;
  if (typeof id !== 'string') throw malformed('"id" is neither a string nor a number');
  if (id.length > maxIdLength) throw malformed(`"id" exceeds ${maxIdLength} characters`);
  return id;
}

function readStanza(object: Record<string, unknown>): string | XmlElement {
  const text = object['stanza'];
  if (typeof text !== 'string') throw malformed('"stanza" is no string');
  const from = readAddress(object, 'from');
  const to = readAddress(object, 'to');
  if (from === undefined && to === undefined) return text.trim();
  const stanza = parseXml(text.trim(), { defaultNamespace: 'jabber:client', stage: 'map' });
  const sent = from === undefined ? stanza : stanza.withAttribute('from', from);
  return to === undefined ? sent : sent.withAttribute('to', to);
}

function readAddress(object: Record<string, unknown>, name: 'from' | 'to'): string | undefined {
  const value = object[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw malformed(`"${name}" is no string`);
  return Jid.parse(value).toString();
}

function malformed(reason: string): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', 'parse', { reason });
}

/**
 * Writes the answer to a line.
 *
 * @param outcome what was made of it, or why nothing was
 */
export function writeBatchLine({ line, id, input }: BatchLine, outcome: object): string {
  const answer = outcome instanceof E2eError ? { ok: false, error: outcome.toJSON() } : { ok: true, ...outcome };
  return `${JSON.stringify({ v: 1, line, id, input, ...answer })}\n`;
}
