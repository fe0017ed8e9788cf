/**
 * Name constraints (RFC 5280 sections 4.2.1.10 and 6.1.3 (b), (c)).
 *
 *     NameConstraints ::= SEQUENCE {
 *         permittedSubtrees [0] GeneralSubtrees OPTIONAL,
 *         excludedSubtrees  [1] GeneralSubtrees OPTIONAL }
 *     GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF GeneralSubtree
 *     GeneralSubtree ::= SEQUENCE {
 *         base    GeneralName,
 *         minimum [0] BaseDistance DEFAULT 0,
 *         maximum [1] BaseDistance OPTIONAL }
 *
 * A constraint whose form cannot be evaluated refuses every certificate with a name of that form, also where the
 * extension is not critical: an ignored constraint on otherName would let a constrained CA issue for any XMPP address.
 */

import { oids } from '../asn1/oids.ts';
import { type Asn1Node, contextTag, tags } from '../asn1/reader.ts';
import { type DistinguishedName, isWithinSubtree } from './distinguished-name.ts';
import { type GeneralName, type GeneralNameForm, parseGeneralName } from './general-names.ts';

/** The subtrees of one extension, by form of name. */
export type Subtrees = ReadonlyMap<GeneralNameForm, readonly GeneralName[]>;

/** One NameConstraints extension. */
export interface NameConstraints {
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
}

/** The names of a certificate that constraints apply to. */
export interface ConstrainedNames {
  readonly subject: DistinguishedName;
  readonly subjectAltName: readonly GeneralName[] | undefined;
}

/** Comparisons left; refuses certificates that multiply many names with many subtrees. */
export interface ComparisonBudget {
  left: number;
}

/** As in other implementations: enough for every certificate in use, a second at most for a hostile one. */
export const mostComparisons: number = 1 << 20;

const mostSubtrees = 16_384;

/**
 * Reads a NameConstraints extension.
 *
 * @throws {E2eError} MALFORMED, also for an extension that constrains nothing, a minimum or maximum, an address mask
 * with holes; LIMIT
 */
export function parseNameConstraints(node: Asn1Node): NameConstraints {
  const inside = node.sequence();
  const permitted = inside.optional(contextTag(0));
  const excluded = inside.optional(contextTag(1));
  inside.end();
  // "Conforming CAs MUST NOT issue certificates where name constraints is an empty sequence."
  if (permitted === undefined && excluded === undefined) throw node.malformed('empty nameConstraints');
  return { permitted: parseSubtrees(permitted), excluded: parseSubtrees(excluded) };
}

function parseSubtrees(node: Asn1Node | undefined): Subtrees {
  const subtrees = new Map<GeneralNameForm, GeneralName[]>();
  const elements = node?.elements(mostSubtrees) ?? [];
  if (node !== undefined && elements.length === 0) throw node.malformed('empty subtrees');
  for (const element of elements) {
    const inside = element.sequence();
    const base = parseGeneralName(inside.next(), 'constraint');
    // "the minimum MUST be zero, and maximum MUST be absent": in DER, zero is absent too.
    if (!inside.done) throw element.malformed('distance in name constraints');
    if (base.form === 'iPAddress' && !isContiguousMask(base.octets)) throw element.malformed('address mask');
    const list = subtrees.get(base.form);
    if (list === undefined) subtrees.set(base.form, [base]);
    else list.push(base);
  }
  return subtrees;
}

/**
 * Checks the names of one certificate against the constraints of all CAs above it.
 *
 * @param constraints those of every certificate between the anchor and this one
 * @param budget shared by the whole path
 * @returns why a name is not allowed, or undefined
 */
