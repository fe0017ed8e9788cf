/** The people and the stanzas of the demonstration. */

import { Jid } from '../index.ts';

/** Who sends. */
export const juliet: Jid = Jid.parse('juliet@example.com/balcony');
/** Who receives. */
export const romeo: Jid = Jid.parse('romeo@example.net/orchard');

const addresses = `from='${juliet.toString()}' to='${romeo.toString()}'`;

/** A stanza to be shown. */
export interface DemoStanza {
  readonly name: string;
  readonly text: string;
  /** Why the object has the form that it has. */
  readonly about: string;
}

/** One stanza of each kind. */
export const demoStanzas: readonly [DemoStanza, ...DemoStanza[]] = [
  {
    name: 'message',
    text:
      `<message ${addresses} type='chat' id='m1'>` +
      "<subject xml:lang='en'>Tonight</subject><subject xml:lang='cs'>Dnes večer</subject>" +
      "<body xml:lang='en'>Wherefore art thou, Romeo?</body><body xml:lang='cs'>Pročež jsi ty, Romeo?</body>" +
      '<thread>e0ffe42b28561960c6b12b944a092794b9683a38</thread></message>',
    about: 'application/xmpp+xml, since CPIM has no place for the thread',
  },
  {
    name: 'presence',
    text:
      `<presence ${addresses} id='p1'><show>dnd</show>` +
      "<status xml:lang='en'>Wooing Romeo</status><status xml:lang='cs'>Dvořím se Romeovi</status>" +
      '<priority>1</priority></presence>',
    about: 'PIDF',
  },
  {
    name: 'iq',
    text:
      `<iq ${addresses} type='set' id='r1'><query xmlns='jabber:iq:roster'>` +
      "<item jid='nurse@example.com' name='Nurse' subscription='both'><group>Servants</group></item>" +
      "<item jid='benvolio@example.net' name='Benvolio' subscription='to'/></query></iq>",
    about: 'application/xmpp+xml, which holds any stanza',
  },
];
