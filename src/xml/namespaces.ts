/** The namespace names that the library itself has to know. */

export const XML = 'http://www.w3.org/XML/1998/namespace';
export const XMLNS = 'http://www.w3.org/2000/xmlns/';
/** RFC 6120 section 4.8.2. */
export const CLIENT = 'jabber:client';
export const SERVER = 'jabber:server';
/** RFC 6120 section 8.3.2. */
export const STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
/** RFC 3923 section 9.1, as registered with IANA. */
export const E2E = 'urn:ietf:params:xml:ns:xmpp-e2e';
/**
 * The spelling without `:ns:` in the title of RFC 3923 section 9 and its error examples; read, never written.
 *
 * RFC 3923 deviation: section 9: of two spellings the registered one.
 */
export const E2E_MISSPELT = 'urn:ietf:params:xml:xmpp-e2e';
/** RFC 3863 section 4.1.1. */
export const PIDF = 'urn:ietf:params:xml:ns:pidf';
/** XEP-0203. */
export const DELAY = 'urn:xmpp:delay';
/** XEP-0334. */
export const HINTS = 'urn:xmpp:hints';
