/**
 * 200,000 seeded mutations of real BER and DER, most of it by other people: messages, certificates, revocation lists,
 * private keys, and what lies under the MAC of PKCS #12 files. Each ends in a verdict or in one E2eError; how far it got
 * is counted. And the shapes that no mutation finds: nesting, a million elements, 16 MiB.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import { der, derOctetString, derOid, derContext, derSequence, encodeDer } from '../../src/asn1/writer.ts';
import { openEntity, readPkcs12 } from '../../src/backends/smime/index.ts';
import { concatBytes, equalBytes } from '../../src/bytes.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { parsePrivateKey } from '../../src/crypto/private-key.ts';
import { E2eError } from '../../src/errors.ts';
import { defaultLimits } from '../../src/limits.ts';
import { bareEntity } from '../../src/mime/entity.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import { parseCrl } from '../../src/x509/crl.ts';
import { validatePath } from '../../src/x509/path-validation.ts';
import { parsePem } from '../../src/x509/pem.ts';
import { cpuTime } from '../cpu-time.ts';
import { corpus, corpusPath, hasCorpus, runs } from '../shared-data.ts';
import {
  bag,
  certificateBag,
  contents,
  encryptedSafe,
  keyBag,
  pbes2,
  pfx,
  plainSafe,
  shroudedKeyBag,
  tripleDes,
} from '../unit/smime/pkcs12-writer.ts';
import { attribute, ed25519, forge, usual } from '../unit/smime/forge.ts';
import { revocationCases } from '../unit/x509/revocation-cases.ts';
import { random } from '../unit/x509/random.ts';
import { certificatesOf, crypto, issue, issueCrl, now, wideLimits } from '../unit/x509/support.ts';

type Next = (below: number) => number;

/** A kind of input: what is mutated, and what becomes of a mutant. */
interface Kind {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  readonly judge: (octets: Uint8Array, seed: number) => Promise<string> | string;
  /** What must have come out often, out of all runs of this kind: one in so many. */
  readonly stages: Readonly<Record<string, number>>;
}

/** Where the elements of BER begin, found without any reader of this library. */
function starts(octets: Uint8Array): readonly number[] {
  const found: number[] = [];
  const open: (readonly [number, number])[] = [[0, octets.length]];
  for (let range = open.pop(); range !== undefined; range = open.pop()) {
    for (let at = range[0]; at + 1 < range[1];) {
      found.push(at);
      const first = octets[at + 1]!;
      const count = first < 0x80 ? 0 : first & 0x7f;
      const length =
        count === 0 ? first : Number(`0x${Buffer.from(octets.subarray(at + 2, at + 2 + count)).toString('hex')}`);
      const start = at + 2 + count;
      const end = start + length;
      if (!(end <= range[1])) break;
      if ((octets[at]! & 0x20) !== 0) open.push([start, end]);
      at = end;
    }
  }
  return found;
}

const places = new WeakMap<Uint8Array, readonly number[]>();

/** One change or some; half of them to tags and lengths, which decide how the rest is read. */
function mutate(seed: Uint8Array, next: Next): Uint8Array {
  let elements = places.get(seed);
  if (elements === undefined) places.set(seed, (elements = starts(seed)));
  let octets: Uint8Array = seed.slice();
  for (let count = next(3) === 0 ? next(4) : 0; count >= 0; count--) {
    const element = Math.min(elements[next(elements.length)]!, octets.length - 1);
    const anywhere = next(octets.length);
    switch (next(12)) {
      case 0:
        octets[element] = [0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x17, 0x24, 0x30, 0x31, 0x80, 0xa0, 0xa3][next(13)]!;
        break;
      case 1:
        octets[Math.min(element + 1, octets.length - 1)] = [0, 1, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff][next(8)]!;
        break;
      case 2:
        octets[Math.min(element + 1, octets.length - 1)]! += next(2) === 0 ? 1 : -1;
        break;
      case 3:
        octets[Math.min(element + 2 + next(4), octets.length - 1)]! ^= 1 << next(8);
        break;
      case 4:
        octets[anywhere] = next(256);
        break;
      case 5:
        octets.copyWithin(element, anywhere, anywhere + 1 + next(24));
        break;
      case 6: {
        // An element written twice, all lengths above left as they are.
        const piece = octets.subarray(element, element + 2 + next(32));
        octets = concatBytes(octets.subarray(0, element), piece, octets.subarray(element));
        break;
      }
      default:
        if (next(4) === 0) octets = octets.slice(0, anywhere + 1);
        else octets[anywhere]! ^= 1 << next(8);
    }
  }
  return octets;
}

