/** Vectors of sealed stanzas: what must open, and one refusal for each thing that can be wrong. */
import { utf8 } from '../../src/bytes.ts';
import type { Vector, VectorGroup } from '../../src/cli/vector-file.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import {
  Jid,
  parseXml,
  rfc3923Policy,
  defaultLimits,
  type SecurityBackend,
  sealStanza,
  serializeXml,
} from '../../src/index.ts';
import { type Cast, juliet, mallory, romeo, stranger } from './people.ts';
import { invalid, type Suite, valid } from './suite.ts';

const at = '2026-11-22T12:00:00.000Z';
const now = new Date(at);
const cdata = { cdata: (element: { name: string }): boolean => element.name === 'e2e' };
const open = `from='${juliet}/balcony' to='${romeo}/orchard'`;
const chat = `<message ${open} id='m1' type='chat'><subject>Imploring</subject><body>Wherefore art thou, Romeo?</body></message>`;
const presence = `<presence ${open}><show>dnd</show><status>courting</status><priority>1</priority></presence>`;
const iq = `<iq ${open} id='q1' type='result'><query xmlns='jabber:iq:roster'><item jid='nurse@example.com'/></query></iq>`;

/** Hand-made objects, signed and encrypted by the backend as it is told. */
function workshop(backend: SecurityBackend) {
  const call = { at: now, algorithms: rfc3923Policy.algorithms, limits: defaultLimits, signal: undefined } as const;
  const jid = (text: string): Jid => Jid.parse(text);
  const message = `<message xmlns='jabber:client' ${open} id='m1' type='chat'/>`;
  return {
    cpim(headers: { from?: string; to?: string; dateTime?: string } = {}, body = 'Hi'): Uint8Array {
      const { from = juliet, to = romeo, dateTime = at } = headers;
      const head = `From: <im:${from}>\r\nTo: <im:${to}>\r\nDateTime: ${dateTime}\r\n`;
      return utf8(
        `Content-Type: Message/CPIM\r\n\r\n${head}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}`,
      );
    },
    xmppXml(stanza: string): Uint8Array {
      const head = `From: <im:${juliet}>\r\nTo: <im:${romeo}>\r\nDateTime: ${at}\r\n`;
      const inner = `Content-Type: application/xmpp+xml; charset=utf-8\r\n\r\n<xmpp xmlns='jabber:client'>${stanza}</xmpp>`;
      return utf8(`Content-Type: Message/CPIM\r\n\r\n${head}\r\n${inner}`);
    },
    sign: (
      content: Uint8Array,
      signer = juliet,
      includeCertificate = true,
      recipients = [romeo],
    ): Promise<Uint8Array> =>
      backend.sign({
        ...call,
        content,
        signer: jid(signer),
        recipients: recipients.map(jid),
        includeCertificate,
        profile: 'modern',
      }),
    encrypt: (content: Uint8Array, recipient = romeo): Promise<Uint8Array> =>
      backend.encrypt({ ...call, content, recipients: [jid(recipient)], hidden: false, profile: 'modern' }),
    stanza: (entity: Uint8Array, outer = message): string => serializeXml(wrap(parseXml(outer), entity)),
  };
}

/** Changes one base64 digit in the middle of the last run of base64 lines. */
function flip(text: string, where: (text: string) => number): string {
  const index = where(text);
  return `${text.slice(0, index)}${text[index] === 'A' ? 'B' : 'A'}${text.slice(index + 1)}`;
}

const middleOf = (text: string): number => {
  const begin = text.indexOf('\n\n', text.indexOf('<e2e'));
  return Math.floor((begin + text.indexOf('</e2e>')) / 2);
};

