/** XMPP addresses (RFC 7622). */

import { E2eError } from '../errors.ts';
import { enforceDomain, isNormalDomain } from './domain.ts';
import { enforceLocal, enforceResource } from './precis.ts';

/** Three parts of 1023 octets and two separators (RFC 7622 section 3.1): bounds the cost of everything below. */
const maxLength = 3071;
const cacheSize = 512;
/** Longer texts are not kept, so that the cache stays small whatever a peer sends. */
const maxCachedLength = 256;
const cache = new Map<string, Jid>();

/**
 * An address in enforced form: two equal addresses are the same string.
 *
 * Domains are kept as A-labels without a final dot, so that both label forms of one domain are equal; names of
 * internationalized domains for people are not made here.
 *
 *     jid = [ localpart "@" ] domainpart [ "/" resourcepart ]
 */
export class Jid {
  /** '' if absent. */
  readonly local: string;
  /** LDH labels and A-labels in lower case, or an IP literal. */
  readonly domain: string;
  /** '' if absent. */
  readonly resource: string;
  readonly #text: string;

  private constructor(local: string, domain: string, resource: string) {
    this.local = local;
    this.domain = domain;
    this.resource = resource;
    this.#text = (local === '' ? '' : `${local}@`) + domain + (resource === '' ? '' : `/${resource}`);
    Object.freeze(this);
  }

  /**
   * Parses and enforces an address (RFC 7622 section 3).
   *
   * @param text any string; the cost is bounded whatever its length
   * @throws {E2eError} MALFORMED for anything that is not an address
   */
  static parse(text: string): Jid {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const jid = parse(text, (local, domain, resource) => new Jid(local, domain, resource));
    if (text.length <= maxCachedLength) {
      if (cache.size >= cacheSize) for (const oldest of cache.keys()) if (cache.delete(oldest)) break;
      cache.set(text, jid);
    }
    return jid;
  }

  /**
   * Builds an address from its parts, each of which is enforced.
   *
   * @param local '' for none
   * @param resource '' for none
   * @throws {E2eError} MALFORMED for a part that is not allowed
   */
  static of(local: string, domain: string, resource = ''): Jid {
    return new Jid(
      local === '' ? '' : enforced(local, enforceLocal),
      enforced(domain, enforceDomain),
      resource === '' ? '' : enforced(resource, enforceResource),
    );
  }

  /**
   * Whether a text is an address written exactly in its enforced form; both label forms of a domain count as that.
   *
   * @param text any string
   */
  static isEnforced(text: string): boolean {
    let jid: Jid;
    try {
      jid = Jid.parse(text);
    } catch {
      return false;
    }
    if (jid.#text === text) return true;
    const [local, domain, resource] = split(text);
    return (local ?? '') === jid.local && (resource ?? '') === jid.resource && isNormalDomain(domain, jid.domain);
  }

  /** This address without its resource. */
  bare(): Jid {
    return this.resource === '' ? this : new Jid(this.local, this.domain, '');
  }

  /** Whether there is no resource. */
  get isBare(): boolean {
    return this.resource === '';
  }

  /**
   * This address with another resource.
   *
   * @param resource '' for none
   * @throws {E2eError} MALFORMED for a resource that is not allowed
   */
  withResource(resource: string): Jid {
    return new Jid(this.local, this.domain, resource === '' ? '' : enforced(resource, enforceResource));
  }

  /** Whether two addresses are the same, resource included. */
  equals(other: Jid): boolean {
    return this.#text === other.#text;
  }

  /** The enforced form, the domain as A-labels. */
  toString(): string {
    return this.#text;
  }
}

/** RFC 7622 section 3.1: the resource starts at the first `/`, the localpart ends at the first `@` before it. */
function split(text: string): readonly [local: string | undefined, domain: string, resource: string | undefined] {
  const slash = text.indexOf('/');
  const front = slash === -1 ? text : text.slice(0, slash);
  const at = front.indexOf('@');
  return [
    at === -1 ? undefined : front.slice(0, at),
    front.slice(at + 1),
    slash === -1 ? undefined : text.slice(slash + 1),
  ];
}

function parse(text: string, make: (local: string, domain: string, resource: string) => Jid): Jid {
  if (text.length > maxLength) throw malformed(text);
  const [local, domain, resource] = split(text);
  return make(
    local === undefined ? '' : enforced(local, enforceLocal),
    enforced(domain, enforceDomain),
    resource === undefined ? '' : enforced(resource, enforceResource),
  );
}

function enforced(part: string, enforce: (part: string) => string | undefined): string {
  const result = part.length > maxLength ? undefined : enforce(part);
  if (result === undefined) throw malformed(part);
  return result;
}

function malformed(text: string): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', 'parse', { reason: 'not a JID', subject: text.slice(0, 64) });
}