export function checkNameConstraints(
  names: ConstrainedNames,
  constraints: readonly NameConstraints[],
  budget: ComparisonBudget,
): string | undefined {
  if (constraints.length === 0) return undefined;
  const subject = namesOf(names);
  // Counted ahead and for all forms: an upper bound of the work.
  for (const { permitted, excluded } of constraints) budget.left -= subject.length * (size(permitted) + size(excluded));
  if (budget.left < 0) return 'too many names and name constraints';
  for (const name of subject) {
    for (const { permitted, excluded } of constraints) {
      const refusal = checkName(name, permitted.get(name.form), excluded.get(name.form));
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}

function size(subtrees: Subtrees): number {
  let count = 0;
  for (const list of subtrees.values()) count += list.length;
  return count;
}

function checkName(
  name: GeneralName,
  permitted: readonly GeneralName[] = [],
  excluded: readonly GeneralName[] = [],
): string | undefined {
  if (permitted.length + excluded.length === 0) return undefined;
  const unchecked = uncheckable(name);
  if (unchecked !== undefined) return unchecked;
  if (excluded.some((base) => matches(name, base, true)))
    return `the name constraints of a CA above exclude its ${name.form}`;
  if (permitted.length > 0 && !permitted.some((base) => matches(name, base, false))) {
    return `the name constraints of a CA above do not permit its ${name.form}`;
  }
  return undefined;
}

/** Every name in a certificate that a constraint can apply to. */
function namesOf({ subject, subjectAltName = [] }: ConstrainedNames): readonly GeneralName[] {
  const names: GeneralName[] = [...subjectAltName];
  if (subject.rdns.length > 0) names.push({ form: 'directoryName', name: subject });
  // RFC 8398 section 6: constraints on rfc822Name apply to it; no form of theirs fits a non-ASCII local part.
  if (subjectAltName.some((name) => name.form === 'otherName' && name.type === oids.smtpUtf8Mailbox)) {
    names.push(unreadableMailbox);
  }
  const hasDns = subjectAltName.some(({ form }) => form === 'dNSName');
  for (const { oid, tag, text } of subject.rdns.flat()) {
    // Asked for where there is no rfc822Name; done always, since mail software shows both.
    if (oid === oids.emailAddress) {
      names.push(text === undefined || tag !== tags.ia5String ? unreadableMailbox : { form: 'rfc822Name', text });
    }
    // Beyond the RFC: a common name that is read as a host name must not evade the constraints on host names.
    if (oid === oids.commonName && text !== undefined && !hasDns && !text.endsWith('.') && isHostName(text)) {
      names.push({ form: 'dNSName', text });
    }
  }
  return names;
}

const unreadableMailbox: GeneralName = { form: 'rfc822Name', text: '' };

/** @returns why a name under a constraint of its form cannot be evaluated, or undefined */
function uncheckable(name: GeneralName): string | undefined {
  switch (name.form) {
    case 'otherName':
    case 'x400Address':
    case 'ediPartyName':
    case 'registeredID':
      return `a CA above has name constraints on ${name.form}, which cannot be evaluated`;
    case 'uniformResourceIdentifier':
      // "If a constraint is applied ... and a subsequent certificate includes a ... URI that does not include an
      // authority component with a host name specified as a fully qualified domain name ... then the application
      // MUST reject": true of every im: and pres: URI.
      return uriHost(name.text) === undefined
        ? 'a CA above has name constraints on URIs, and its URI has no host (im: and pres: have none)'
        : undefined;
    case 'rfc822Name':
      return mailbox(name.text) === undefined
        ? 'a CA above has name constraints on rfc822Name, and its mail address cannot be evaluated'
        : undefined;
    default:
      return undefined;
  }
}

/** @param excluding a base that cannot be read permits nothing and excludes everything */
function matches(name: GeneralName, base: GeneralName, excluding: boolean): boolean {
  if (name.form === 'directoryName' && base.form === 'directoryName') return isWithinSubtree(name.name, base.name);
  if (name.form === 'iPAddress' && base.form === 'iPAddress') return addressMatches(name.octets, base.octets);
  if (name.form === 'dNSName' && base.form === 'dNSName') return dnsMatches(name.text, base.text, excluding);
  if (name.form === 'uniformResourceIdentifier' && base.form === 'uniformResourceIdentifier') {
    return hostMatches(uriHost(name.text)!, base.text, excluding);
  }
  if (name.form === 'rfc822Name' && base.form === 'rfc822Name') return mailMatches(name.text, base.text, excluding);
  return false;
}

/** Zero or more labels added to the left of the base; the empty base is above every name. */
function dnsMatches(name: string, base: string, excluding: boolean): boolean {
  const host = withoutFinalDot(name.toLowerCase());
  const root = withoutFinalDot(base.toLowerCase());
  if (base === '') return true;
  // A lone dot is above no name.
  if (root === '') return false;
  if (root.startsWith('.')) return host.endsWith(root) && (excluding || host.length > root.length);
  if (host === root || host.endsWith(`.${root}`)) return true;
  // A wildcard also stands for names under an excluded base one label below it.
  if (!excluding || !host.startsWith('*.')) return false;
  const parent = host.slice(1);
  return root.endsWith(parent) && !root.slice(0, -parent.length).includes('.');
}

/** A base names a host, or with a period at its beginning every host below a domain. */
function hostMatches(host: string, base: string, excluding: boolean): boolean {
  const root = base.toLowerCase();
  if (!isHostName(root.startsWith('.') ? `x${root}` : root, 1)) return excluding;
  return root.startsWith('.') ? host.endsWith(root) && host.length > root.length : host === root;
}

function mailMatches(address: string, base: string, excluding: boolean): boolean {
  const { local, host } = mailbox(address)!;
  if (!base.includes('@')) return hostMatches(host, base, excluding);
  const root = mailbox(base);
  if (root === undefined) return excluding;
  // Section 7.5: local parts differ by case, yet an emailAddress attribute is compared without regard to it.
  const sameLocal = excluding ? local.toLowerCase() === root.local.toLowerCase() : local === root.local;
  return sameLocal && host === root.host;
}

function addressMatches(address: Uint8Array, base: Uint8Array): boolean {
  const size = address.length;
  if (base.length !== size * 2) return false;
  for (let i = 0; i < size; i++) if (((address[i]! ^ base[i]!) & base[size + i]!) !== 0) return false;
  return true;
}

/** RFC 4632: a mask is a row of ones and then zeros. */
function isContiguousMask(octets: Uint8Array): boolean {
  const mask = octets.subarray(octets.length / 2);
  let ended = false;
  for (const octet of mask) {
    if (ended ? octet !== 0 : (~octet & 0xff & ((~octet & 0xff) + 1)) !== 0) return false;
    if (octet !== 0xff) ended = true;
  }
  return true;
}

function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** The host of the authority of a URI (RFC 3986 section 3.2.2), in lower case; undefined unless it is a host name. */
function uriHost(uri: string): string | undefined {
  const colon = uri.indexOf(':');
  if (colon < 1 || !uri.startsWith('//', colon + 1)) return undefined;
  let authority = uri.slice(colon + 3);
  const stop = authority.search(/[/?#]/);
  if (stop !== -1) authority = authority.slice(0, stop);
  authority = authority.slice(authority.lastIndexOf('@') + 1);
  const port = authority.indexOf(':');
  const host = (port === -1 ? authority : authority.slice(0, port)).toLowerCase();
  return isHostName(host) ? host : undefined;
}

/** The parts of a mailbox without quoting or comments; undefined for anything else. */
function mailbox(address: string): { readonly local: string; readonly host: string } | undefined {
  const at = address.indexOf('@');
  const local = address.slice(0, at);
  const host = address.slice(at + 1).toLowerCase();
  if (at < 1 || !/^[!#-'*+\-./0-9=?A-Z^-~]+$/.test(local) || !/^[-_.a-z0-9]+$/.test(host)) return undefined;
  return { local, host };
}

/** Letters, digits, hyphens and underscores in at least so many labels. */
function isHostName(text: string, fewest = 2): boolean {
  if (text.length > 255) return false;
  const labels = withoutFinalDot(text).split('.');
  // A name that ends in a number is an address.
  if (/^\d+$/.test(labels.at(-1)!)) return false;
  return (
    labels.length >= fewest && labels.every((label) => /^[A-Za-z0-9_-]{1,63}$/.test(label) && !/^-|-$/.test(label))
  );
}
