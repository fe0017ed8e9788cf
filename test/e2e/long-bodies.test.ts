/** Bodies of a kilobyte to a megabyte, which take other ways than short ones, come back as they were. */
import { describe, expect, it } from 'vitest';
import {
  element,
  limitsWith,
  openStanza,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  sealStanza,
  serializeXml,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { backendNames, juliet, type Person, people, romeo } from '../people.ts';

const CLIENT = 'jabber:client';
const limits = limitsWith({ stanzaBytes: 8_388_608, decryptedBytes: 8_388_608 });
const protections = ['sign', 'encrypt', 'sign+encrypt'] as const;

const sentences: Readonly<Record<string, string>> = {
  'plain text': 'But soft, what light through yonder window breaks? It is the east, and Juliet is the sun. ',
  lines: 'But soft, what light\nthrough yonder window breaks?\n\n\tIt is the east.\n',
  'lines like base64': `QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\n`,
  'lines like a delimiter': '--0123456789abcdef0123456789abcdef\n-----END PGP MESSAGE-----\n=abcd\n',
  markup: '<b>&amp;]]></b> "it\'s" > ',
  'Western text': 'Größe und Käse, garçon. ',
  'text beyond Latin': 'Что за свет блеснул в окне? 東方だ、ジュリエットは太陽だ。',
  emoji: 'sun ☀️ 😀👩‍👩‍👧‍👦 ',
  'text that is plain but for its end': '',
};

function bodyOf(kind: string, size: number): string {
  const sentence = sentences[kind]!;
  if (sentence === '') return `${'It is the east. '.repeat(size / 16)}ł`;
  const text = sentence.repeat(Math.ceil(size / sentence.length));
  // A character of two units is not cut.
  return text
    .slice(0, size)
    .toWellFormed()
    .replace(/\ufffd$/, '');
}

function message(body: string): XmlElement {
  const attributes = { from: `${juliet}/balcony`, to: `${romeo}/orchard`, id: 'm1', type: 'chat' };
  return element('message', CLIENT, attributes, [element('body', CLIENT, {}, [body])]);
}

async function through(
  stanza: XmlElement | string,
  protection: (typeof protections)[number],
  [her, him]: readonly [Person, Person],
  change = (sealed: string) => sealed,
): Promise<string> {
  const sealed = serializeXml(await sealStanza(stanza, { backend: her.backend, protection, limits }));
  const policy = protection === 'encrypt' ? rfc3923Policy : strictPolicy;
  const options = { backends: [him.backend], me: him.jid, replay: new ReplayGuard(), policy, limits };
  return serializeXml((await openStanza(change(sealed), options)).stanza);
}

describe.each(backendNames)('long bodies with %s', (name) => {
  for (const protection of protections) {
    it(`come back, protection ${protection}`, { timeout: 120_000 }, async () => {
      const { juliet: her, romeo: him } = await people(name);
      for (const kind of Object.keys(sentences)) {
        for (const size of [2000, 2048, 16_384, 70_000]) {
          const stanza = message(bodyOf(kind, size));
          const back = await through(stanza, protection, [her, him]);
          if (parseXml(back, { limits }).first('body')!.text !== stanza.first('body')!.text) {
            expect.fail(`${kind}, ${size}`);
          }
          // What was parsed is sealed as what was built.
          expect((await through(serializeXml(stanza), protection, [her, him])) === back).toBe(true);
        }
      }
    });
  }

  it('come back with a megabyte', { timeout: 120_000 }, async () => {
    const { juliet: her, romeo: him } = await people(name);
    for (const kind of ['plain text', 'text beyond Latin']) {
      const stanza = message(bodyOf(kind, 1_048_576));
      const back = await through(serializeXml(stanza), 'sign+encrypt', [her, him]);
      expect(parseXml(back, { limits }).first('body')!.text === stanza.first('body')!.text).toBe(true);
    }
  });

  it('are refused with one character changed that XML or base64 cannot hold', { timeout: 120_000 }, async () => {
    const { juliet: her, romeo: him } = await people(name);
    const stanza = message(bodyOf('plain text', 70_000));
    for (const place of [0.1, 0.5, 0.9]) {
      for (const odd of ['\0', '\x1f', '\ufffe', '\ud800', '\u0141', '\u4142', 'é', '-', '_', '*', '=']) {
        const damaged = through(stanza, 'sign+encrypt', [her, him], (sealed) => {
          const at = Math.floor(sealed.length * place);
          return sealed.slice(0, at) + odd + sealed.slice(at + 1);
        });
        await expect(damaged, `${place} ${JSON.stringify(odd)}`).rejects.toThrow(
          expect.objectContaining({ code: 'ERR_E2E_MALFORMED' }),
        );
      }
    }
  });

  it('are refused with a character that XML cannot hold when sealing', async () => {
    const { juliet: her, romeo: him } = await people(name);
    for (const odd of ['\0', '\x1f', '\ufffe', '\ud800']) {
      const stanza = message(`${bodyOf('plain text', 70_000)}${odd}`);
      await expect(through(stanza, 'sign+encrypt', [her, him])).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_E2E_UNMAPPABLE' }),
      );
    }
  });
});
