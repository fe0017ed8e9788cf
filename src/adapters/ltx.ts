/** Reads the outside of an element of ltx, the XML library of xmpp.js. */

import type { Glance } from '../index.ts';

interface Ltx {
  readonly name: string;
  readonly attrs: Readonly<Record<string, string | undefined>>;
  readonly children: readonly unknown[];
}

/**
 * The outside of a stanza.
 *
 * @param streamNamespace the namespace of a child that names none and whose parents name none
 */
export function glanceLtx(element: Ltx, streamNamespace = 'jabber:client'): Glance {
  const { name, attrs, children } = element;
  const inherited = attrs['xmlns'] ?? streamNamespace;
  const found: { name: string; namespace: string }[] = [];
  for (const child of children) {
    if (typeof child !== 'object' || child === null) continue;
    const { name: qualified, attrs: own } = child as Partial<Ltx>;
    if (typeof qualified !== 'string' || typeof own !== 'object') continue;
    const colon = qualified.indexOf(':');
    const prefix = qualified.slice(0, Math.max(colon, 0));
    const declared = colon === -1 ? own['xmlns'] : (own[`xmlns:${prefix}`] ?? attrs[`xmlns:${prefix}`]);
    found.push({ name: qualified.slice(colon + 1), namespace: declared ?? (colon === -1 ? inherited : '') });
  }
  return { name, from: attrs['from'], to: attrs['to'], type: attrs['type'], id: attrs['id'], children: found };
}