const pems = (folder: string, filter: RegExp): string[] =>
  readdirSync(corpusPath(folder))
    .filter((name) => filter.test(name))
    .map((name) => `${folder}/${name}`);

async function kinds(): Promise<readonly Kind[]> {
  const at = now;
  const chains = pems('openssl-cms/verify', /\.pem$/).flatMap((path) => {
    try {
      return certificatesOf(path);
    } catch {
      return [];
    }
  });
  const personas = pems('rfc-personas', /cert\.pem$/).flatMap((path) => certificatesOf(path));
  const names = ['xmppaddr-certs/strophe.cert.pem', 'xmppaddr-certs/mellium.cert.pem'].flatMap((path) =>
    certificatesOf(path),
  );
  const certificates = [...chains, ...personas, ...names];
  const lists = (await Promise.all(revocationCases.map(({ build }) => build()))).flatMap(({ crls, ca, target }) =>
    crls.map((crl) => ({ crl, ca, target })),
  );
  const keys = [
    ...pems('rfc-personas', /key\.pem$/),
    ...pems('openssl-cms/smime-certs', /\.pem$/),
    'openssl-cms/cms/ecdh-key.pem',
  ]
    .flatMap((path) => parsePem(corpus(path)).filter(({ label }) => label === 'PRIVATE KEY'))
    .map((block) => block.der);
  const cms = [...pems('openssl-cms/cms', /\.(cms|der|pem)$/), ...pems('rfc8591', /\.der$/)]
    .filter((path) => !path.includes('key'))
    .map((path) => {
      const file = corpus(path);
      const [, text] = /-----BEGIN [A-Z0-9 ]+-----([^-]+)-----END/.exec(file.toString('latin1')) ?? [];
      return text === undefined ? new Uint8Array(file) : new Uint8Array(Buffer.from(text, 'base64'));
    })
    .filter((octets) => octets[0] === 0x30);
  const root = await issue({ subject: 'Root', ca: true });
  const signer = await issue({ subject: 'juliet', issuer: root });
  const content = Buffer.from('Content-Type: text/plain\r\n\r\nhello\r\n');
  const attributes = (digest: Uint8Array) => [...usual(digest), attribute('1.2.3', derOctetString(digest))];
  const signed = await forge({
    signers: [{ signer, ...ed25519, attributes }],
    content,
    eContent: content,
    crls: [lists[0]!.crl.der],
  });
  const trust = { anchors: [root.certificate.der] };
  const { der: certificate } = signer.certificate;
  const { pkcs8 } = signer.keys.privateKey;
  const word = 'word';
  const safes = [
    [plainSafe(keyBag(pkcs8), certificateBag(certificate))],
    [
      encryptedSafe(pbes2(contents(certificateBag(certificate)), word)),
      plainSafe(shroudedKeyBag(tripleDes(pkcs8, word))),
    ],
    [plainSafe(bag('1.2.3', derSequence()), shroudedKeyBag(pbes2(pkcs8, word)))],
  ].map((parts) => encodeDer(derSequence(...parts)));

  return [
    {
      name: 'certificates',
      seeds: certificates.map((one) => one.der),
      judge: async (octets, seed) => {
        const damaged = parseCertificate(octets, wideLimits);
        const { outcome } = await validatePath({
          certificate: damaged,
          intermediates: [],
          anchors: certificates.filter((other) => other.subject.key === damaged.issuer.key).slice(0, 8),
          at,
          limits: wideLimits,
          crypto,
          purpose: 'any',
        });
        // Some changes change nothing; of the others none may leave a path.
        if (outcome === 'trusted') expect(equalBytes(octets, certificates[seed]!.der)).toBe(true);
        return outcome;
      },
      stages: { 'ERR_E2E_MALFORMED parse': 3, untrusted: 10 },
    },
    {
      name: 'revocation lists',
      seeds: lists.map(({ crl }) => crl.der),
      judge: async (octets, seed) => {
        const { ca, target } = lists[seed]!;
        const list = parseCrl(octets, defaultLimits);
        const { outcome } = await validatePath({
          certificate: target.certificate,
          intermediates: [],
          anchors: [ca.certificate],
          crls: [list],
          at,
          limits: defaultLimits,
          crypto,
          purpose: 'any',
        });
        return outcome;
      },
      stages: { 'ERR_E2E_MALFORMED parse': 3, untrusted: 40, trusted: 40 },
    },
    {
      name: 'messages of others',
      seeds: cms,
      judge: (octets) => {
        try {
          const { signerInfos } = parseSignedData(octets, defaultLimits);
          return `signed by ${Math.min(signerInfos.length, 1)}`;
        } catch (error) {
          if (!(error instanceof E2eError) || error.code !== 'ERR_E2E_UNSUPPORTED') throw error;
          return `encrypted to ${Math.min(parseEnveloped(octets, defaultLimits).recipients.length, 1)}`;
        }
      },
      stages: {
        'ERR_E2E_MALFORMED verify': 4,
        'ERR_E2E_MALFORMED decrypt': 60,
        'signed by 1': 40,
        'encrypted to 1': 60,
      },
    },
    {
      name: 'a signed message, opened',
      seeds: [signed],
      judge: async (octets) => {
        const opened = await openEntity(bareEntity(octets), { at, trust });
        expect(Buffer.from(opened.content).equals(content)).toBe(true);
        return 'good';
      },
      stages: {
        'ERR_E2E_NOT_SEALED unwrap': 10,
        'ERR_E2E_MALFORMED verify': 30,
        'ERR_E2E_SIGNATURE_INVALID verify': 20,
        'ERR_E2E_SIGNER_UNKNOWN verify': 20,
        'ERR_E2E_SIGNER_UNTRUSTED verify': 60,
        good: 200,
      },
    },
    {
      name: 'private keys',
      seeds: keys,
      judge: (octets) => `key ${parsePrivateKey(octets).algorithm}`,
      stages: { 'ERR_E2E_MALFORMED parse': 3, 'key rsa': 60, 'key ec': 400 },
    },
    {
      name: 'contents of PKCS #12 files, under a MAC that fits',
      seeds: safes,
      judge: async (octets) => {
        const { keysPem, certificatesPem } = await readPkcs12(pfx(octets, word), word);
        return `read ${keysPem.length > 0 ? 'keys' : 'no keys'}, ${certificatesPem.length > 0 ? 'certificates' : 'no certificates'}`;
      },
      stages: { 'ERR_E2E_MALFORMED parse': 3, 'ERR_E2E_UNSUPPORTED parse': 60, 'read keys, certificates': 100 },
    },
  ];
}

