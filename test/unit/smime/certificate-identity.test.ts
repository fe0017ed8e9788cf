import { describe, expect, it } from 'vitest';
import { oids } from '../../../src/asn1/oids.ts';
import { der, derContext, derOid, derSequence, type DerPart } from '../../../src/asn1/writer.ts';
import { utf8 } from '../../../src/bytes.ts';
import { namedIdentities, namesJid } from '../../../src/backends/smime/certificate-identity.ts';
import { Jid } from '../../../src/jid/jid.ts';
import { xmppAddresses } from '../../../src/x509/general-names.ts';
import { corpusJson, hasCorpus } from '../../shared-data.ts';
import { certificatesOf, issue, serializeExtension, uriName } from '../x509/support.ts';

interface Expected {
  readonly file: string;
  readonly xmppAddr: readonly string[];
  readonly identity: readonly { readonly from: string; readonly match: boolean; readonly reason?: string }[];
}

describe.skipIf(!hasCorpus('xmppaddr-certs/'))('certificates made by XMPP projects', () => {
  const certificates = hasCorpus('xmppaddr-certs/')
    ? (corpusJson('xmppaddr-certs/expected.json') as { readonly certificates: readonly Expected[] }).certificates
    : [];
  for (const { file, xmppAddr, identity } of certificates) {
    it(`${file}: every id-on-xmppAddr`, () => {
      const [certificate] = certificatesOf(`xmppaddr-certs/${file}`);
      expect(xmppAddresses(certificate!.subjectAltName!)).toEqual(xmppAddr);
    });
    it.each(identity.map(({ from, match }) => [from, match] as const))(`${file} for %s: %s`, (from, match) => {
      const [certificate] = certificatesOf(`xmppaddr-certs/${file}`);
      expect(namesJid(certificate!, Jid.parse(from).bare())).toBe(match);
    });
  }
});

async function named(...names: readonly DerPart[]): Promise<string[]> {
  const extension = serializeExtension(oids.subjectAltName, false, derSequence(...names));
  const { certificate } = await issue({ subject: 'juliet@capulet.example', extensions: [extension] });
  return namedIdentities(certificate).map(({ jid, source }) => `${source} ${jid.toString()}`);
}

function xmppAddr(text: string | Uint8Array, tag = 0x0c): DerPart {
  return derContext(0, derOid(oids.xmppAddr), derContext(0, der(tag, typeof text === 'string' ? utf8(text) : text)));
}

describe('names that count (RFC 3923 section 6.3)', () => {
  it.each([
    ['im:juliet@capulet.example', 'im juliet@capulet.example'],
    ['pres:juliet@capulet.example', 'pres juliet@capulet.example'],
    ['xmpp:juliet@capulet.example', 'xmpp juliet@capulet.example'],
    ['IM:juliet@capulet.example', 'im juliet@capulet.example'],
    ['im:jiri%2Bx@capulet.example', 'im jiri+x@capulet.example'],
    ['im:%6Auliet@capulet.example', 'im juliet@capulet.example'],
    ['xmpp:capulet.example', 'xmpp capulet.example'],
  ])('URI %s', async (uri, expected) => {
    expect(await named(uriName(uri))).toEqual([expected]);
  });

  it('each source once, in the order of the names', async () => {
    const uri = uriName('im:juliet@capulet.example');
    expect(await named(uri, xmppAddr('juliet@capulet.example'), uri)).toEqual([
      'im juliet@capulet.example',
      'xmpp-addr juliet@capulet.example',
    ]);
  });

  it('none from the subject, mail addresses, host names or other names', async () => {
    const srvName = derContext(
      0,
      derOid('1.3.6.1.5.5.7.8.7'),
      derContext(0, der(0x16, utf8('juliet@capulet.example'))),
    );
    const mail = der(0x81, utf8('juliet@capulet.example'));
    const host = der(0x82, utf8('capulet.example'));
    expect(await named(srvName, mail, host, uriName('mailto:juliet@capulet.example'))).toEqual([]);
  });
});

describe('variants that never match (enforce, do not prepare)', () => {
  const variants = [
    'Juliet@capulet.example',
    'juliet@Capulet.example',
    'juliet@capulet.example.',
    'juliet@capulet.example\u0000',
    'juliet@capulet.example\u0000.evil.example',
    'juliet\u0000@capulet.example',
    ' juliet@capulet.example',
    'juliet@capulet.example\n',
    '\uff4auliet@capulet.example',
    'juliet\u00ad@capulet.example',
    'juliet\u200d@capulet.example',
    'juliet@capulet.example/balcony',
    'juliet@juliet@capulet.example',
    '@capulet.example',
    '',
  ];
  it.each(variants.map((text) => [JSON.stringify(text), text]))('xmppAddr %s', async (_shown, text) => {
    expect(await named(xmppAddr(text))).toEqual([]);
  });

  it.each(variants.map((text) => [JSON.stringify(text), text]))('im: URI %s', async (_shown, text) => {
    const encoded = encodeURIComponent(text).replaceAll('%40', '@').replaceAll('%2F', '/');
    // A character that localparts lack may stand escaped in the name of somebody else (RFC 7247 section 4).
    expect(await named(uriName(`im:${encoded}`))).not.toContain('im juliet@capulet.example');
  });

  it.each([
    'im:juliet@capulet.example?subject=x',
    'im:juliet@capulet.example%00',
    'im:%ff@capulet.example',
    'im:%u006A@capulet.example',
    'im:',
  ])('URI %s', async (uri) => {
    expect(await named(uriName(uri))).toEqual([]);
  });

  it('an address in another string type', async () => {
    expect(await named(xmppAddr('juliet@capulet.example', 0x16))).toEqual([]);
    expect(await named(xmppAddr('juliet@capulet.example', 0x13))).toEqual([]);
    expect(await named(xmppAddr('juliet@capulet.example', 0x04))).toEqual([]);
  });
});
