/** The PRECIS profiles of localparts and resourceparts (RFC 8264, RFC 8265). */

const maxOctets = 1023;

/**
 * Enforces a localpart: UsernameCaseMapped (RFC 8265 section 3.3) and RFC 7622 section 3.3.1.
 *
 * @returns undefined when it is not allowed
 */
export function enforceLocal(text: string): string | undefined {
  if (text === '' || text.length > maxOctets || !/^[!#-%(-.0-9;=?A-~]*$/.test(text)) return undefined;
  return text.toLowerCase();
}

/**
 * Enforces a resourcepart: OpaqueString (RFC 8265 section 4.2).
 *
 * @returns undefined when it is not allowed
 */
export function enforceResource(text: string): string | undefined {
  return text === '' || text.length > maxOctets || !/^[ -~]*$/.test(text) ? undefined : text;
}
