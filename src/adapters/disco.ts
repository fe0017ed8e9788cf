/** What is told to who asks for supported features (XEP-0030). */

import { E2E_NAMESPACE } from '../index.ts';

export const DISCO_INFO = 'http://jabber.org/protocol/disco#info';

/** An identity and features. */
export interface DiscoOptions {
  /** `client` unless given; see the XMPP registry of identities. */
  readonly category?: string | undefined;
  /** `pc` unless given. */
  readonly type?: string | undefined;
  readonly name?: string | undefined;
  /** Features besides those of this package. */
  readonly features?: readonly string[] | undefined;
}

/** The children of the answer: names and attributes. */
export function discoChildren(options: DiscoOptions): readonly (readonly [string, Record<string, string>])[] {
  const { category = 'client', type = 'pc', name, features = [] } = options;
  const identity = { category, type, ...(name === undefined ? {} : { name }) };
  const all = new Set([DISCO_INFO, E2E_NAMESPACE, ...features]);
  return [['identity', identity], ...[...all].map((feature) => ['feature', { var: feature }] as const)];
}
