/**
 * Every limit that opening reaches, with real keys: what is exactly at the limit is delivered, and one more is refused
 * with its code. One object is opened under limits around its own measure n, so that n-1, n and n+1 differ in nothing
 * else.
 */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import type { SecurityBackend } from '../../../src/backends/backend.ts';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import { smime } from '../../../src/backends/smime/index.ts';
import { concatBytes, utf8 } from '../../../src/bytes.ts';
import { wrap } from '../../../src/e2e/wrap.ts';
import {
  defaultLimits,
  type E2eErrorCode,
  type Limits,
  limitsWith,
  openStanza,
  ReplayGuard,
  strictPolicy,
  parseXml,
  serializeXml,
  type XmlElement,
} from '../../../src/index.ts';
import { memoryStore } from '../../../src/stores/index.ts';
import { type BackendName, backendNames, juliet, type Person, people, romeo } from '../../people.ts';
import {
  armored,
  compressed,
  encryptPackets,
  inlineSigned,
  makeSignature,
  signaturePacket,
  signedLiteral,
} from '../openpgp/forge.ts';
import { ed25519, forge, multipartSigned } from '../smime/forge.ts';
import { issue, issueCrl, type Issued, serializeExtension, uriName } from '../x509/support.ts';
import { derSequence } from '../../../src/asn1/writer.ts';
import { oids } from '../../../src/asn1/oids.ts';
import { serializePem } from '../../../src/x509/pem.ts';
import { cpim, refusal, shell, wrappedXmppXml } from './scene.ts';

const at = new Date('2026-11-22T12:00:00Z');
const call = { at, algorithms: strictPolicy.algorithms, limits: defaultLimits, profile: 'modern' as const };

interface Parties {
  readonly her: Person;
  readonly him: Person;
}

async function parties(name: BackendName, algorithm?: 'rsa2048'): Promise<Parties> {
  const { juliet: her, romeo: him } = await people(name, algorithm);
  return { her, him };
}

function signed({ her, him }: Parties, content: Uint8Array): Promise<Uint8Array> {
  return her.backend.sign({ ...call, signer: her.jid, recipients: [him.jid], includeCertificate: true, content });
}

function encrypted({ her, him }: Parties, content: Uint8Array, more: readonly Person[] = []): Promise<Uint8Array> {
  const recipients = [him, ...more].map(({ jid }) => jid);
  return her.backend.encrypt({ ...call, recipients, hidden: false, content });
}

const stanzaWith = (entity: Uint8Array, outer = shell): string => serializeXml(wrap(parseXml(outer), entity));

/** The limits whose edge was tried. */
const tried = new Set<keyof Limits>();

/** Delivered at n and n + 1, refused at n - 1. */
async function atMost(
  backend: SecurityBackend,
  stanza: string | XmlElement,
  name: keyof Limits,
  n: number,
  code: E2eErrorCode = 'ERR_E2E_LIMIT',
): Promise<void> {
  const open = (limit: number) =>
    openStanza(stanza, {
      backends: [backend],
      me: romeo,
      at,
      replay: new ReplayGuard(),
      limits: limitsWith({ [name]: limit }),
    });
  for (const limit of [n, n + 1]) expect((await open(limit)).verdict.sender?.jid, `${name} ${limit}`).toBe(juliet);
  await refusal(open(n - 1), code);
  tried.add(name);
}

const nested = (depth: number): string => `${"<x xmlns='urn:x'>".repeat(depth)}${'</x>'.repeat(depth)}`;
const many = (count: number): string => `<x xmlns='urn:x'>${'<y/>'.repeat(count - 1)}</x>`;
const attributes = (count: number): string =>
  `<x xmlns='urn:x' ${Array.from({ length: count - 1 }, (_, i) => `a${i}='1'`).join(' ')}/>`;
const inside = (xml: string): Uint8Array => wrappedXmppXml(`<message type='chat' id='m1'>${xml}</message>`);
const beside = (xml: string): string => shell.replace('/>', `>${xml}</message>`);

