/** Juliet and Romeo, a clock, and the objects that pass between them. */
import { type DoubleSignature, doubleBackend, doubleEncrypted, doubleSigned } from '../../double-backend.ts';
import { utf8 } from '../../../src/bytes.ts';
import { wrap } from '../../../src/e2e/wrap.ts';
import { type E2eErrorCode, E2eError, type E2eStage } from '../../../src/errors.ts';
import {
  openStanza,
  type OpenOptions,
  type Opened,
  ReplayGuard,
  type XmlElement,
  parseXml,
} from '../../../src/index.ts';
import { expect } from 'vitest';

export const juliet = 'juliet@example.com';
export const romeo = 'romeo@example.net';
export const mallory = 'mallory@example.org';
export const at = new Date('2026-11-22T12:00:00Z');

export const double = doubleBackend([juliet, romeo]);

/** A Message/CPIM entity around text. */
export function cpim(headers: Record<string, string | readonly string[]> = {}, body = 'Hi'): Uint8Array {
  const all = { From: `<im:${juliet}>`, To: `<im:${romeo}>`, DateTime: at.toISOString(), ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => `${name}: ${one}\r\n`),
  );
  const content = `Content-Type: text/plain; charset=utf-8\r\n\r\n${body}`;
  return utf8(`Content-Type: Message/CPIM\r\n\r\n${lines.join('')}\r\n${content}`);
}

/** A bare application/xmpp+xml entity. */
export function xmppXml(stanza: string): Uint8Array {
  const xml = `<?xml version='1.0' encoding='UTF-8'?><xmpp xmlns='jabber:client'>${stanza}</xmpp>`;
  return utf8(`Content-Type: application/xmpp+xml; charset=utf-8\r\n\r\n${xml}`);
}

/** application/xmpp+xml inside Message/CPIM. */
export function wrappedXmppXml(stanza: string, headers: Record<string, string> = {}): Uint8Array {
  const all = { From: `<im:${juliet}>`, To: `<im:${romeo}>`, DateTime: at.toISOString(), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const inner = new TextDecoder().decode(xmppXml(stanza));
  return utf8(`Content-Type: Message/CPIM\r\n\r\n${lines.join('')}\r\n${inner}`);
}

export const shell = `<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' id='m1' type='chat'/>`;

/** A stanza around an entity. */
export function sealedIn(entity: Uint8Array, outer = shell): XmlElement {
  return wrap(parseXml(outer), entity);
}

/** A signed stanza. */
export function signedBy(signature: DoubleSignature, content = cpim(), outer = shell): XmlElement {
  return sealedIn(doubleSigned(content, { signers: [juliet], ...signature }), outer);
}

/** A signed and encrypted stanza. */
export function sealed(content = cpim(), outer = shell): XmlElement {
  return sealedIn(doubleEncrypted(doubleSigned(content, { signers: [juliet] }), [romeo]), outer);
}

/** Opens as Romeo with a fresh guard. */
export function open(stanza: XmlElement | string, options: Partial<OpenOptions> = {}): Promise<Opened> {
  return openStanza(stanza, { backends: [double], me: romeo, replay: new ReplayGuard(), at, ...options });
}

/** Expects an `E2eError` and returns it. */
export async function refusal(opening: Promise<unknown>, code: E2eErrorCode, stage?: E2eStage): Promise<E2eError> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(E2eError);
  expect((error as E2eError).code).toBe(code);
  if (stage !== undefined) expect((error as E2eError).stage).toBe(stage);
  return error as E2eError;
}