describe.skipIf(!hasCorpus('openssl-cms/'))('200,000 seeded mutations', () => {
  it('end in a verdict or an E2eError, at every stage', { timeout: 1_200_000 }, async () => {
    const all = await kinds();
    const next = random(200_000);
    const total = runs(200_000);
    let count = 0;
    const counts = all.map(() => new Map<string, number>());
    for (; count < total; count++) {
      const which = count % all.length;
      const { seeds, judge, name } = all[which]!;
      const seed = next(seeds.length);
      const octets = mutate(seeds[seed]!, next);
      let what: string;
      const start = cpuTime();
      try {
        what = await judge(octets, seed);
      } catch (error) {
        if (!(error instanceof E2eError)) {
          throw new Error(`${name}: ${Buffer.from(octets).toString('hex')}`, { cause: error });
        }
        what = `${error.code} ${error.stage}`;
      }
      expect(cpuTime() - start).toBeLessThan(4000);
      counts[which]!.set(what, (counts[which]!.get(what) ?? 0) + 1);
    }
    expect(count).toBe(total);
    for (const [which, { name, stages }] of all.entries()) {
      const found = counts[which]!;
      for (const [stage, often] of Object.entries(stages)) {
        const seen = JSON.stringify([...found]);
        expect(found.get(stage) ?? 0, `${name}: ${stage} of ${seen}`).toBeGreaterThan(total / all.length / often);
        if (process.env['SHOW']) console.log(name, seen);
      }
      // Each ends at a stage that its errors name.
      for (const stage of found.keys()) expect(stage).not.toMatch(/ (map|sign|encrypt)$/);
    }
  });
});

