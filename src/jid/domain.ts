/** Domainparts (RFC 7622 section 3.2) in one normal form: A-labels or an IP literal. */

/**
 * Enforces a domainpart.
 *
 * @returns undefined when it is not allowed
 */
export function enforceDomain(text: string): string | undefined {
  const domain = text.replace(/\.$/, '').toLowerCase();
  if (domain.length > 1023) return undefined;
  return domain.split('.').every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label)) ? domain : undefined;
}

/**
 * Whether a domainpart is written in normal form, as A-labels or as U-labels.
 *
 * @param text as written
 * @param enforced its enforced form
 */
export function isNormalDomain(text: string, enforced: string): boolean {
  return text === enforced;
}
