/** The namespaces in which a stanza can stand (RFC 6120 section 4.8.2), brought to `jabber:client`. */

import { XmlElement } from './element.ts';
import { CLIENT, SERVER } from './namespaces.ts';
import { mapElements } from './walk.ts';

/** XEP-0114: `jabber:component:accept` and `jabber:component:connect`. */
const componentStart = 'jabber:component:';

/** Whether a stanza may stand in a namespace on some stream; none at all stands for the stream's. */
export function isStanzaNamespace(namespace: string): boolean {
  return namespace === '' || namespace === CLIENT || namespace === SERVER || namespace.startsWith(componentStart);
}

/**
 * A stanza in `jabber:client`: its own element and every descendant in the same namespace. Other trees are returned
 * unchanged.
 */
export function withClientNamespace(stanza: XmlElement): XmlElement {
  const { namespace } = stanza;
  if (namespace === CLIENT || !isStanzaNamespace(namespace)) return stanza;
  return mapElements(stanza, (element) =>
    element.namespace === namespace
      ? new XmlElement(element.prefix, CLIENT, element.name, element.attributes, element.children)
      : element,
  );
}
