/** Vectors without cryptography: addresses, times, XML, and payloads. Every expectation is written by hand. */
import { invalid, type Suite, valid } from './suite.ts';

const malformed = (id: string, comment: string, rfc: string, input: string): ReturnType<typeof invalid> =>
  invalid(id, comment, rfc, 'MALFORMED', 'parse', { input });
const accepted = (id: string, comment: string, rfc: string, input: string, output: string): ReturnType<typeof valid> =>
  valid(id, comment, rfc, { input, expect: { output } });

/** RFC 7622 addresses and the URIs of RFC 3922. */
export const addresses: Suite = {
  suite: 'formats/addresses',
  description: 'XMPP addresses in enforced form, and im:, pres: and xmpp: URIs read as addresses.',
  groups: [
    {
      operation: 'jid',
      tests: [
        accepted(
          'jid::case',
          'localpart and domain lose their case',
          'RFC 7622 §3.3',
          'Juliet@EXAMPLE.com/Balcony',
          'juliet@example.com/Balcony',
        ),
        accepted(
          'jid::final-dot',
          'a final dot is stripped',
          'RFC 7622 §3.2',
          'juliet@example.com.',
          'juliet@example.com',
        ),
        accepted(
          'jid::width',
          'full-width letters are mapped',
          'RFC 8265 §3.3',
          'ｊｕｌｉｅｔ@example.com',
          'juliet@example.com',
        ),
        accepted(
          'jid::resource-space',
          'a resource may begin with a space',
          'RFC 7622 erratum 4560',
          'juliet@example.com/ foo',
          'juliet@example.com/ foo',
        ),
        accepted(
          'jid::escaped',
          'escaped characters are not unescaped',
          'XEP-0106',
          'd\\27artagnan@example.com',
          'd\\27artagnan@example.com',
        ),
        malformed('jid::quote', 'a quotation mark in the localpart', 'RFC 7622 §3.3.1', '"juliet"@example.com'),
        malformed('jid::space', 'a space in the localpart', 'RFC 7622 §3.3', 'foo bar@example.com'),
        malformed('jid::no-local', 'an empty localpart', 'RFC 7622 §3.1', '@example.com'),
        malformed('jid::no-resource', 'an empty resourcepart', 'RFC 7622 §3.4', 'juliet@example.com/'),
        malformed('jid::too-long', 'a localpart of 1,024 octets', 'RFC 7622 §3.3', `${'a'.repeat(1024)}@example.com`),
        malformed(
          'jid::rtl-override',
          'a right-to-left override hides the real name',
          'RFC 8264 §9.7',
          'juliet\u202e@example.com',
        ),
        malformed('jid::roman-numeral', 'a compatibility character', 'RFC 7622 §3.5', 'henry\u2163@example.com'),
      ],
    },
    {
      operation: 'uri',
      tests: [
        accepted('uri::im', 'the plain case', 'RFC 3922 §3', 'im:juliet@example.com', 'juliet@example.com'),
        accepted(
          'uri::percent',
          'percent-encoded octets are UTF-8',
          'RFC 3922 §3',
          'im:tsch%C3%BCss@example.com',
          'tschüss@example.com',
        ),
        accepted(
          'uri::at',
          'an encoded @ is escaped in the address',
          'RFC 7247 §4',
          'im:user%40host@example.com',
          'user\\40host@example.com',
        ),
        accepted(
          'uri::xmpp-resource',
          'xmpp: URIs may name a resource',
          'RFC 5122 §2',
          'xmpp:juliet@example.com/balcony',
          'juliet@example.com/balcony',
        ),
        malformed('uri::header', 'a header is more than an address', 'RFC 3860 §3', 'im:juliet@example.com?subject=x'),
        malformed('uri::two-at', 'two @ in a mailbox', 'RFC 3860 §3', 'im:a@b@example.com'),
        malformed(
          'uri::overlong',
          'percent-encoded octets that are not UTF-8',
          'RFC 3986 §2.5',
          'im:%C0%AF@example.com',
        ),
        malformed('uri::scheme', 'another scheme', 'RFC 3922 §3', 'mailto:juliet@example.com'),
      ],
    },
  ],
};

