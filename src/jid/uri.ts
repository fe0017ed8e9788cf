/**
 * JIDs as im:, pres: and xmpp: URIs (RFC 3922 section 3, RFC 7247 section 4, RFC 5122), both ways, and as names in
 * certificates (RFC 3923 section 6.3).
 *
 *     im-URI   = "im:" local "@" domain            ; RFC 3860, without its headers; pres: alike, RFC 3859
 *     xmpp-URI = "xmpp:" [ local "@" ] domain [ "/" resource ]   ; RFC 5122, without authority, query and fragment
 *
 * URIs are never compared as strings: each address has many spellings as a URI, and one as a JID.
 */

import { utf8, utf8Decode } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import { isNormalDomain } from './domain.ts';
import { Jid } from './jid.ts';

/** The schemes that stand for an address. */
export type UriScheme = 'im' | 'pres' | 'xmpp';

/** An address as a URI gives it. */
export interface JidUri {
  readonly scheme: UriScheme;
  readonly jid: Jid;
}

/** How localparts stand in im: and pres: URIs. */
export interface UriOptions {
  /**
   * What stands in a localpart for characters that localparts cannot hold: the escapes of XEP-0106 (`\26`; RFC 7247
   * section 4), or, for the peers behind a gateway of that kind, those of RFC 3922 section 3.2 (`#26;`).
   */
  readonly escapes?: 'xep-0106' | 'rfc3922';
}

/** An address is at most 3071 octets long, each at most `%hh`. */
const maxLength = 9300;

// XEP-0106 section 4.2, without \5c: since a backslash is no delimiter in a URI it can stay as it is, whatever follows
// it. So no two localparts share a URI, as `a\5cb` and `a\b` do where \5c is unescaped.
const escaped: ReadonlyMap<string, string> = new Map([
  [' ', '\\20'],
  ['"', '\\22'],
  ['&', '\\26'],
  ["'", '\\27'],
  ['/', '\\2f'],
  [':', '\\3a'],
  ['<', '\\3c'],
  ['>', '\\3e'],
  ['@', '\\40'],
]);
const unescaped: ReadonlyMap<string, string> = new Map(Array.from(escaped, ([character, code]) => [code, character]));
const gatewayEscaped: ReadonlyMap<string, string> = new Map([
  ['&', '#26;'],
  ["'", '#27;'],
  ['/', '#2f;'],
]);
const gatewayUnescaped: ReadonlyMap<string, string> = new Map(
  Array.from(gatewayEscaped, ([character, code]) => [code, character]),
);

/**
 * Writes an address as a URI.
 *
 * @param scheme `im` and `pres` leave the resource out (RFC 3922 section 3.2)
 * @throws {E2eError} UNMAPPABLE for an address without localpart in an im: or pres: URI
 */
