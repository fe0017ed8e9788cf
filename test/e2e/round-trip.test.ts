/** Seal, then open: the same stanza, for everything that others have written down. */
import { describe, expect, it } from 'vitest';
import { sameXml } from '../../src/xml/canonical.ts';
import { withClientNamespace } from '../../src/xml/stanza-namespace.ts';
import { isForServers } from '../../src/payload/for-servers.ts';
import {
  E2eError,
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
import { corpus, corpusJson, hasCorpus } from '../shared-data.ts';

const protections = ['sign', 'encrypt', 'sign+encrypt'] as const;

interface Listed {
  readonly file: string;
  readonly comments: boolean;
}

/** Addressed from Juliet to Romeo, since the corpus has stanzas of all kinds of people, and of nobody. */
function addressed(stanza: XmlElement): XmlElement {
  return withClientNamespace(stanza).withAttribute('from', `${juliet}/balcony`).withAttribute('to', `${romeo}/orchard`);
}

async function through(
  stanza: XmlElement,
  her: Person,
  him: Person,
  protection: (typeof protections)[number],
  wire: (xml: string) => string,
) {
  const sealed = await sealStanza(stanza, { backend: her.backend, protection });
  const options = { backends: [him.backend], me: him.jid, replay: new ReplayGuard() };
  const policy = protection === 'encrypt' ? rfc3923Policy : strictPolicy;
  return openStanza(wire(serializeXml(sealed)), { ...options, policy });
}

const outOfScope = (stanza: XmlElement): boolean => {
  const type = stanza.attribute('type') ?? '';
  return type === 'error' || (stanza.name === 'message' && type === 'groupchat');
};

describe.runIf(hasCorpus('stanzas/index.json'))('the stanzas of StanzaJS', () => {
  const listed = corpusJson('stanzas/index.json') as { stanzas?: Listed[] } | Listed[] as { stanzas?: Listed[] };
  const list = Array.isArray(listed)
    ? (listed as Listed[])
    : (listed.stanzas ?? (Object.values(listed).find(Array.isArray) as Listed[]));
  const stanzas = list
    .filter(({ comments }) => !comments)
    .map(({ file }) => {
      const text = corpus(`stanzas/${file}`).toString('utf8').trim();
      return [file, addressed(parseXml(text, { defaultNamespace: 'jabber:client' }))] as const;
    });

  it('are all there', () => {
    expect(stanzas.length).toBeGreaterThanOrEqual(150);
  });

  for (const name of backendNames) {
    it.each(protections)(`come back through ${name}, protection %s`, { timeout: 120_000 }, async (protection) => {
      const { juliet: her, romeo: him } = await people(name);
      for (const [file, stanza] of stanzas) {
        if (outOfScope(stanza)) {
          await expect(sealStanza(stanza, { backend: her.backend, protection }), file).rejects.toMatchObject({
            code: 'ERR_E2E_UNMAPPABLE',
          });
          continue;
        }
        const { stanza: opened, verdict } = await through(stanza, her, him, protection, (xml) => xml);
        const inside = stanza.children.filter((child) => typeof child === 'string' || !isForServers(child));
        expect(sameXml(opened, stanza.withChildren(inside)), file).toBe(true);
        const outside = stanza.elements.filter(isForServers);
        for (const child of outside)
          expect(
            verdict.outside.some((one) => sameXml(one, child)),
            file,
          ).toBe(true);
        expect(verdict.protection).toBe(protection);
      }
    });
  }
});

/** Every stanza among the examples of an RFC. */
function exampleStanzas(file: string): XmlElement[] {
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  collect(corpusJson(`rfc-examples/${file}`));
  return texts.flatMap((text) => {
    if (!/^\s*<(message|presence|iq)[\s>]/.test(text) || text.includes('urn:ietf:params:xml:ns:xmpp-e2e')) return [];
    if (/xmlns=['"]urn:ietf:params:xml:ns:pidf/.test(text)) return [];
    try {
      return [addressed(parseXml(text.trim(), { defaultNamespace: 'jabber:client' }))];
    } catch (error) {
      expect(error).toBeInstanceOf(E2eError);
      return [];
    }
  });
}

describe.runIf(hasCorpus('rfc-examples/rfc3922.json'))('the stanzas of the RFCs', () => {
  const stanzas = ['rfc3922.json', 'rfc3923.json'].flatMap(exampleStanzas);

  it('are some', () => expect(stanzas.length).toBeGreaterThanOrEqual(15));

  for (const name of backendNames) {
    it.each(protections)(`come back through ${name}, protection %s`, async (protection) => {
      const { juliet: her, romeo: him } = await people(name);
      for (const stanza of stanzas) {
        const label = serializeXml(stanza);
        const type = stanza.attribute('type') ?? '';
        if (outOfScope(stanza) || /^(un)?subscribed?$|^probe$/.test(type)) {
          await expect(sealStanza(stanza, { backend: her.backend }), label).rejects.toMatchObject({
            code: 'ERR_E2E_UNMAPPABLE',
          });
          continue;
        }
        const { stanza: opened } = await through(stanza, her, him, protection, (xml) => xml);
        expect(sameXml(opened, stanza), label).toBe(true);
      }
    });
  }
});