/** The suite of one cast. */
export async function securitySuite(cast: Cast, description: string): Promise<Suite> {
  const { backend, folder } = cast;
  const shop = workshop(backend);
  const name = backend.name as 'smime' | 'openpgp';
  const id = (rest: string): string => `${folder}::${rest}`;
  const seal = (stanza: string, options: object = {}): Promise<string> =>
    sealStanza(parseXml(stanza, { defaultNamespace: 'jabber:client' }), { backend, at: now, ...options }).then(
      (sealed) => serializeXml(sealed, cdata),
    );
  const good = (protection: Vector['protection'], stanza: string, more: object = {}): object => ({
    backend: name,
    protection,
    sender: juliet,
    time: 'ok',
    recipientBound: true,
    authenticated: true,
    stanza,
    ...more,
  });
  const refused = (
    rest: string,
    comment: string,
    rfc: string,
    code: string,
    stage: string,
    input: string,
    more: object = {},
  ): Vector => invalid(id(rest), comment, rfc, code, stage, { input, ...more });

  const signed = await seal(chat, { protection: 'sign' });
  const sealed = await seal(chat);
  const sealedIq = await seal(iq);
  const unsigned = await seal(chat, { protection: 'encrypt' });
  const nested = shop.stanza(await shop.encrypt(await shop.sign(shop.cpim())));
  const minutes = (count: number): string => new Date(now.getTime() + count * 60_000).toISOString();

  const tests: Vector[] = [
    valid(id('open::sign'), 'a signed message', 'RFC 3923 §3', {
      input: signed,
      expect: good('sign', chat, { form: 'cpim' }),
    }),
    valid(id('open::sign-encrypt'), 'a signed and encrypted message', 'RFC 3923 §3', {
      input: sealed,
      expect: good('sign+encrypt', chat),
    }),
    valid(id('open::text'), 'escaped text in place of CDATA, lines ended by LF', 'RFC 3923 §3.1', {
      input: serializeXml(parseXml(sealed)),
      expect: good('sign+encrypt', chat),
    }),
    valid(id('open::signed-inside'), 'multipart/signed inside the encrypted object', 'RFC 3923 §3', {
      input: nested,
      expect: { protection: 'sign+encrypt', sender: juliet },
    }),
    valid(id('open::presence'), 'signed and encrypted presence', 'RFC 3923 §4', {
      input: await seal(presence),
      expect: good('sign+encrypt', presence),
    }),
    valid(id('open::iq'), 'a signed and encrypted iq', 'RFC 3923 §5', {
      input: sealedIq,
      expect: good('sign+encrypt', iq, { form: 'xmpp+xml' }),
    }),
    valid(id('open::delayed'), 'an old message from an archive', 'RFC 3923 §6.9', {
      input: sealed,
      context: 'archive',
      at: '2026-11-23T12:00:00Z',
      expect: { time: 'delayed', sender: juliet },
    }),
    valid(id('open::window'), 'five minutes old to the second', 'RFC 3923 §6.9', {
      input: sealed,
      at: minutes(5),
      expect: { time: 'ok' },
    }),
    refused('open::old', 'older than five minutes', 'RFC 3923 §6.9', 'TIMESTAMP', 'check', sealed, {
      at: '2026-11-22T12:05:00.001Z',
    }),
    refused('open::future', 'from the future', 'RFC 3923 §6.9', 'TIMESTAMP', 'check', sealed, {
      at: '2026-11-22T11:54:59.999Z',
    }),
    refused('open::replayed', 'the same stanza twice', 'RFC 3923 §11', 'REPLAYED', 'check', sealed, { repeat: 2 }),
    refused(
      'open::content-changed',
      'signed text changed on the way',
      'RFC 3923 §6',
      'SIGNATURE_INVALID',
      'verify',
      signed.replace('art thou', 'are thou'),
    ),
    refused(
      'open::ciphertext-changed',
      'one base64 digit of the encrypted object changed',
      'RFC 3923 §7',
      'DECRYPTION_FAILED',
      'decrypt',
      flip(sealed, middleOf),
    ),
    refused(
      'open::for-another',
      'encrypted for somebody else',
      'RFC 3923 §7',
      'NO_DECRYPTION_KEY',
      'decrypt',
      shop.stanza(await shop.encrypt(await shop.sign(shop.cpim()), mallory)),
    ),
    refused('open::unsigned', 'encrypted and not signed', 'RFC 3923 §6', 'UNSIGNED', 'verify', unsigned),
    refused(
      'open::unknown-signer',
      'signed by somebody unknown, without a certificate',
      'RFC 3923 §6.2',
      'SIGNER_UNKNOWN',
      'verify',
      shop.stanza(
        await shop.sign(shop.cpim({ from: stranger }), stranger, false),
        `<message xmlns='jabber:client' from='${stranger}/x' to='${romeo}'/>`,
      ),
    ),
    refused(
      'open::from-changed',
      'the stanza is said to come from another contact',
      'RFC 3923 §6.3',
      name === 'smime' ? 'SIGNER_UNTRUSTED' : 'SIGNER_UNKNOWN',
      'verify',
      sealed.replaceAll(juliet, mallory),
    ),
    refused(
      'open::cpim-from',
      'CPIM From is not the signer',
      'RFC 3923 §6.3',
      'SENDER_MISMATCH',
      'check',
      shop.stanza(await shop.sign(shop.cpim({ from: mallory }))),
    ),
    refused(
      'open::forwarded',
      'signed for another and encrypted again to me',
      'RFC 3923 §6',
      'RECIPIENT_MISMATCH',
      'check',
      shop.stanza(await shop.encrypt(await shop.sign(shop.cpim({ to: mallory }), juliet, true, [mallory]))),
    ),
    refused(
      'open::times-differ',
      'CPIM DateTime and the time in the signature differ',
      'RFC 3923 §6.9',
      'TIMESTAMP',
      'check',
      shop.stanza(await shop.sign(shop.cpim({ dateTime: minutes(-6) }))),
      { at: minutes(-3) },
    ),
    refused(
      'open::get-to-set',
      'the type of an iq changed on the way',
      'RFC 3923 §5',
      'PAYLOAD_INVALID',
      'check',
      sealedIq.replace('type="result"', 'type="set"'),
    ),
    refused(
      'open::kind',
      'a message payload in a presence',
      'RFC 3923 §3',
      'PAYLOAD_INVALID',
      'check',
      shop.stanza(await shop.sign(shop.cpim()), `<presence xmlns='jabber:client' ${open}/>`),
    ),
    refused(
      'open::inner-error',
      'an error stanza inside',
      'RFC 3923 §5',
      'LAYERS_REFUSED',
      'check',
      shop.stanza(await shop.sign(shop.xmppXml(`<message type='error' id='m1'/>`))),
    ),
    refused(
      'open::damaged-payload',
      'a verified object that is no CPIM message',
      'RFC 3862 §2',
      'PAYLOAD_INVALID',
      'parse',
      shop.stanza(await shop.sign(utf8('Content-Type: Message/CPIM\r\n\r\nno header\r\n\r\n'))),
    ),
    refused(
      'open::signed-outside',
      'a signature around an encrypted object',
      'RFC 3923 §3',
      'LAYERS_REFUSED',
      'verify',
      shop.stanza(await shop.sign(await shop.encrypt(await shop.sign(shop.cpim())))),
    ),
    refused(
      'open::twice-encrypted',
      'an encrypted object in an encrypted object',
      'RFC 3923 §3',
      'LAYERS_REFUSED',
      'verify',
      shop.stanza(await shop.encrypt(await shop.encrypt(await shop.sign(shop.cpim())))),
    ),
    refused(
      'open::two-e2e',
      'two sealed objects in one stanza',
      'RFC 3923 §9',
      'LAYERS_REFUSED',
      'unwrap',
      signed.replace(/<e2e .*<\/e2e>/s, '$&$&'),
    ),
    refused(
      'open::base64',
      'a character that is not base64',
      'RFC 2045 §6.8',
      'MALFORMED',
      name === 'smime' ? 'decrypt' : 'unwrap',
      flip(sealed, middleOf).replace(/^(.{900}).(.*)$/s, '$1*$2'),
    ),
  ];

  const groups: VectorGroup[] = [
    { operation: 'open', backends: [name], keys: folder, me: romeo, policy: 'strict', at, tests },
    {
      operation: 'open',
      backends: [name],
      keys: folder,
      me: romeo,
      policy: 'rfc3923',
      at,
      tests: [
        valid(id('open::unsigned-marked'), 'encrypted and not signed, which the RFC allows', 'RFC 3923 §6', {
          input: unsigned,
          expect: { protection: 'encrypt', sender: null, authenticated: true },
        }),
        valid(id('open::old-marked'), 'older than five minutes, delivered with a mark', 'RFC 3923 §6.9', {
          input: sealed,
          at: minutes(6),
          expect: { time: 'old', sender: juliet },
        }),
      ],
    },
  ];
  return { suite: `${name}/${folder}`, description, groups };
}

