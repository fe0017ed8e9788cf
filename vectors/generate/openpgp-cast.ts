/** Keys, payloads and stanzas of the vectors of OpenPGP packets. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as library from 'openpgp';
import { armored } from '../../test/unit/openpgp/forge.ts';
import { romeo } from './people.ts';

/** Folder below `keys/`. */
export const folder = 'openpgp-packets';
/** When all keys begin. */
export const born = new Date('2026-01-01T00:00:00Z');
/** When everything is opened. */
export const now = new Date('2026-11-22T12:00:00Z');
/** A section of RFC 9580. */
export const rfc = (section: string): string => `RFC 9580 §${section}`;

/** Writes a key file. */
export function write(path: string, content: Uint8Array): void {
  const file = fileURLToPath(new URL(`../keys/${folder}/${path}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** A new key of openpgp.js. */
export async function generate(
  userId: string,
  { rsa = false, signing = false, lifetime = 0 } = {},
): Promise<library.PrivateKey> {
  const { privateKey } = await library.generateKey({
    ...(rsa ? { type: 'rsa', rsaBits: 2048 } : { type: 'ecc', curve: 'curve25519Legacy' }),
    userIDs: [{ name: userId }],
    date: born,
    subkeys: signing ? [{ sign: true }, {}] : [{}],
    keyExpirationTime: lifetime,
    format: 'object',
  });
  return privateKey;
}

/** A stanza around one bare OpenPGP message. */
export function stanza(from: string, message: Uint8Array): string {
  const armor = armored('message', message).replaceAll('\r', '');
  return `<message xmlns="jabber:client" from="${from}/x" to="${romeo}" type="chat"><e2e xmlns="urn:ietf:params:xml:ns:xmpp-e2e">${armor}</e2e></message>`;
}

/** The signed payload. */
export function cpim(from: string, body = 'Wherefore art thou, Romeo?'): Uint8Array {
  const headers = `From: <im:${from}>\r\nTo: <im:${romeo}>\r\nDateTime: ${now.toISOString()}\r\n`;
  return Buffer.from(
    `Content-Type: Message/CPIM\r\n\r\n${headers}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}`,
  );
}

/** Files a certificate for a contact of Romeo. */
export function file(jid: string, key: library.PrivateKey): void {
  write(`contacts/${jid}/openpgp.cert.asc`, Buffer.from(key.toPublic().armor()));
}