/** RFC 3339 date-times. */
export const instants: Suite = {
  suite: 'formats/instants',
  description: 'RFC 3339 date-times and their form in UTC.',
  groups: [
    {
      operation: 'instant',
      tests: [
        accepted('instant::utc', 'a second', 'RFC 3339 §5.6', '2003-12-09T23:45:36Z', '2003-12-09T23:45:36.000Z'),
        accepted(
          'instant::offset',
          'an offset',
          'RFC 3339 §5.8',
          '1996-12-19T16:39:57-08:00',
          '1996-12-20T00:39:57.000Z',
        ),
        accepted(
          'instant::microseconds',
          'six digits',
          'RFC 3339 §5.6',
          '2003-12-09T23:45:36.66666666Z',
          '2003-12-09T23:45:36.666666Z',
        ),
        accepted(
          'instant::leap-second',
          'the leap second of 1990',
          'RFC 3339 §5.8',
          '1990-12-31T15:59:60-08:00',
          '1991-01-01T00:00:00.000Z',
        ),
        malformed('instant::february-30', 'no such day', 'RFC 3339 §5.7', '2003-02-30T00:00:00Z'),
        malformed('instant::hour-24', 'no such hour', 'RFC 3339 §5.6', '2003-02-03T24:00:00Z'),
        malformed('instant::no-offset', 'a local time', 'RFC 3339 §5.6', '2003-12-09T23:45:36'),
        malformed(
          'instant::leap-second-at-noon',
          'a leap second that cannot be',
          'RFC 3339 §5.7',
          '2003-12-09T12:00:60Z',
        ),
      ],
    },
  ],
};

const xmlns = `xmlns="urn:x"`;

/** XML as XMPP allows it, in exclusive canonical form. */
export const xml: Suite = {
  suite: 'formats/xml',
  description: 'XML as RFC 6120 section 11.1 restricts it, and its exclusive canonical form.',
  notes: {
    NamespaceConfusion: { kind: 'attack', description: 'two readers see two different elements' },
    EntityExpansion: { kind: 'attack', description: 'a few octets that grow to gigabytes or fetch a file' },
  },
  groups: [
    {
      operation: 'xml',
      tests: [
        accepted(
          'xml::attributes',
          'attributes are sorted, quotes are double',
          'exc-c14n §2',
          `<a b='2' a='1' ${xmlns}/>`,
          `<a ${xmlns} a="1" b="2"></a>`,
        ),
        accepted(
          'xml::cdata',
          'CDATA is text',
          'exc-c14n §2',
          `<a ${xmlns}><![CDATA[<&>]]></a>`,
          `<a ${xmlns}>&lt;&amp;&gt;</a>`,
        ),
        accepted(
          'xml::visibly-used',
          'unused namespaces go',
          'exc-c14n §2',
          `<a ${xmlns} xmlns:p='urn:p'><p:b/></a>`,
          `<a ${xmlns}><p:b xmlns:p="urn:p"></p:b></a>`,
        ),
        accepted(
          'xml::undeclared-default',
          'xmlns="" ends the default namespace',
          'XML Names §6.2',
          `<a ${xmlns}><b xmlns=''/></a>`,
          `<a ${xmlns}><b xmlns=""></b></a>`,
        ),
        accepted(
          'xml::carriage-return',
          'a CR by reference survives',
          'XML 1.0 §2.11',
          `<a ${xmlns}>x&#13;y</a>`,
          `<a ${xmlns}>x&#xD;y</a>`,
        ),
        {
          ...malformed('xml::doctype', 'a document type', 'RFC 6120 §11.1', `<!DOCTYPE a><a/>`),
          flags: ['EntityExpansion'],
        },
        {
          ...malformed('xml::entity', 'an entity that XML does not define', 'RFC 6120 §11.1', '<a>&nbsp;</a>'),
          flags: ['EntityExpansion'],
        },
        malformed('xml::comment', 'a comment', 'RFC 6120 §11.1', '<a>admin<!-- -->@evil</a>'),
        malformed('xml::instruction', 'a processing instruction', 'RFC 6120 §11.1', '<a><?php x?></a>'),
        {
          ...malformed('xml::undeclared-prefix', 'a prefix that nobody declared', 'XML Names §5', '<p:a/>'),
          flags: ['NamespaceConfusion'],
        },
        {
          ...malformed(
            'xml::same-attribute',
            'one attribute under two prefixes',
            'XML Names §6.3',
            `<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='' q:b=''/>`,
          ),
          flags: ['NamespaceConfusion'],
        },
        malformed('xml::two-roots', 'two elements', 'XML 1.0 §2.1', '<a/><b/>'),
        malformed('xml::control', 'a control character by reference', 'XML 1.0 §2.2', '<a>&#1;</a>'),
        malformed('xml::section-end', ']]> in text', 'XML 1.0 §2.4', '<a>]]></a>'),
        invalid('xml::depth', '65 elements in each other', 'RFC 6120 §13.12', 'LIMIT', 'parse', {
          input: '<a>'.repeat(65) + '</a>'.repeat(65),
        }),
      ],
    },
  ],
};

