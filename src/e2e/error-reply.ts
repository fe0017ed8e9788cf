/**
 * Error replies to stanzas that could not be opened (RFC 3923 section 7), and reading them.
 *
 * Read to the letter, section 7 is a decryption oracle: whoever can tell `decryption-failed` from
 * `unverified-signature` decrypts AES-CBC byte by byte. The mode `safe` therefore says nothing at all about content
 * that is not AEAD, or whose key travelled under PKCS #1 v1.5.
 *
 * RFC 3923 deviation: section 7: no such reply by default, none to strangers, and never the sealed object in it.
 */

import { type E2eError, type E2eReply, replyFor } from '../errors.ts';
import { element, type XmlElement } from '../xml/element.ts';
import { E2E, E2E_MISSPELT, STANZA_ERRORS } from '../xml/namespaces.ts';
import { oneOf, readOptions } from './options.ts';

/** `off`: none; `safe`: section 7 where it is no oracle; `rfc3923`: section 7 to the letter. */
export type ReplyMode = 'off' | 'safe' | 'rfc3923';

/** Options of {@link errorReply}. */
export interface ErrorReplyOptions {
  readonly mode?: ReplyMode | undefined;
  /** Whether the sender is one of my contacts: nobody else learns that I am here. False unless given. */
  readonly knownContact?: boolean | undefined;
  /** Counts the replies to each sender. */
  readonly limiter?: ReplyLimiter | undefined;
}

const conditions: Record<Exclude<E2eReply, 'none'>, readonly [condition: string, application?: string]> = {
  'service-unavailable': ['service-unavailable'],
  'bad-request': ['bad-request'],
  'bad-timestamp': ['not-acceptable', 'bad-timestamp'],
  'unverified-signature': ['not-acceptable', 'unverified-signature'],
  'decryption-failed': ['bad-request', 'decryption-failed'],
};

/**
 * The reply to a stanza that could not be opened.
 *
 * A failed iq request gets exactly one error, `service-unavailable` where nothing else may be said: RFC 6120 section
 * 8.2.3 wants an answer, and this one is what a client without support gives. The sealed object is never echoed,
 * although the examples of section 7 do: a reply must not be larger than what caused it.
 *
 * @param stanza the stanza as received, with `from`
 * @param error what `openStanza` threw
 * @returns undefined when nothing shall be sent
 */
export function errorReply(
  stanza: XmlElement,
  error: E2eError,
  options: ErrorReplyOptions = {},
): XmlElement | undefined {
  const { mode = 'safe', knownContact = false, limiter } = readOptions(options, ['mode', 'knownContact', 'limiter']);
  oneOf('mode', mode, ['off', 'safe', 'rfc3923']);
  const type = stanza.attribute('type');
  const from = stanza.attribute('from');
  const request = stanza.name === 'iq' && (type === 'get' || type === 'set');
  if (from === undefined || !(request || answerable(stanza.name, type))) return undefined;
  const reply = knownContact || mode === 'rfc3923' ? permitted(error, mode) : 'none';
  if (reply === 'none' && !request) return undefined;
  if (limiter !== undefined && !limiter.take(from)) return undefined;
  return build(stanza, from, reply === 'none' ? 'service-unavailable' : reply);
}

/** Never to presence (it would leak mine), nor to errors, rooms and headlines (RFC 6120 section 8.3.1). */
function answerable(name: string, type: string | undefined): boolean {
  return name === 'message' && (type === undefined || type === 'normal' || type === 'chat');
}

function permitted(error: E2eError, mode: ReplyMode): E2eReply {
  if (mode === 'off') return 'none';
  const encryption = error.encryption;
  const oracle = encryption !== undefined && (!encryption.aead || encryption.keyTransport.includes('rsa-pkcs1v15'));
  return mode === 'safe' && oracle ? 'none' : replyFor(error.code);
}

function build(stanza: XmlElement, to: string, reply: Exclude<E2eReply, 'none'>): XmlElement {
  const [condition, application] = conditions[reply];
  const details = [element(condition, STANZA_ERRORS)];
  if (application !== undefined) details.push(element(application, E2E));
  const type = reply === 'service-unavailable' ? 'cancel' : 'modify';
  const attributes = { from: stanza.attribute('to'), to, id: stanza.attribute('id'), type: 'error' };
  return element(stanza.name, stanza.namespace, attributes, [element('error', stanza.namespace, { type }, details)]);
}

const applications: Readonly<Record<string, ReadReply>> = {
  'bad-timestamp': 'bad-timestamp',
  'unverified-signature': 'unverified-signature',
  // The schema of RFC 3923 appendix A swaps the words.
  'signature-unverified': 'unverified-signature',
  'decryption-failed': 'decryption-failed',
};

/**
 * What an error reply says. The application-specific elements are optional in section 7: without one, `bad-request` is
 * case 5 or a malformed object, and `not-acceptable` is case 3, case 4 or something of the other side's own.
 */
export type ReadReply = Exclude<E2eReply, 'none'> | 'not-acceptable';

const bareConditions = ['service-unavailable', 'bad-request', 'not-acceptable'] as const;

/**
 * Reads an error reply of section 7 in every spelling that RFC 3923 uses. Such a reply is not authenticated: anybody on
 * the way can make one.
 *
 * @returns undefined for a stanza that is no error reply of section 7
 */
export function parseErrorReply(stanza: XmlElement): ReadReply | undefined {
  const error = stanza.first('error');
  if (error === undefined) return undefined;
  for (const child of error.elements) {
    if (child.namespace !== E2E && child.namespace !== E2E_MISSPELT) continue;
    if (Object.hasOwn(applications, child.name)) return applications[child.name];
  }
  return bareConditions.find((condition) => error.first(condition, STANZA_ERRORS) !== undefined);
}

/** Counts replies, so that nobody can make me send many. */
export interface ReplyLimiter {
  /** Whether one more reply to this address may be sent now; counts it if so. */
  take(address: string): boolean;
}

/**
 * A limiter of so many replies a minute to each address.
 *
 * @param perMinute replies to one address within 60 seconds
 * @param now milliseconds since 1970
 */
export function replyLimiter(perMinute = 5, now: () => number = Date.now): ReplyLimiter {
  const sent = new Map<string, number[]>();
  return {
    take(address: string): boolean {
      const bare = address.split('/', 1)[0]!;
      const since = now() - 60_000;
      const recent = (sent.get(bare) ?? []).filter((time) => time > since);
      sent.delete(bare);
      if (recent.length >= perMinute) {
        sent.set(bare, recent);
        return false;
      }
      sent.set(bare, [...recent, now()]);
      for (const oldest of sent.keys()) {
        if (sent.size <= 10_000) break;
        sent.delete(oldest);
      }
      return true;
    },
  };
}