describe.each(backendNames)('limits through %s', (name) => {
  it('stanzaBytes: octets of the stanza as received', async () => {
    const both = await parties(name);
    const stanza = stanzaWith(await signed(both, cpim({}, 'é'.repeat(500))), beside(`<x xmlns='urn:x'>ü</x>`));
    await atMost(both.him.backend, stanza, 'stanzaBytes', Buffer.byteLength(stanza));
  });

  it('decryptedBytes: octets that come out of the encryption', async () => {
    const both = await parties(name);
    const content = await signed(both, cpim({}, 'x'.repeat(5000)));
    const stanza = stanzaWith(await encrypted(both, content));
    // OpenPGP tells only after decrypting, when all failures are alike.
    const code = name === 'smime' ? 'ERR_E2E_LIMIT' : 'ERR_E2E_DECRYPTION_FAILED';
    await atMost(both.him.backend, stanza, 'decryptedBytes', content.length, code);
  });

  // Beside <e2e/> the stanza is one level, and all of it is two elements; inside, <xmpp/> is one more.
  it.each<[keyof Limits, (count: number) => string, number, number]>([
    ['xmlDepth', nested, 1, 2],
    ['xmlElements', many, 2, 2],
    ['xmlAttributes', attributes, 0, 0],
  ])('%s: of the stanza and of the payload', async (limit, build, outer, inner) => {
    const both = await parties(name);
    const plain = stanzaWith(await signed(both, cpim()), beside(build(20)));
    await atMost(both.him.backend, plain, limit, 20 + outer);
    const content = await signed(both, inside(build(20)));
    await atMost(both.him.backend, stanzaWith(content), limit, 20 + inner);
    await atMost(both.him.backend, stanzaWith(await encrypted(both, content)), limit, 20 + inner);
  });

  it('cpimHeaders and cpimHeaderBytes', async () => {
    const both = await parties(name);
    const subjects = Array.from({ length: 20 }, (_, i) => `;lang=x-${i} Subject ${i}`);
    const lines = subjects.map((one) => `Subject:${one}\r\n`).join('');
    const content = new TextDecoder().decode(cpim()).replace('DateTime:', `${lines}DateTime:`);
    await atMost(both.him.backend, stanzaWith(await signed(both, utf8(content))), 'cpimHeaders', 20 + 3);
    const long = `Subject: ${'é'.repeat(300)}`;
    const content2 = new TextDecoder().decode(cpim()).replace('DateTime:', `${long}\r\nDateTime:`);
    const bytes = Buffer.byteLength(long);
    await atMost(
      both.him.backend,
      stanzaWith(await encrypted(both, await signed(both, utf8(content2)))),
      'cpimHeaderBytes',
      bytes,
    );
  });

  it('mimeHeaders and mimeHeaderBytes: of the outermost block and of the payload', async () => {
    const both = await parties(name);
    const extra = Array.from({ length: 20 }, (_, i) => `X-${i}: ${'y'.repeat(40)}\r\n`).join('');
    const outer = concatBytes(utf8(extra), await encrypted(both, await signed(both, cpim())));
    const payload = concatBytes(utf8(extra), cpim());
    for (const entity of [outer, await signed(both, payload)]) {
      const block = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8').split('\r\n\r\n', 1)[0]!;
      const widest = block(entity === outer ? outer : payload);
      const fields = widest.split(/\r\n(?![ \t])/).length;
      await atMost(both.him.backend, stanzaWith(entity), 'mimeHeaders', fields);
      await atMost(both.him.backend, stanzaWith(entity), 'mimeHeaderBytes', Buffer.byteLength(widest) + 4);
    }
  });

  it('mimeParts: of a multipart/signed', async () => {
    const both = await parties(name);
    await atMost(both.him.backend, stanzaWith(await signed(both, cpim())), 'mimeParts', 2);
  });

  it('mimeAlternatives: one body in several languages', async () => {
    const both = await parties(name);
    const part = (i: number): string =>
      `--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Language: x-${i}\r\n\r\nHi ${i}\r\n`;
    const parts = Array.from({ length: 8 }, (_, i) => part(i)).join('');
    const body = `Content-Type: multipart/alternative; boundary=b\r\n\r\n${parts}--b--\r\n`;
    const head = new TextDecoder().decode(cpim()).split('Content-Type: text/plain', 1)[0]!;
    await atMost(both.him.backend, stanzaWith(await signed(both, utf8(head + body))), 'mimeAlternatives', 8);
  });

  it('recipients', async () => {
    const all = await people(name);
    const both = { her: all.juliet, him: all.romeo };
    const entity = await encrypted(both, await signed(both, cpim()), [all.juliet, all.mallory]);
    await atMost(all.romeo.backend, stanzaWith(entity), 'recipients', 3);
  });

  it('rsaMinBits and rsaMaxBits, of the key of the signer', async () => {
    const both = await parties(name, 'rsa2048');
    const stanza = stanzaWith(await signed(both, cpim()));
    await atMost(both.him.backend, stanza, 'rsaMaxBits', 2048, 'ERR_E2E_WEAK_ALGORITHM');
    const open = (rsaMinBits: number) =>
      openStanza(stanza, {
        backends: [both.him.backend],
        me: romeo,
        at,
        replay: new ReplayGuard(),
        limits: limitsWith({ rsaMinBits }),
      });
    for (const bits of [2047, 2048]) expect((await open(bits)).verdict.sender?.jid).toBe(juliet);
    await refusal(open(2049), 'ERR_E2E_WEAK_ALGORITHM');
    tried.add('rsaMinBits');
  });
});