describe('shapes', () => {
  const readers: Readonly<Record<string, (octets: Uint8Array) => unknown>> = {
    certificate: (octets) => parseCertificate(octets, wideLimits),
    'revocation list': (octets) => parseCrl(octets, defaultLimits),
    'signed message': (octets) => parseSignedData(octets, defaultLimits),
    'encrypted message': (octets) => parseEnveloped(octets, defaultLimits),
    'private key': (octets) => parsePrivateKey(octets),
    'PKCS #12 file': (octets) => readPkcs12(octets, 'word'),
  };
  const repeated = (hex: string, size: number): Uint8Array =>
    new Uint8Array(Buffer.alloc(size - (size % (hex.length / 2)), hex, 'hex'));
  const sequence = (inside: Uint8Array): Uint8Array => encodeDer(derSequence(inside));
  const inContentInfo = (inside: Uint8Array, type: string): Uint8Array =>
    encodeDer(derSequence(derOid(type), derContext(0, derSequence(inside))));
  const shapes: Readonly<Record<string, (size: number) => Uint8Array>> = {
    'nested sequences of indefinite length': (size) => repeated('3080', size),
    'nested sequences': (size) => {
      // From the inside out, each with four octets of length.
      const octets = new Uint8Array(size - (size % 6));
      for (let at = 0; at < octets.length; at += 6) {
        const length = octets.length - at - 6;
        octets.set([0x30, 0x84, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255], at);
      }
      return octets;
    },
    'nested octet strings': (size) => encodeDer(der(0x24, repeated('2480', size))),
    'empty sequences': (size) => sequence(repeated('3000', size)),
    'small numbers': (size) => sequence(repeated('020101', size)),
    'object identifiers': (size) => sequence(repeated('06032a0304', size)),
    'one long string': (size) => sequence(encodeDer(derOctetString(new Uint8Array(size)))),
    'one long number': (size) => sequence(encodeDer(der(2, new Uint8Array(size).fill(1)))),
    'one long object identifier': (size) => sequence(encodeDer(der(6, new Uint8Array(size).fill(1)))),
    'a tag of many octets': (size) => concatBytes(Uint8Array.of(0x3f), new Uint8Array(size).fill(0xff)),
    'small numbers in SignedData': (size) => inContentInfo(repeated('020101', size), oids.signedData),
    'sets in EnvelopedData': (size) => inContentInfo(repeated('3100', size), oids.envelopedData),
  };

  it.each(Object.keys(shapes).flatMap((shape) => Object.keys(readers).map((reader) => [shape, reader] as const)))(
    '16 MiB of %s as %s: one E2eError, soon',
    async (shape, reader) => {
      const octets = shapes[shape]!(1 << 24);
      const start = cpuTime();
      const outcome = await Promise.resolve()
        .then(() => readers[reader]!(octets))
        .then(
          () => 'read',
          (error: unknown) => (error instanceof E2eError ? error.code : String(error)),
        );
      expect(outcome).toMatch(/^ERR_E2E_(MALFORMED|LIMIT|UNSUPPORTED)$/);
      expect(cpuTime() - start).toBeLessThan(2000);
    },
  );

  it('a list of sixteen times the entries takes about sixteen times the time', async () => {
    const issuer = await issue({ subject: 'CA', ca: true });
    const listOf = async (count: number): Promise<Uint8Array> => {
      const revoked = Array.from({ length: count }, (_, i) => ({ serial: Uint8Array.of(1, i >> 16, i >> 8, i) }));
      return (await issueCrl({ issuer, revoked })).der;
    };
    const time = (octets: Uint8Array): number => {
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 3; i++) {
        const start = cpuTime();
        parseCrl(octets, defaultLimits);
        least = Math.min(least, cpuTime() - start);
      }
      return least;
    };
    const [small, large] = [await listOf(1500), await listOf(24_000)];
    let ratio = Number.POSITIVE_INFINITY;
    // A quadratic step would take 256 times as long.
    for (let attempt = 0; attempt < 5 && ratio >= 64; attempt++) ratio = time(large) / Math.max(time(small), 0.2);
    expect(ratio).toBeLessThan(64);
  });
});
