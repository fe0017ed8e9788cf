/**
 * Two ways through one lock: what the fast path takes the long way takes too, with the same octets and the same
 * verdict, and what the long way refuses is refused with the same code. On messages of our own, on every vector, on
 * everybody's fixtures, on session keys and messages made wrong inside right encryption, and on mutations.
 */
import {
  createCipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as library from 'openpgp';
import { describe, expect, it, vi } from 'vitest';
import type { SecurityBackend } from '../../src/backends/backend.ts';
import { withoutFastPath } from '../../src/backends/openpgp/fast/path.ts';
import { openEntity, openpgp } from '../../src/backends/openpgp/index.ts';
import { unwrapEncrypted } from '../../src/backends/openpgp/mime.ts';
import { readPackets } from '../../src/backends/openpgp/packets.ts';
import { parseVectorFile } from '../../src/cli/vector-file.ts';
import { runVector, vectorScene } from '../../src/cli/vector-run.ts';
import { defaultLimits, limitsWith } from '../../src/limits.ts';
import { crlfText, utf8 } from '../../src/bytes.ts';
import { bareEntity, parseTextEntity } from '../../src/mime/entity.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { corpus, corpusJson, hasCorpus, runs } from '../shared-data.ts';
import { bothPaths, openingBothWays, sameOutcome } from '../unit/openpgp/both-paths.ts';
import { inlineSigned, literal, packet, seipdV1 } from '../unit/openpgp/forge.ts';
import { mutate, type Next, random } from '../unit/openpgp/mutate.ts';
import {
  at,
  backendOf,
  bare,
  born,
  content,
  entity,
  expectOutcome,
  juliet,
  nothing,
  open,
  type Opened,
  person,
  type Person,
  personOf,
  romeo,
  seal,
} from '../unit/openpgp/scene.ts';

/** Keys that `generateIdentity` does not make. */
async function rarer(jid: typeof romeo, kind: 'p521' | 'curve25519'): Promise<Person> {
  const options = kind === 'p521' ? ({ type: 'ecc', curve: 'nistP521' } as const) : ({ type: 'curve25519' } as const);
  const userIDs = { name: `xmpp:${jid.toString()}` };
  const { privateKey } = await library.generateKey({ ...options, userIDs, date: born, format: 'object' });
  return personOf(jid, privateKey);
}

const makers: Readonly<Record<string, (jid: typeof romeo) => Promise<Person>>> = {
  'RSA-2048': (jid) => person(jid, 'rsa2048'),
  'RSA-3072': (jid) => person(jid, 'rsa3072'),
  'P-256': (jid) => person(jid, 'p256'),
  'P-384': (jid) => person(jid, 'p384'),
  'P-521': (jid) => rarer(jid, 'p521'),
  'Curve25519 of version 4': (jid) => person(jid, 'ed25519'),
  'X25519 and Ed25519 of version 4': (jid) => rarer(jid, 'curve25519'),
  'version 6': (jid) => person(jid, 'ed25519', { v6: true }),
};

interface Pair {
  readonly kind: string;
  readonly juliet: Person;
  readonly romeo: Person;
  readonly hers: SecurityBackend;
  readonly his: ReturnType<typeof backendOf>;
}

const pairs: readonly Pair[] = await Promise.all(
  Object.entries(makers).map(async ([kind, make]) => {
    const [j, r] = await Promise.all([make(juliet), make(romeo)]);
    return { kind, juliet: j, romeo: r, hers: backendOf(j, [r]), his: backendOf(r, [j]) };
  }),
);
const pairOf = (kind: string): Pair => pairs.find((pair) => pair.kind === kind)!;

describe.each(pairs)('$kind', ({ hers, his }) => {
  it.each(['sign', 'encrypt', 'sign+encrypt'] as const)('%s, written either way', async (protection) => {
    for (const hidden of [false, true]) {
      const fast = await seal(hers, protection, { hidden });
      const slow = await withoutFastPath(() => seal(hers, protection, { hidden }));
      for (const sealed of [fast, slow]) {
        const opened = await open(his, sealed);
        expect(opened.content).toEqual(content);
        if (protection !== 'encrypt') expect(expectOutcome(opened, 'good').intendedFor).toBe('me');
      }
      expect(await shapeOf(fast)).toEqual(await shapeOf(slow));
    }
  });

  it('asks openpgp.js for none of the common work', async () => {
    const plain = openpgp({ store: his.store });
    // Certificates are verified by openpgp.js, once.
    await open(plain, await seal(hers, 'sign+encrypt'));
    const { SignaturePacket, PublicKeyEncryptedSessionKeyPacket, SymEncryptedIntegrityProtectedDataPacket } = library;
    const spies = [
      SignaturePacket,
      PublicKeyEncryptedSessionKeyPacket,
      SymEncryptedIntegrityProtectedDataPacket,
    ].flatMap(({ prototype }) =>
      ['read', 'sign', 'verify', 'encrypt', 'decrypt']
        .filter((name) => name in prototype)
        .map((name) => vi.spyOn(prototype as unknown as Record<string, () => Promise<unknown>>, name)),
    );
    try {
      const calls = () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
      for (const protection of ['sign', 'encrypt', 'sign+encrypt'] as const) {
        await open(plain, await seal(hers, protection));
        expect(calls()).toBe(0);
      }
      await withoutFastPath(async () => open(plain, await seal(hers, 'sign+encrypt')));
      // Two encryptions, a decryption, a signature and its verification; RSA session keys are recovered alike.
      expect(calls()).toBeGreaterThanOrEqual(5);
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  });

  it('content of all lengths', async () => {
    for (const length of [0, 1, 100, 191, 192, 8383, 8384, 65_536, 262_144 + 5]) {
      const long = new Uint8Array(length).fill(0x61);
      expect((await open(his, await seal(hers, 'sign+encrypt', { content: long }))).content).toEqual(long);
    }
  });
});

/** Everything about a message that is not random or derived from it. */
async function shapeOf(sealed: Uint8Array): Promise<unknown> {
  const text = Buffer.from(sealed).toString('latin1');
  const armored = /-----BEGIN PGP (\w+)-----.*-----END PGP \w+-----/s.exec(text)!;
  if (armored[1] === 'SIGNATURE') {
    const { packets } = await library.readSignature({ armoredSignature: armored[0] });
    const signature = packets[0] as unknown as Record<string, unknown> & { rawNotations: { name: string }[] };
    const hashed = (signature as unknown as { writeHashedSubPackets(): Uint8Array }).writeHashedSubPackets();
    return {
      fields: ['version', 'signatureType', 'hashAlgorithm', 'publicKeyAlgorithm', 'created', 'issuerFingerprint'].map(
        (name) => signature[name],
      ),
      subpackets: subpacketsOf(hashed, signature['version'] === 6),
      notations: signature.rawNotations.map(({ name }) => name),
      unhashed: signature['unhashedSubpackets'],
    };
  }
  const { packets } = await library.readMessage({ armoredMessage: armored[0] });
  return [...packets].map((one) => {
    const { version, publicKeyID, publicKeyAlgorithm, cipherAlgorithm, aeadAlgorithm } = one as unknown as Record<
      string,
      unknown
    >;
    return { tag: one.constructor.name, version, publicKeyID, publicKeyAlgorithm, cipherAlgorithm, aeadAlgorithm };
  });
}

/** Types with their critical bits, and lengths, in the order of the wire. */
function subpacketsOf(area: Uint8Array, long: boolean): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (let i = long ? 4 : 2; i < area.length; i += area[i]! + 1) found.push([area[i + 1]!, area[i]!]);
  return found;
}

describe('vectors', () => {
  const root = fileURLToPath(new URL('../../vectors', import.meta.url));
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json') && !name.startsWith('schema') && !name.startsWith('keys'))
    .map((name) => [name, parseVectorFile(readFileSync(`${root}/${name}`, 'utf8'))] as const);

  it('are the same both ways', { timeout: 600_000 }, async () => {
    let compared = 0;
    for (const [name, { groups }] of files) {
      for (const group of groups) {
        if (group.operation !== 'open' || group.backends?.includes('openpgp') === false) continue;
        const scene = await vectorScene(group, root);
        const backends = scene.backends.map((one) => (one.name === 'openpgp' ? openingBothWays(one) : one));
        for (const vector of group.tests) {
          expect(await runVector(vector, { ...scene, backends }), `${name} ${vector.id}`).toBeUndefined();
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(50);
  });
});

const fixtures = fileURLToPath(new URL('../interop/openpgp-fixtures', import.meta.url));

describe.each(readdirSync(fixtures))('fixtures of %s', (writer) => {
  const file = (name: string): Uint8Array => Uint8Array.from(readFileSync(`${fixtures}/${writer}/${name}`));
  const overrides = { call: { at: new Date(Buffer.from(file('at')).toString().trim()), limits: limitsWith({}) } };
  const side = (me: 'juliet' | 'romeo'): SecurityBackend => {
    const store = memoryStore();
    const [own, other] = me === 'juliet' ? [juliet, romeo] : [romeo, juliet];
    store.addIdentity(own, 'openpgp', { keys: file(`${me}.key`), certificates: nothing });
    store.fileCertificate(other, 'openpgp', file(`${me === 'juliet' ? 'romeo' : 'juliet'}.cert`));
    return openpgp({ store });
  };

  it('are the same both ways, and so is what is written for their keys', async () => {
    const his = openingBothWays(side('romeo'));
    expect((await open(his, bare(file('encrypted')), overrides)).content).toEqual(file('content'));
    const both = await open(his, bare(file('signed-and-encrypted')), overrides);
    expectOutcome(both, 'good');
    expect(both.content).toEqual(file('content'));
    for (const protection of ['sign', 'encrypt', 'sign+encrypt'] as const) {
      const opened = await open(his, await seal(side('juliet'), protection, overrides), overrides);
      expect(opened.content).toEqual(content);
    }
  });
});

describe.skipIf(!hasCorpus('openpgp-rfc9580'))('rPGP', () => {
  it('messages are the same both ways', async () => {
    const { cases } = corpusJson('openpgp-rfc9580/expected.json') as {
      cases: readonly {
        key: { file: string };
        messages: readonly { file: string; operation: string; ok: boolean }[];
      }[];
    };
    let opened = 0;
    for (const { key, messages } of cases) {
      const keys = Uint8Array.from(corpus(`openpgp-rfc9580/${key.file}`));
      const policy = { unsigned: 'accept' } as const;
      const options = { at: new Date('2026-01-01T00:00:00Z'), keys: [{ keys, certificates: nothing }], policy };
      for (const { file, operation, ok } of messages) {
        if (operation !== 'decrypt') continue;
        const message = bareEntity(Uint8Array.from(corpus(`openpgp-rfc9580/${file}`)));
        const done = await accepted(bothPaths(() => openEntity(message, options)));
        expect(done, file).toBe(ok);
        opened += Number(done);
      }
    }
    expect(opened).toBeGreaterThan(5);
  });
});

describe.skipIf(!hasCorpus('pgp-mime'))('GopenPGP', () => {
  it('PGP/MIME is the same both ways', async () => {
    const { decryptionKey, verificationKey, evaluateAt, cases } = corpusJson('pgp-mime/expected.json') as {
      decryptionKey: { file: string; passphrase: string };
      verificationKey: { file: string };
      evaluateAt: string;
      cases: readonly { file: string; everySignatureGood: boolean }[];
    };
    const keys = Uint8Array.from(corpus(`pgp-mime/${decryptionKey.file}`));
    const passphrase = () => Promise.resolve(decryptionKey.passphrase);
    const options = {
      at: new Date(evaluateAt),
      keys: [{ keys, certificates: nothing, passphrase }],
      certificates: [Uint8Array.from(corpus(`pgp-mime/${verificationKey.file}`))],
      policy: { surround: 'skip' },
    } as const;
    for (const { file, everySignatureGood } of cases) {
      const message = Uint8Array.from(corpus(`pgp-mime/${file}`));
      expect(await accepted(bothPaths(() => openEntity(message, options))), file).toBe(everySignatureGood);
    }
  });
});

async function accepted(doing: Promise<unknown>): Promise<boolean> {
  return doing.then(
    () => true,
    (error: unknown) => {
      // A comparison that failed is no refusal.
      if ((error as Error).name !== 'E2eError') throw error;
      return false;
    },
  );
}

describe('what comes as text', () => {
  const kinds = ['RSA-2048', 'P-256', 'Curve25519 of version 4', 'version 6'];
  /** Opened as the text out of a stanza, and as its octets with the line ends of MIME. */
  const openText = (backend: SecurityBackend, text: string): Promise<Opened> =>
    sameOutcome(
      async () => open(backend, parseTextEntity(text, { limits: defaultLimits })),
      async () => open(backend, entity(utf8(crlfText(text)))),
    );

  it('is the same as octets, mutations of it too', { timeout: 3_600_000 }, async () => {
    const total = runs(10_000);
    const next = random(0x7e47);
    const scenes = await Promise.all(
      kinds.map(async (kind) => {
        const { hers, his } = pairOf(kind);
        const sealed = (['sign', 'encrypt', 'sign+encrypt'] as const).map(async (protection) =>
          Buffer.from(await seal(hers, protection))
            .toString('latin1')
            .replaceAll('\r\n', '\n'),
        );
        return { plain: openpgp({ store: his.store }), texts: await Promise.all(sealed) };
      }),
    );
    const pieces = ['\n', '\n\n', ' ', '=', '\n=   =', '-', '--', ':', '\u00e9', '\ufeff', 'Comment: x\n'];
    const count = { opened: 0, refused: 0 };
    for (let i = 0; i < total; i++) {
      const { plain, texts } = scenes[i % scenes.length]!;
      let text = texts[next(texts.length)]!;
      const delimiter = /--[0-9a-f]{32}/.exec(text)![0];
      for (let edits = next(4); edits > 0; edits--) {
        // Where the frames are, half of the time.
        const lineEnds = [...text.matchAll(/\n/g)].map(({ index }) => index);
        const position = next(2) === 0 ? next(text.length) : lineEnds[next(lineEnds.length)]! + next(3);
        const piece = [...pieces, delimiter, `${delimiter}--`, text.slice(position, position + 70)][next(14)]!;
        text = text.slice(0, position) + piece + text.slice(position + next(4));
      }
      const refused = await openText(plain, text).then(
        () => false,
        (error: unknown) => {
          if ((error as Error).name !== 'E2eError') throw error;
          return true;
        },
      );
      count[refused ? 'refused' : 'opened']++;
    }
    console.info(`of ${total} texts`, count);
    expect(count.opened).toBeGreaterThan(total / 10);
    expect(count.refused).toBeGreaterThan(total / 10);
  });
});

/** Opens what may be wrong; only a refusal of the backend counts as one. */
async function attempt(backend: SecurityBackend, octets: Uint8Array, mime = false): Promise<Opened | undefined> {
  try {
    return await open(backend, mime ? octets : bare(octets));
  } catch (error) {
    if ((error as Error).name !== 'E2eError') throw error;
    return undefined;
  }
}

interface PublicParams {
  readonly Q: Uint8Array;
  readonly A: Uint8Array;
}

/** Wraps whatever is asked as a session key to an elliptic-curve key (RFC 9580 sections 5.1.5, 5.1.6 and 11.5). */
function wrapTo(key: library.PrivateKey, named: Uint8Array): Uint8Array {
  const { keyPacket } = key.subkeys[0]!;
  const { Q, A } = keyPacket.publicParams as unknown as PublicParams;
  const fingerprint = Buffer.from(key.subkeys[0]!.getFingerprint(), 'hex');
  const native = keyPacket.algorithm === library.enums.publicKey.x25519;
  const p256 = !native && Q[0] === 4;
  const ephemeral = p256 ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) : generateKeyPairSync('x25519');
  const word = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const jwk = p256
    ? { kty: 'EC', crv: 'P-256', x: word(Q.subarray(1, 33)), y: word(Q.subarray(33)) }
    : { kty: 'OKP', crv: 'X25519', x: word(native ? A : Q.subarray(1)) };
  const secret = diffieHellman({
    privateKey: ephemeral.privateKey,
    publicKey: createPublicKey({ format: 'jwk', key: jwk }),
  });
  const own = pointOf(ephemeral.publicKey);
  if (native) {
    const derived = hkdfSync('sha256', Buffer.concat([own, A, secret]), nothing, 'OpenPGP X25519', 16);
    const wrapped = wrap(Buffer.from(derived), named);
    return Buffer.concat([own, Buffer.of(wrapped.length), wrapped]);
  }
  const oid = p256 ? '082a8648ce3d030107' : '0a2b060104019755010501';
  const { kdfParams } = keyPacket.publicParams as unknown as { kdfParams: { hash: number; cipher: number } };
  const { hash, cipher } = kdfParams;
  const digest = createHash(({ 8: 'sha256', 9: 'sha384', 10: 'sha512' } as Record<number, string>)[hash]!)
    .update(Buffer.of(0, 0, 0, 1))
    .update(secret)
    .update(Buffer.from(`${oid}12`, 'hex'))
    .update(Buffer.of(3, 1, hash, cipher))
    .update('Anonymous Sender    ')
    .update(fingerprint)
    .digest();
  const wrapped = wrap(digest.subarray(0, ({ 7: 16, 8: 24, 9: 32 } as Record<number, number>)[cipher]), named);
  const bits = p256 ? Buffer.of(2, 3) : Buffer.of(1, 7, 0x40);
  return Buffer.concat([bits, own, Buffer.of(wrapped.length), wrapped]);
}

function pointOf(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: 'jwk' });
  const first = Buffer.from(x!, 'base64url');
  return y === undefined ? first : Buffer.concat([Buffer.of(4), first, Buffer.from(y, 'base64url')]);
}

function wrap(kek: Uint8Array, octets: Uint8Array): Buffer {
  const cipher = createCipheriv(`id-aes${kek.length * 8}-wrap`, kek, Buffer.alloc(8, 0xa6));
  return Buffer.concat([cipher.update(octets), cipher.final()]);
}

function checksum(key: Uint8Array): Buffer {
  const sum = key.reduce((total, octet) => total + octet, 0) & 0xffff;
  return Buffer.of(sum >> 8, sum & 255);
}

const padding = (length: number, octet = length): Buffer => Buffer.alloc(length, octet);

describe.each(['P-256', 'Curve25519 of version 4'])('session keys of %s', (kind) => {
  const { romeo: r, his } = pairOf(kind);
  const keyId = Buffer.from(r.key.subkeys[0]!.getKeyID().toHex(), 'hex');
  const key = randomBytes(32);
  const data = seipdV1(literal(content), key);
  const right = Buffer.concat([Buffer.of(9), key, checksum(key)]);
  const short = Buffer.concat([Buffer.of(7), key.subarray(0, 16), checksum(key.subarray(0, 16))]);
  const message = (wrapped: Uint8Array, rest: Uint8Array = nothing) =>
    Buffer.concat([packet(1, Buffer.of(3), keyId, Buffer.of(18), wrapped, rest), data]);

  it.each<[string, Uint8Array, boolean]>([
    ['padding of 5', Buffer.concat([right, padding(5)]), true],
    ['padding of 13', Buffer.concat([right, padding(13)]), true],
    ['padding of 37', Buffer.concat([right, padding(37)]), true],
    ['padding that says 0', Buffer.concat([right, padding(5, 0)]), false],
    ['padding that says more than there is', Buffer.concat([right, padding(5, 200)]), false],
    ['padding of several octets', Buffer.concat([right, Buffer.of(4, 4, 4, 5, 5)]), false],
    ['no padding', right.subarray(0, 32), false],
    ['nothing but padding', padding(24), false],
    ['a wrong checksum', Buffer.concat([Buffer.of(9), key, Buffer.of(1, 2), padding(5)]), false],
    ['another cipher of that length', Buffer.concat([Buffer.of(10), key, checksum(key), padding(5)]), false],
    ['no such cipher', Buffer.concat([Buffer.of(99), key, checksum(key), padding(5)]), false],
    ['a cipher of another length', Buffer.concat([Buffer.of(7), key, checksum(key), padding(5)]), false],
    ['another key', Buffer.concat([short, padding(5)]), false],
  ])('%s', async (_name, named, ok) => {
    expect((await attempt(his, message(wrapTo(r.key, named))))?.content).toEqual(ok ? content : undefined);
  });

  it('octets behind, lengths that lie, points off the curve', async () => {
    const wrapped = wrapTo(r.key, Buffer.concat([right, padding(5)]));
    // Octets behind the wrapped key are nobody's; openpgp.js ignores them.
    expect((await attempt(his, message(wrapped, Buffer.of(1, 2, 3))))?.content).toEqual(content);
    for (let i = 0; i < wrapped.length; i++) {
      const changed = Uint8Array.from(wrapped);
      changed[i]! ^= 0x41;
      await attempt(his, message(changed));
      await attempt(his, message(wrapped.subarray(0, i)));
    }
    const pointLength = kind === 'P-256' ? 65 : 33;
    for (const point of [padding(pointLength, 0), padding(pointLength, 4), padding(pointLength, 0x40)]) {
      const bits = Buffer.of((pointLength * 8) >> 8, (pointLength * 8) & 255);
      expect(
        await attempt(his, message(Buffer.concat([bits, point, wrapped.subarray(2 + pointLength)]))),
      ).toBeUndefined();
    }
  });
});

describe('session keys of version 6', () => {
  const { romeo: r, his } = pairOf('version 6');
  const fingerprint = Buffer.from(r.key.subkeys[0]!.getFingerprint(), 'hex');

  it.each([15, 16, 24, 32, 40])('a key of %i octets', async (length) => {
    const key = randomBytes(32);
    const data = await seipdV2(literal(content), key);
    const named = length === 32 ? key : randomBytes(length + (-length & 7));
    const session = packet(1, Buffer.of(6, 33, 6), fingerprint, Buffer.of(25), wrapTo(r.key, named));
    const opened = await attempt(his, Buffer.concat([session, data]));
    expect(opened?.content).toEqual(length === 32 ? content : undefined);
  });
});

/** SEIPD version 2 with AES-256 in GCM, by openpgp.js. */
async function seipdV2(inside: Uint8Array, key: Uint8Array): Promise<Uint8Array> {
  const Packet = library.SymEncryptedIntegrityProtectedDataPacket as unknown as {
    fromObject(o: object): {
      packets: { write(): Uint8Array };
      encrypt(cipher: number, key: Uint8Array, config: object): Promise<void>;
      write(): Uint8Array | { getReader(): ReadableStreamDefaultReader<Uint8Array> };
    };
  };
  const made = Packet.fromObject({ version: 2, aeadAlgorithm: library.enums.aead.gcm });
  made.packets = { write: () => inside };
  await made.encrypt(library.enums.symmetric.aes256, key, { ...library.config, aeadChunkSizeByte: 6 });
  const written = made.write();
  if (written instanceof Uint8Array) return packet(18, written);
  const chunks: Uint8Array[] = [];
  const reader = written.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) chunks.push(step.value);
  return packet(18, ...chunks);
}