describe('limits of OpenPGP alone', () => {
  async function keys() {
    const all = await people('openpgp');
    const secret = async ({ store, jid }: Person) => {
      const [identity] = await store.identities(jid, 'openpgp');
      return library.readPrivateKey({ armoredKey: Buffer.from(identity!.keys as Uint8Array).toString('utf8') });
    };
    return { ...all, hers: await secret(all.juliet), his: await secret(all.romeo) };
  }

  it('decompressedBytes', async () => {
    const { romeo: him, hers, his } = await keys();
    const content = cpim({}, 'x'.repeat(5000));
    const message = await inlineSigned(content, hers.keyPacket, {});
    const packets = await encryptPackets(compressed('zlib', message), [his]);
    const control = 'Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n';
    const data = `Content-Type: application/octet-stream\r\n\r\n${armored('message', packets).replaceAll(/\r?\n/g, '\r\n')}`;
    const type = 'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b';
    const entity = utf8(`${type}\r\n\r\n--b\r\n${control}\r\n--b\r\n${data}\r\n--b--\r\n`);
    await atMost(him.backend, stanzaWith(entity), 'decompressedBytes', message.length, 'ERR_E2E_DECRYPTION_FAILED');
  });

  it('argon2KiB, of the protection of my own key', async () => {
    const { romeo: him, juliet: her, his } = await keys();
    const s2kArgon2Params = { passes: 1, parallelism: 1, memoryExponent: 10 };
    const s2kType = library.enums.s2k.argon2;
    const config = { ...library.config, s2kType, aeadProtect: true, s2kArgon2Params } as unknown as library.Config;
    const locked = await library.encryptKey({ privateKey: his, passphrase: 'x', config });
    const certificates = new Uint8Array();
    const passphrase = () => Promise.resolve('x');
    const [hers] = await him.store.find(her.jid, 'openpgp');
    // A key that was unlocked stays so: each limit is tried with a store of its own.
    const backend = (): SecurityBackend => {
      const own = memoryStore();
      own.fileCertificate(her.jid, 'openpgp', hers!.certificates);
      own.addIdentity(him.jid, 'openpgp', { keys: new Uint8Array(locked.write()), certificates, passphrase });
      return openpgp({ store: own });
    };
    const stanza = stanzaWith(await encrypted({ her, him }, await signed({ her, him }, cpim())));
    const open = (argon2KiB: number) =>
      openStanza(stanza, {
        ...{ backends: [backend()], me: romeo, at, replay: new ReplayGuard() },
        limits: limitsWith({ argon2KiB }),
      });
    for (const limit of [1024, 1025]) expect((await open(limit)).verdict.sender?.jid).toBe(juliet);
    await refusal(open(1023), 'ERR_E2E_KEY_UNAVAILABLE');
    tried.add('argon2KiB');
  });

  it('signatures', async () => {
    const { romeo: him, hers } = await keys();
    const content = cpim();
    const one = () =>
      makeSignature(hers.keyPacket, signedLiteral(content), { type: library.enums.signature.binary, at });
    const both = concatBytes(signaturePacket(await one()), signaturePacket(await one()));
    const type = 'Content-Type: multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary=b';
    const signature = armored('signature', both).replaceAll(/\r?\n/g, '\r\n');
    const entity = concatBytes(
      utf8(`${type}\r\n\r\n--b\r\n`),
      content,
      utf8(`\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n${signature}\r\n--b--\r\n`),
    );
    await atMost(him.backend, stanzaWith(entity), 'signatures', 2);
  });
});

/** The deepest nesting and the longest OBJECT IDENTIFIER of DER, counted without the reader under test. */
function measure(der: Uint8Array): { depth: number; oid: number } {
  let oid = 0;
  let depth = 0;
  const read = (start: number, end: number, level: number): void => {
    for (let i = start; i < end;) {
      depth = Math.max(depth, level);
      const tag = der[i++]!;
      let length = der[i++]!;
      if (length >= 0x80) {
        const octets = length & 0x7f;
        length = der.subarray(i, i + octets).reduce((sum, byte) => sum * 256 + byte, 0);
        i += octets;
      }
      if (tag === 6) oid = Math.max(oid, length);
      if ((tag & 0x20) !== 0) read(i, i + length, level + 1);
      i += length;
    }
  };
  read(0, der.length, 1);
  return { depth, oid };
}

