/** XMPP addresses (RFC 7622). */

/** An address in enforced form: two equal addresses are the same string. */
export class Jid {
  readonly local: string;
  /** Domain as A-labels or lower-case U-labels' A-form, without a final dot. */
  readonly domain: string;
  readonly resource: string;

  private constructor(local: string, domain: string, resource: string) {
    this.local = local;
    this.domain = domain;
    this.resource = resource;
    Object.freeze(this);
  }
}