describe('mutations', () => {
  it('have one verdict', { timeout: 3_600_000 }, async () => {
    const total = runs(20_000);
    const next = random(0xfa57);
    const kinds = ['RSA-2048', 'P-256', 'Curve25519 of version 4', 'X25519 and Ed25519 of version 4', 'version 6'];
    const scenes = await Promise.all(kinds.map((kind) => sceneOf(pairOf(kind))));
    const count = { opened: 0, good: 0, refused: 0 };
    for (let i = 0; i < total; i++) {
      const scene = scenes[i % scenes.length]!;
      const mutant = await scene.mutants[Math.floor(i / scenes.length) % scene.mutants.length]!(next);
      // Only the whole entity starts with a header field.
      const opened = await attempt(scene.his, mutant, mutant[0]! < 0x80);
      if (opened === undefined) count.refused++;
      else count.opened++;
      for (const { outcome } of opened?.signatures ?? []) {
        if (outcome !== 'good') continue;
        count.good++;
        expect(opened!.content).toEqual(content);
      }
    }
    console.info(`of ${total} mutants`, count);
    // Enough of them come through the encryption for the rules behind it to be compared.
    expect(count.refused).toBeGreaterThan(total / 4);
    expect(count.opened).toBeGreaterThan(total / 20);
    expect(count.good).toBeGreaterThan(total / 400);
  });
});