const at = '2003-12-09T11:45:36.660Z';
const cpimHead = 'Content-Type: Message/CPIM\r\n\r\nFrom: <im:juliet@example.com>\r\nTo: <im:romeo@example.net>\r\n';
const dated = `${cpimHead}DateTime: ${at}\r\n`;
const plain = 'Content-Type: text/plain; charset=utf-8\r\n\r\n';
const address = { from: 'juliet@example.com/balcony', to: 'romeo@example.net' };
const unread = (
  id: string,
  comment: string,
  rfc: string,
  input: string,
  code = 'PAYLOAD_INVALID',
): ReturnType<typeof invalid> => invalid(id, comment, rfc, code, 'parse', { input, ...address });

/** Payloads and the stanzas that they stand for. */
export const payloads: Suite = {
  suite: 'formats/payloads',
  description: 'Message/CPIM, PIDF and application/xmpp+xml: stanza to payload and back (RFC 3862, 3863, 3922, 3923).',
  notes: {
    SecondFrom: { kind: 'attack', description: 'a second sender that another reader might see first' },
    StanzaSmuggling: { kind: 'attack', description: 'content that is delivered as something else than what was sent' },
  },
  groups: [
    {
      operation: 'reconstruct',
      tests: [
        valid('payload::cpim', 'a message with a subject', 'RFC 3922 §4', {
          input: `${dated}Subject: Imploring\r\n\r\n${plain}Wherefore art thou, Romeo?`,
          ...address,
          type: 'chat',
          messageId: 'm1',
          expect: {
            form: 'cpim',
            stanza: `<message from='juliet@example.com/balcony' to='romeo@example.net' id='m1' type='chat'><subject>Imploring</subject><body>Wherefore art thou, Romeo?</body></message>`,
          },
        }),
        valid('payload::cpim-languages', 'two subjects in two languages', 'RFC 3862 §3.5', {
          input: `${dated}Subject: Imploring\r\nSubject:;lang=cs Úpěnlivá prosba\r\n\r\n${plain}Hi`,
          ...address,
          expect: {
            stanza: `<message from='juliet@example.com/balcony' to='romeo@example.net'><subject>Imploring</subject><subject xml:lang='cs'>Úpěnlivá prosba</subject><body>Hi</body></message>`,
          },
        }),
        valid('payload::cpim-escapes', 'escapes in a header', 'RFC 3862 §2.3.3', {
          input: `${dated}Subject: a\\\\b\\u00e9\r\n\r\n${plain}Hi`,
          ...address,
          expect: {
            stanza: `<message from='juliet@example.com/balcony' to='romeo@example.net'><subject>a\\bé</subject><body>Hi</body></message>`,
          },
        }),
        valid('payload::xmpp-xml', 'an iq in application/xmpp+xml inside CPIM', 'RFC 3923 §5', {
          input: `${dated}\r\nContent-Type: application/xmpp+xml; charset=utf-8\r\n\r\n<?xml version='1.0' encoding='UTF-8'?><xmpp xmlns='jabber:client'><iq type='result' id='q1' from='juliet@example.com/balcony' to='romeo@example.net'/></xmpp>`,
          ...address,
          expect: {
            form: 'xmpp+xml',
            stanza: `<iq from='juliet@example.com/balcony' to='romeo@example.net' id='q1' type='result'/>`,
          },
        }),
        valid('payload::pidf', 'presence in PIDF inside CPIM', 'RFC 3922 §5, RFC 8048 §5', {
          input: `${dated}\r\nContent-Type: application/pidf+xml; charset=utf-8\r\n\r\n<?xml version='1.0' encoding='UTF-8'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:juliet@example.com'><tuple id='ID-balcony'><status><basic>open</basic><show xmlns='jabber:client'>away</show></status><note xml:lang='en'>retired to the chamber</note></tuple></presence>`,
          ...address,
          expect: {
            form: 'pidf',
            stanza: `<presence from='juliet@example.com/balcony' to='romeo@example.net'><show>away</show><status xml:lang='en'>retired to the chamber</status></presence>`,
          },
        }),
        {
          ...unread(
            'payload::two-from',
            'From twice',
            'RFC 3862 §4.1',
            `${cpimHead}From: <im:mallory@example.org>\r\n\r\n${plain}Hi`,
          ),
          flags: ['SecondFrom'],
        },
        {
          ...unread(
            'payload::case-twin',
            'from: beside From:',
            'RFC 3862 §2.1',
            `${cpimHead}from: <im:mallory@example.org>\r\n\r\n${plain}Hi`,
          ),
          flags: ['SecondFrom'],
        },
        {
          ...unread(
            'payload::namespace-alias',
            'a second From through a prefix of the same namespace',
            'RFC 3862 §2.2',
            `${cpimHead}NS: x <urn:ietf:params:cpim-headers:>\r\nx.From: <im:mallory@example.org>\r\n\r\n${plain}Hi`,
          ),
          flags: ['SecondFrom'],
        },
        unread(
          'payload::folded',
          'a folded header line',
          'RFC 3862 §2.3',
          `${cpimHead}Subject: a\r\n b\r\n\r\n${plain}Hi`,
        ),
        unread(
          'payload::charset',
          'a charset that is not UTF-8',
          'RFC 3862 §5.1',
          `${dated}\r\nContent-Type: text/plain; charset=utf-16\r\n\r\nHi`,
          'UNSUPPORTED',
        ),
        {
          ...unread(
            'payload::nested-cpim',
            'CPIM inside CPIM',
            'RFC 3923 §5',
            `${dated}\r\n${dated}\r\n${plain}Hi`,
            'LAYERS_REFUSED',
          ),
          flags: ['StanzaSmuggling'],
        },
        {
          ...unread(
            'payload::two-stanzas',
            'two stanzas in one object',
            'RFC 3923 §5',
            `Content-Type: application/xmpp+xml\r\n\r\n<xmpp xmlns='jabber:client'><message/><message/></xmpp>`,
          ),
          flags: ['StanzaSmuggling'],
        },
        {
          ...unread(
            'payload::no-stanza',
            'an object without a stanza',
            'RFC 3923 §5',
            `Content-Type: application/xmpp+xml\r\n\r\n<xmpp xmlns='jabber:client'/>`,
          ),
          flags: ['StanzaSmuggling'],
        },
        {
          ...unread(
            'payload::nested-e2e',
            'a sealed stanza inside',
            'RFC 3923 §5',
            `Content-Type: application/xmpp+xml\r\n\r\n<xmpp xmlns='jabber:client'><message><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>x</e2e></message></xmpp>`,
            'LAYERS_REFUSED',
          ),
          flags: ['StanzaSmuggling'],
        },
      ],
    },
    {
      operation: 'map',
      at,
      tests: [
        valid('map::message', 'a plain message becomes CPIM', 'RFC 3922 §4', {
          input: `<message from='juliet@example.com/balcony' to='romeo@example.net'><body>Hi</body></message>`,
          expect: { form: 'cpim', output: `${dated}\r\n${plain}Hi` },
        }),
        valid('map::subject-language', 'the language of a subject', 'RFC 3862 §3.5', {
          input: `<message from='juliet@example.com/balcony' to='romeo@example.net'><subject xml:lang='cs'>Úpěnlivá prosba</subject><body>Hi</body></message>`,
          expect: { form: 'cpim', output: `${dated}Subject:;lang=cs Úpěnlivá prosba\r\n\r\n${plain}Hi` },
        }),
        valid('map::thread', 'what CPIM cannot say goes into application/xmpp+xml, on one line', 'RFC 3923 §5', {
          input: `<message from='juliet@example.com/balcony' to='romeo@example.net'><body>a\nb</body><thread>t</thread></message>`,
          expect: {
            form: 'xmpp+xml',
            output: `${dated}\r\nContent-Type: application/xmpp+xml; charset=utf-8\r\n\r\n<?xml version='1.0' encoding='UTF-8'?><xmpp xmlns="jabber:client"><message from="juliet@example.com/balcony" to="romeo@example.net"><body>a&#xA;b</body><thread>t</thread></message></xmpp>`,
          },
        }),
        invalid('map::thread-as-cpim', 'a thread that CPIM would lose', 'RFC 3922 §4.1', 'UNMAPPABLE', 'map', {
          input: `<message from='juliet@example.com/balcony' to='romeo@example.net'><body>Hi</body><thread>t</thread></message>`,
          form: 'cpim',
        }),
        invalid('map::iq-as-cpim', 'an iq has no mapping to CPIM', 'RFC 3922 §6', 'UNMAPPABLE', 'map', {
          input: `<iq type='get' id='q1' from='juliet@example.com/balcony' to='romeo@example.net'/>`,
          form: 'cpim',
        }),
        invalid(
          'map::subscription-as-pidf',
          'a subscription has no mapping to PIDF',
          'RFC 3922 §5.1',
          'UNMAPPABLE',
          'map',
          {
            input: `<presence type='subscribe' from='juliet@example.com/balcony' to='romeo@example.net'/>`,
            form: 'pidf',
          },
        ),
      ],
    },
  ],
};