describe('limits of S/MIME alone', () => {
  const name = derSequence(uriName(`im:${juliet}`));
  const alternative = serializeExtension(oids.subjectAltName, false, name);

  /** Juliet by a CA below so many others. */
  async function chain(intermediates: number): Promise<{ leaf: Issued; below: Issued[]; backend: SecurityBackend }> {
    const root = await issue({ subject: 'Root', ca: true });
    const below: Issued[] = [];
    for (let i = 0; i < intermediates; i++)
      below.push(await issue({ subject: `CA ${i}`, ca: true, issuer: below.at(-1) ?? root }));
    const leaf = await issue({ subject: 'Juliet', issuer: below.at(-1) ?? root, extensions: [alternative] });
    return {
      leaf,
      below,
      backend: smime({ store: memoryStore(), trust: { anchors: [serializePem('CERTIFICATE', root.certificate.der)] } }),
    };
  }

  async function message(leaf: Issued, more: object = {}): Promise<string> {
    const content = cpim();
    const cms = await forge({ signers: [{ signer: leaf, ...ed25519 }], content, ...more });
    return stanzaWith(multipartSigned(content, cms, 'sha-512'));
  }

  it('pathLength, where one more makes the signer untrusted', async () => {
    const { leaf, below, backend } = await chain(3);
    const certificates = [leaf, ...below].map(({ certificate }) => certificate.der);
    await atMost(backend, await message(leaf, { certificates }), 'pathLength', 3, 'ERR_E2E_SIGNER_UNTRUSTED');
  });

  it('certificates and certificateBytes', async () => {
    const { leaf, below, backend } = await chain(2);
    const certificates = [leaf, ...below].map(({ certificate }) => certificate.der);
    const stanza = await message(leaf, { certificates });
    await atMost(backend, stanza, 'certificates', 3);
    await atMost(backend, stanza, 'certificateBytes', Math.max(...certificates.map(({ length }) => length)));
  });

  it('crls', async () => {
    const { leaf, below, backend } = await chain(1);
    const crl = (await issueCrl({ issuer: below[0]! })).der;
    const certificates = [leaf, ...below].map(({ certificate }) => certificate.der);
    await atMost(backend, await message(leaf, { certificates, crls: [crl, crl, crl] }), 'crls', 3);
  });

  it('signatures', async () => {
    const { leaf, backend } = await chain(0);
    const content = cpim();
    const signer = { signer: leaf, ...ed25519 };
    const cms = await forge({ signers: [signer, signer], content, certificates: [leaf.certificate.der] });
    await atMost(backend, stanzaWith(multipartSigned(content, cms, 'sha-512')), 'signatures', 2);
  });

  it('asn1Depth and oidBytes', async () => {
    const both = await parties('smime');
    const content = cpim();
    const entity = await both.her.backend.sign({
      ...call,
      signer: both.her.jid,
      recipients: [both.him.jid],
      includeCertificate: false,
      content,
    });
    const base64 = Buffer.from(entity).toString('latin1').split('base64\r\n').at(-1)!.split('\r\n\r\n')[1]!;
    const { depth, oid } = measure(Buffer.from(base64.split('\r\n--')[0]!, 'base64'));
    expect(depth).toBeGreaterThan(5);
    expect(oid).toBe(9);
    // The reader enters what it needs: the deepest of that is what counts, and nothing of it is deeper than the object.
    const opens = (asn1Depth: number) =>
      openStanza(stanzaWith(entity), {
        backends: [both.him.backend],
        me: romeo,
        at,
        replay: new ReplayGuard(),
        limits: limitsWith({ asn1Depth }),
      });
    let n = 1;
    while (
      n <= depth &&
      !(await opens(n).then(
        () => true,
        () => false,
      ))
    )
      n++;
    expect(n).toBeGreaterThan(depth / 2);
    expect(n).toBeLessThanOrEqual(depth);
    await atMost(both.him.backend, stanzaWith(entity), 'asn1Depth', n);
    await atMost(both.him.backend, stanzaWith(entity), 'oidBytes', oid);
  });
});

it('every limit that there is has its edge tried here', () => {
  expect([...tried].sort()).toEqual(Object.keys(defaultLimits).sort());
});