interface MutationScene {
  readonly his: SecurityBackend;
  readonly mutants: readonly ((next: Next) => Promise<Uint8Array>)[];
}

/** What is mutated: messages, what lies under right encryption, and multipart/signed. */
async function sceneOf({ juliet: j, romeo: r, hers, his }: Pair): Promise<MutationScene> {
  const sealed = unwrapEncrypted(entity(await seal(hers, 'sign+encrypt')), defaultLimits, 'refuse');
  const multipart = await seal(hers, 'sign');
  const signer = j.key.subkeys.length > 1 ? j.key.subkeys[1]!.keyPacket : j.key.keyPacket;
  const inside = await inlineSigned(content, signer, { at });
  const [onePass, text, signature] = readPackets(inside, { stage: 'decrypt', maxPackets: 3 });
  const before = Buffer.concat([packet(4, onePass!.body), packet(11, text!.body)]);
  const key = randomBytes(32);
  const v6 = r.key.keyPacket.version === 6;
  const sessions = await library.encryptSessionKey({
    data: key,
    algorithm: 'aes256',
    ...(v6 ? { aeadAlgorithm: 'gcm' as const } : {}),
    encryptionKeys: [r.key.toPublic()],
    format: 'binary',
    date: at,
  });
  const encrypted = async (octets: Uint8Array): Promise<Uint8Array> =>
    Buffer.concat([sessions, v6 ? await seipdV2(octets, key) : seipdV1(octets, key)]);
  const landmarks = [0, before.length - text!.body.length, before.length, before.length + 6];
  return {
    his,
    mutants: [
      (next) => Promise.resolve(mutate(sealed, next, [0, 2, sealed.length >> 1])),
      (next) => encrypted(mutate(inside, next, landmarks)),
      (next) => Promise.resolve(mutate(inside, next, landmarks)),
      (next) => encrypted(Buffer.concat([before, packet(2, mutate(signature!.body, next, [0, 6, 12]))])),
      (next) => encrypted(literal(mutate(content, next))),
      (next) => Promise.resolve(mutate(multipart, next, [multipart.length >> 1])),
    ],
  };
}
