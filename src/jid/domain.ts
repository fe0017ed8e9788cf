/** Domainparts (RFC 7622 section 3.2) in one normal form: A-labels, or an IP literal. */

import { hasRightToLeft, satisfiesBidiRule } from './bidi-rule.ts';
import { allows } from './code-points.ts';
import { mapCase, mapWidth } from './precis.ts';
import { decodePunycode } from './punycode.ts';

const maxOctets = 1023;
const maxLabel = 63;
/** RFC 5892 section 2.4: blocks of marks that IDNA2008 forbids and PRECIS does not. */
const ignorableBlocks = /[\u20D0-\u20FF\u{1D100}-\u{1D1FF}\u{1D200}-\u{1D24F}]/u;

/**
 * Enforces a domainpart.
 *
 *     domainpart = IP-literal / IPv4address / ifqdn
 *
 * Zone identifiers of IPv6 addresses mean something on one machine only and are refused.
 *
 * @returns undefined when it is not allowed
 */
export function enforceDomain(text: string): string | undefined {
  if (text.startsWith('[')) return enforceIpv6(text);
  if (/^[a-z0-9._-]*$/i.test(text)) {
    const domain = withoutFinalDot(text.toLowerCase());
    if (!domain.includes('xn--')) return isLdhDomain(domain) ? domain : undefined;
    // An A-label counts only if it is the A-label of its own U-label (RFC 5890 section 2.3.2.1).
    const unicode = unicodeDomain(domain);
    return unicode !== undefined && encode(unicode) === domain ? domain : undefined;
  }
  if (!text.isWellFormed()) return undefined;
  // RFC 5895 section 2, by erratum 4534 to RFC 7622: case, width, NFC, and the ideographic full stops.
  const dotted = text.replace(/[\u3002\uFF0E\uFF61]/g, '.');
  if (!dotted.split('.').every((label) => allows('identifier', mapWidth(label)))) return undefined;
  const domain = withoutFinalDot(mapCase(mapWidth(dotted)).normalize('NFC'));
  const decoded = unicodeDomain(domain);
  return decoded === undefined ? undefined : encode(decoded);
}

/**
 * Whether a domainpart is written in normal form, each label as A-label or as U-label.
 *
 * @param text as written
 * @param enforced its enforced form
 */
export function isNormalDomain(text: string, enforced: string): boolean {
  if (text === enforced) return true;
  const labels = text.split('.');
  const normal = enforced.split('.');
  return (
    labels.length === normal.length &&
    labels.every((label, i) => label === normal[i] || label === toUnicode(normal[i]!))
  );
}

function withoutFinalDot(domain: string): string {
  return domain.endsWith('.') ? domain.slice(0, -1) : domain;
}

/** Letters, digits, hyphens and, beyond the RFC, underscores, which deployed host names have. */
function isLdhDomain(domain: string): boolean {
  return domain.length <= maxOctets && domain.split('.').every(isLdhLabel);
}

function isLdhLabel(label: string): boolean {
  return label.length <= maxLabel && /^[a-z0-9_-]+$/.test(label) && hasProperHyphens(label);
}

/** No hyphen at an end, and none in the third and fourth place (RFC 5890 section 2.3.1, RFC 5891 section 4.2.3.1). */
function hasProperHyphens(label: string): boolean {
  return !label.startsWith('-') && !label.endsWith('-') && !/^..--/u.test(label);
}

/** Every A-label as U-label; undefined where one cannot be decoded. */
function unicodeDomain(domain: string): string | undefined {
  const labels: string[] = [];
  for (const label of domain.split('.')) {
    const decoded = toUnicode(label);
    if (decoded === undefined) return undefined;
    labels.push(decoded);
  }
  return labels.join('.');
}

/** The U-label of an A-label; any other label as it is; undefined for what no A-label is. */
export function toUnicode(label: string): string | undefined {
  if (!label.startsWith('xn--')) return label;
  return label.length > maxLabel ? undefined : decodePunycode(label.slice(4));
}

/** The A-labels of a domain of U-labels and LDH labels, each already in normal form. */
function encode(domain: string): string | undefined {
  const labels = domain.split('.');
  const isBidi = hasRightToLeft(domain);
  for (const label of labels) {
    if (label === '' || !hasProperHyphens(label) || !/^[a-z0-9_\-\u0080-\u{10FFFF}]*$/u.test(label)) return undefined;
    if (mapCase(mapWidth(label)).normalize('NFC') !== label || ignorableBlocks.test(label)) return undefined;
    // RFC 5891 section 4.2.3.2.
    if (/^\p{M}/u.test(label)) return undefined;
    if (!allows('identifier', label) || (isBidi && !satisfiesBidiRule(label))) return undefined;
  }
  // The last label keeps URL from reading digits as an IPv4 address.
  const ascii = hostOf(`${domain}.a`)?.slice(0, -2) ?? '';
  const encoded = ascii.split('.');
  const same = encoded.length === labels.length && encoded.every((label, i) => toUnicode(label) === labels[i]);
  return same && ascii.length <= maxOctets && encoded.every((label) => label.length <= maxLabel) ? ascii : undefined;
}

/** The one form of an address (RFC 5952), since `[::1]` and `[0:0::1]` are the same host. */
function enforceIpv6(text: string): string | undefined {
  if (!/^\[[0-9a-f:.]{2,45}\]$/i.test(text)) return undefined;
  return hostOf(text);
}

/** `URL.canParse` is no help: in Node 20, once compiled, it misreads text that fits into Latin-1. */
function hostOf(text: string): string | undefined {
  try {
    return new URL(`http://${text}/`).hostname;
  } catch {
    return undefined;
  }
}