export function toUri(jid: Jid, scheme: UriScheme, options: UriOptions = {}): string {
  const { local, domain, resource } = jid;
  if (scheme === 'xmpp') {
    const node = local === '' ? '' : `${percentEncode(local, commonlySafe)}@`;
    return `xmpp:${node}${domain}${resource === '' ? '' : `/${percentEncode(resource, commonlySafe)}`}`;
  }
  // RFC 3860 section 3: an im: URI names a mailbox.
  if (local === '') throw new E2eError('ERR_E2E_UNMAPPABLE', 'map', { reason: 'no localpart', subject: domain });
  if (options.escapes === 'rfc3922') {
    const text = local.replace(/#2[67f];/g, (code) => gatewayUnescaped.get(code)!);
    return `${scheme}:${percentEncode(text, gatewaySafe)}@${domain}`;
  }
  const text = local.replace(/\\(?:2[0267f]|3[ace]|40)/g, (code) => unescaped.get(code)!);
  return `${scheme}:${percentEncode(text, commonlySafe)}@${domain}`;
}

/**
 * Reads an address from a URI, enforcing it.
 *
 * @param uri any string; bounded cost
 * @returns undefined for anything but an address: other schemes, headers, queries, display names, two `@`
 */
export function fromUri(uri: string, options: UriOptions = {}): JidUri | undefined {
  if (options.escapes === 'rfc3922') return read(uri, options);
  const known = usual.get(uri);
  if (known !== undefined) return known;
  const found = read(uri, options);
  if (found === undefined || uri.length > longestUsual) return found;
  if (usual.size >= mostUsual) usual.clear();
  usual.set(uri, found);
  return found;
}

/** The same few contacts are named again and again. */
const usual = new Map<string, JidUri>();
const mostUsual = 256;
const longestUsual = 256;

function read(uri: string, options: UriOptions): JidUri | undefined {
  const parts = split(uri, options);
  if (parts === undefined) return undefined;
  const jid = toJid(parts);
  return jid === undefined ? undefined : Object.freeze({ scheme: parts.scheme, jid });
}

/**
 * Reads the name in a certificate. Percent-decoded it must already be an enforced bare JID: a name that changes when
 * it is enforced (case, width, look-alikes that fold) matches nothing. Besides proper URIs this takes `im:` with an
 * address as it is behind it, which RFC 3923 section 6.3 can be read to ask for.
 *
 * @param uri any string; bounded cost
 * @returns undefined for anything else
 */
export function identityFromUri(uri: string): JidUri | undefined {
  const parts = split(uri, {});
  if (parts === undefined || parts.resource !== undefined) return undefined;
  const jid = toJid(parts);
  if (jid === undefined || jid.local !== (parts.local ?? '') || !isNormalDomain(parts.domain, jid.domain)) {
    return undefined;
  }
  return { scheme: parts.scheme, jid };
}

interface Parts {
  readonly scheme: UriScheme;
  readonly local: string | undefined;
  readonly domain: string;
  readonly resource: string | undefined;
}

/** The parts, decoded but not enforced. */
function split(uri: string, options: UriOptions): Parts | undefined {
  if (uri.length > maxLength || !uri.isWellFormed()) return undefined;
  const scheme = schemeOf(uri);
  // A query or fragment is more than an address; the rest cannot stand in any URI.
  if (scheme === undefined || /[?#"<>\u0000-\u0020\u007F]/.test(uri)) return undefined;
  const path = uri.slice(scheme.length + 1);
  const slash = scheme === 'xmpp' ? path.indexOf('/') : -1;
  const front = slash === -1 ? path : path.slice(0, slash);
  const at = front.indexOf('@');
  if (at !== front.lastIndexOf('@') || at === 0 || (at === -1 && scheme !== 'xmpp')) return undefined;
  const local = at === -1 ? undefined : percentDecode(front.slice(0, at));
  const domain = percentDecode(front.slice(at + 1));
  const resource = slash === -1 ? undefined : percentDecode(path.slice(slash + 1));
  if (domain === undefined || (at !== -1 && local === undefined) || (slash !== -1 && resource === undefined)) {
    return undefined;
  }
  if (scheme === 'xmpp' || local === undefined) return { scheme, local, domain, resource };
  return { scheme, local: escape(local, options), domain, resource };
}

function schemeOf(uri: string): UriScheme | undefined {
  const name = uri.slice(0, Math.max(uri.slice(0, 5).indexOf(':'), 0)).toLowerCase();
  return name === 'im' || name === 'pres' || name === 'xmpp' ? name : undefined;
}

function escape(local: string, options: UriOptions): string {
  if (options.escapes === 'rfc3922') return local.replace(/[&'/]/g, (character) => gatewayEscaped.get(character)!);
  return local.replace(/[ "&'/:<>@]/g, (character) => escaped.get(character)!);
}

function toJid(parts: Parts): Jid | undefined {
  if (parts.resource === '') return undefined;
  try {
    return Jid.of(parts.local ?? '', parts.domain, parts.resource ?? '');
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

/** Octets that need no encoding in any part of these URIs. */
const commonlySafe = /[A-Za-z0-9!$*._~+=-]/;
/** RFC 3922 section 3.2 without `?`, which would start the headers of the URI (RFC 3860 section 3). */
const gatewaySafe = /[A-Za-z0-9!$*._~+=]/;

/** Safe both ways, as nearly all addresses are. */
const whollySafe = /^[A-Za-z0-9!$*._~+=]*$/;

function percentEncode(text: string, safe: RegExp): string {
  if (whollySafe.test(text)) return text;
  let encoded = '';
  for (const octet of utf8(text, 'map')) {
    const character = String.fromCharCode(octet);
    encoded += safe.test(character) ? character : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Octets are decoded as strict UTF-8; undefined for a `%` without two digits. */
function percentDecode(text: string): string | undefined {
  if (!text.includes('%')) return text;
  const bytes = utf8(text);
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let octet = bytes[i]!;
    if (octet === 0x25) {
      const digits = String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0);
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined;
      octet = Number.parseInt(digits, 16);
      i += 2;
    }
    decoded[length++] = octet;
  }
  try {
    return utf8Decode(decoded.subarray(0, length));
  } catch {
    return undefined;
  }
}
