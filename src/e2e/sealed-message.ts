/** What goes beside `<e2e/>` for clients that cannot open it, and the size of the whole on the wire. */

import { E2eError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { element, type XmlElement } from '../xml/element.ts';
import { CLIENT, E2E } from '../xml/namespaces.ts';
import { serializeXml } from '../xml/serialize.ts';

/** What to add to a sealed message. */
export interface Marks {
  /** XEP-0380. */
  readonly announce?: boolean | undefined;
  readonly fallbackBody?: string | undefined;
}

/** Adds to a sealed message what tells other clients that it is one. Presence and iq stay as they are. */
export function addMarks(sealed: XmlElement, { announce = false, fallbackBody }: Marks): XmlElement {
  if (sealed.name !== 'message') return sealed;
  const children = [...sealed.children];
  // The profile of a foreign client may have put one there.
  if (fallbackBody !== undefined && sealed.first('body') === undefined)
    children.push(element('body', sealed.namespace, {}, [fallbackBody]));
  const encryption = { namespace: E2E, name: 'RFC 3923' };
  if (announce && sealed.first('encryption', 'urn:xmpp:eme:0') === undefined) {
    children.push(element('encryption', 'urn:xmpp:eme:0', encryption));
  }
  return sealed.withChildren(children);
}

/**
 * Refuses a stanza that the server would close the stream for, however the SDK escapes it.
 *
 * @throws {E2eError} LIMIT with the limit in its reason
 */
export function requireWireSize(stanza: XmlElement, limits: Limits): void {
  if (wireOctets(stanza) <= limits.stanzaBytes) return;
  const reason = `the sealed stanza exceeds ${limits.stanzaBytes} octets`;
  throw new E2eError('ERR_E2E_LIMIT', 'encrypt', { reason });
}

/** Octets in UTF-8, with quotes as `&quot;` and `&apos;`, as some SDKs write them in text too. */
function wireOctets(stanza: XmlElement): number {
  const text = serializeXml(stanza, { namespace: CLIENT });
  let octets = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x22 || unit === 0x27) octets += 6;
    else if (unit < 0x80) octets += 1;
    else if (unit < 0x800 || (unit & 0xf800) === 0xd800) octets += 2;
    else octets += 3;
  }
  return octets;
}