/** Vectors that need no key, and refusals to seal. */
export function sealingSuite(cast: Cast): Suite {
  const { folder, backend } = cast;
  const name = backend.name as 'smime' | 'openpgp';
  const unmappable = (id: string, comment: string, rfc: string, input: string): Vector =>
    invalid(`seal::${id}`, comment, rfc, 'UNMAPPABLE', 'map', { input });
  const romeoTo = `from='${romeo}/orchard' to='${juliet}'`;
  const wrapped = (content: string): string =>
    `<message xmlns='jabber:client' ${open}><e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>${content}</e2e></message>`;
  return {
    suite: 'stanzas/refusals',
    description: 'Stanzas that cannot be sealed, and stanzas that no key is needed to refuse.',
    groups: [
      {
        operation: 'seal',
        backends: [name],
        keys: folder,
        tests: [
          unmappable(
            'groupchat',
            'group chat',
            'RFC 3923 §2',
            `<message ${romeoTo} type='groupchat'><body>Hi</body></message>`,
          ),
          unmappable(
            'error',
            'an error stanza',
            'RFC 3923 §2',
            `<message ${romeoTo} type='error'><body>Hi</body></message>`,
          ),
          unmappable(
            'broadcast',
            'presence to nobody in particular',
            'RFC 3923 §2',
            `<presence from='${romeo}/orchard'/>`,
          ),
          unmappable(
            'subscription',
            'presence that servers must read',
            'RFC 6121 §3',
            `<presence ${romeoTo} type='subscribe'/>`,
          ),
          invalid('seal::no-signing-key', 'a sender without keys', 'RFC 3923 §6', 'NO_SIGNING_KEY', 'sign', {
            input: `<message from='${stranger}' to='${juliet}'><body>Hi</body></message>`,
          }),
          invalid(
            'seal::no-recipient-key',
            'a recipient without a certificate',
            'RFC 3923 §6.2',
            'NO_RECIPIENT_KEY',
            'encrypt',
            { input: `<message from='${romeo}/orchard' to='${stranger}'><body>Hi</body></message>` },
          ),
        ],
      },
      {
        operation: 'open',
        backends: ['smime', 'openpgp'],
        keys: folder,
        me: romeo,
        at,
        tests: [
          invalid('stanza::plain', 'a stanza that is not sealed', 'RFC 3923 §7', 'NOT_SEALED', 'unwrap', {
            input: `<message xmlns='jabber:client' ${open}><body>Hi</body></message>`,
          }),
          invalid('stanza::no-from', 'a stanza from nobody', 'RFC 3923 §6.3', 'SENDER_MISMATCH', 'unwrap', {
            input: wrapped('QUJD').replace(/from='[^']*'/, ''),
          }),
          invalid(
            'stanza::unsealed-object',
            'a MIME object without any security layer',
            'RFC 3923 §3',
            'UNSIGNED',
            'unwrap',
            {
              input: wrapped(`Content-Type: Message/CPIM\n\nFrom: &lt;im:${juliet}>\n\nContent-Type: text/plain\n\nHi`),
            },
          ),
          invalid(
            'stanza::foreign-object',
            'a MIME object of a type that nobody knows',
            'RFC 3923 §7',
            'UNSUPPORTED',
            'unwrap',
            { input: wrapped('Content-Type: image/png\n\nHi') },
          ),
          invalid(
            'stanza::salted',
            'bare base64 that is no CMS, as in RFC 3923 examples 5, 6, 11 and 12',
            'RFC 3923 §3.1',
            'MALFORMED',
            'unwrap',
            { input: wrapped('U2FsdGVkX19okeKTlLxa/1n1FE/upwn1D20GhPWqhDWlexKMUKYJInTWzERP+vcQ') },
          ),
          invalid('stanza::depth', 'elements 65 deep', 'RFC 6120 §13.12', 'LIMIT', 'unwrap', {
            input: `<message xmlns='jabber:client' ${open}>${'<a>'.repeat(64)}${'</a>'.repeat(64)}</message>`,
          }),
          invalid('stanza::element-inside', 'an element inside e2e', 'RFC 3923 §9', 'MALFORMED', 'unwrap', {
            input: wrapped('<a/>'),
          }),
        ],
      },
    ],
  };
}
