/** The Content-Type field (RFC 2045 section 5). */

/** A parsed Content-Type. */
export interface ContentType {
  /** Lower-case `type/subtype`. */
  readonly type: string;
  /** Parameters by lower-case name, values as written. */
  readonly parameters: ReadonlyMap<string, string>;
}
