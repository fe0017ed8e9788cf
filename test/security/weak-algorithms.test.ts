/**
 * Old algorithms, one message for each: refused by `strictPolicy`; of them `rfc3923Policy` reads what RFC 3923 section
 * 6.10 asks for, and each of its algorithms can be allowed alone.
 */
import { createHash } from 'node:crypto';
import * as library from 'openpgp';
import { beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import { derOctetString, derOid, encodeDer } from '../../src/asn1/writer.ts';
import { concatBytes, indexOfBytes, utf8 } from '../../src/bytes.ts';
import {
  type AlgorithmPolicy,
  type E2eErrorCode,
  openStanza,
  type Policy,
  ReplayGuard,
  rfc3923Policy,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { juliet, people, romeo } from '../people.ts';
import { type Envelope, keyTransport, seal } from '../unit/cms/envelope.ts';
import { cpim } from '../unit/e2e/scene.ts';
import {
  armored,
  encryptPackets,
  inlineSigned,
  makeSignature,
  sed,
  signaturePacket,
  signedLiteral,
} from '../unit/openpgp/forge.ts';
import { pkcs7Mime } from '../unit/smime/forge.ts';
import { crypto, issue, type Issued } from '../unit/x509/support.ts';
import { type Certified, certified, forged, named, stanzaOf } from './certified.ts';
import { at } from './crafted.ts';

let world: Certified;
let rsa: Issued;
let short: Issued;
beforeAll(async () => {
  world = await certified();
  const issued = async (bits: number): Promise<Issued> => {
    const keys = await crypto.generateKeyPair({ algorithm: 'rsa', bits });
    return issue({ subject: 'Juliet', issuer: world.root, keys, extensions: named });
  };
  rsa = await issued(2048);
  short = await issued(1024);
});

/** A message that is signed as it should be, in an encryption that is not. */
async function enveloped(
  envelope: Partial<Envelope> & Pick<Envelope, 'cipher'>,
  pkcs1v15 = false,
): Promise<XmlElement> {
  const content = await forged(cpim(), { signer: world.leaf });
  const recipient = keyTransport({ publicKey: world.his.publicKey, identifier: world.hisName, pkcs1v15 });
  const cms = seal({ recipients: [recipient], content, ...envelope });
  return stanzaOf(pkcs7Mime(cms, 'enveloped-data'));
}

/** The same with the identifier of another cipher, of the same length. */
async function renamed(oid: string): Promise<XmlElement> {
  const other = encodeDer(derOid(oid));
  const parameters = (iv: Uint8Array) => derOctetString(iv.subarray(0, 8));
  const content = await forged(cpim(), { signer: world.leaf });
  const recipient = keyTransport({ publicKey: world.his.publicKey, identifier: world.hisName });
  const cms = seal({ recipients: [recipient], content, cipher: 'des-ede3-cbc', parameters });
  const name = encodeDer(derOid(oids.desEde3Cbc));
  expect(other.length).toBe(name.length);
  const place = indexOfBytes(cms, name);
  return stanzaOf(pkcs7Mime(concatBytes(cms.subarray(0, place), other, cms.subarray(place + name.length))));
}

const signedWith = async (signer: Issued, hash: 'sha1' | 'sha256', more: object = {}): Promise<XmlElement> =>
  stanzaOf(await forged(cpim(), { signer, algorithm: { scheme: 'rsa-pkcs1v15', hash }, digest: hash, ...more }));

type Expected = E2eErrorCode | 'delivered';
interface Case {
  readonly build: () => Promise<XmlElement>;
  readonly strict: E2eErrorCode;
  readonly rfc3923: Expected;
  /** The rules that alone make the strict policy deliver it. */
  readonly allow?: Partial<AlgorithmPolicy>;
}

const weak = 'ERR_E2E_WEAK_ALGORITHM';
const invalid = 'ERR_E2E_SIGNATURE_INVALID';
const unsupported = 'ERR_E2E_UNSUPPORTED';
const smimeCases: Readonly<Record<string, Case>> = {
  'RSA with SHA-1': {
    build: () => signedWith(rsa, 'sha1'),
    ...{ strict: weak, rfc3923: 'delivered', allow: { sha1Signatures: true } },
  },
  'RSA with MD5': {
    build: () => signedWith(rsa, 'sha256', { digestOid: '1.2.840.113549.2.5' }),
    ...{ strict: weak, rfc3923: weak },
  },
  'RSA with 1024 bits': { build: () => signedWith(short, 'sha256'), ...{ strict: weak, rfc3923: weak } },
  'a signature without signed attributes': {
    build: async () => stanzaOf(await forged(cpim(), { signer: world.leaf, attributes: null })),
    ...{ strict: invalid, rfc3923: 'delivered', allow: { unsignedAttributes: true } },
  },
  'AES-128-CBC': {
    build: () => enveloped({ cipher: 'aes128-cbc' }),
    ...{ strict: weak, rfc3923: 'delivered', allow: { cbc: true } },
  },
  'Triple DES': {
    build: () => enveloped({ cipher: 'des-ede3-cbc' }),
    ...{ strict: weak, rfc3923: 'delivered', allow: { cbc: true, tripleDes: true } },
  },
  'RSAES-PKCS1-v1_5': {
    build: () => enveloped({ cipher: 'aes128-gcm' }, true),
    ...{ strict: weak, rfc3923: 'delivered', allow: { rsaPkcs1v15: true } },
  },
  RC2: { build: () => renamed(oids.rc2Cbc), ...{ strict: unsupported, rfc3923: unsupported } },
  RC4: {
    build: () => renamed('1.2.840.113549.3.4'),
    ...{ strict: unsupported, rfc3923: unsupported },
  },
  'a digest alone for a signature': {
    build: async () => {
      const signature = new Uint8Array(createHash('sha512').update(cpim()).digest());
      return stanzaOf(await forged(cpim(), { signer: world.leaf, signature }));
    },
    ...{ strict: invalid, rfc3923: invalid },
  },
};

async function outcome(stanza: XmlElement, backend: Certified['backend'], policy: Policy): Promise<string> {
  const opening = openStanza(stanza, { backends: [backend], me: romeo, at, replay: new ReplayGuard(), policy });
  return opening.then(
    ({ verdict }) => (verdict.sender?.jid === juliet ? 'delivered' : 'unsigned'),
    (error: unknown) => (error as { code: string }).code,
  );
}

describe.each(Object.entries(smimeCases))('S/MIME: %s', (_, { build, strict, rfc3923, allow }) => {
  it(`is ${strict}, and ${rfc3923} under the RFC policy`, async () => {
    const stanza = await build();
    expect(await outcome(stanza, world.backend, strictPolicy)).toBe(strict);
    expect(await outcome(stanza, world.backend, rfc3923Policy)).toBe(rfc3923);
    if (allow === undefined) return;
    const alone = { ...strictPolicy, algorithms: { ...strictPolicy.algorithms, ...allow } };
    expect(await outcome(stanza, world.backend, alone)).toBe('delivered');
    const without = Object.fromEntries(Object.keys(allow).map((name) => [name, false]));
    const others = { ...rfc3923Policy, algorithms: { ...rfc3923Policy.algorithms, ...without } };
    expect(await outcome(stanza, world.backend, others)).toBe(strict);
  });
});

describe('OpenPGP', () => {
  async function keys() {
    // EdDSA cannot be made to sign a short digest.
    const all = await people('openpgp', 'rsa2048');
    const key = async (who: 'juliet' | 'romeo'): Promise<library.PrivateKey> => {
      const [identity] = await all[who].store.identities(all[who].jid, 'openpgp');
      return library.readPrivateKey({ armoredKey: Buffer.from(identity!.keys as Uint8Array).toString('utf8') });
    };
    return { backend: all.romeo.backend, hers: await key('juliet'), his: await key('romeo') };
  }

  const signed = (content: Uint8Array, signature: string): Uint8Array =>
    concatBytes(
      utf8(
        'Content-Type: multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary=b\r\n\r\n--b\r\n',
      ),
      content,
      utf8(
        `\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n${signature.replaceAll(/\r?\n/g, '\r\n')}\r\n--b--\r\n`,
      ),
    );
  const encrypted = (packets: Uint8Array): Uint8Array =>
    utf8(
      'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b\r\n\r\n' +
        '--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n' +
        `--b\r\nContent-Type: application/octet-stream\r\n\r\n${armored('message', packets).replaceAll(/\r?\n/g, '\r\n')}\r\n--b--\r\n`,
    );

  it('starts from messages that open', async () => {
    const { backend, hers, his } = await keys();
    const good = await makeSignature(hers.keyPacket, signedLiteral(cpim()), { type: 0, at });
    const detached = stanzaOf(signed(cpim(), armored('signature', signaturePacket(good))));
    expect(await outcome(detached, backend, strictPolicy)).toBe('delivered');
    const packets = await encryptPackets(await inlineSigned(cpim(), hers.keyPacket), [his]);
    expect(await outcome(stanzaOf(encrypted(packets)), backend, strictPolicy)).toBe('delivered');
  });

  it.each([
    ['MD5', library.enums.hash.md5],
    ['SHA-1', library.enums.hash.sha1],
    ['RIPEMD-160', library.enums.hash.ripemd],
  ])('a signature with %s is weak under every policy', async (_, hash) => {
    const { backend, hers } = await keys();
    const made = signaturePacket(await makeSignature(hers.keyPacket, signedLiteral(cpim()), { type: 0, at, hash }));
    expect(made[9]).toBe(hash);
    const stanza = stanzaOf(signed(cpim(), armored('signature', made)));
    for (const policy of [strictPolicy, rfc3923Policy]) expect(await outcome(stanza, backend, policy)).toBe(weak);
  });

  it('encryption without integrity protection is not decrypted under any policy', async () => {
    const { backend, hers, his } = await keys();
    const key = crypto.randomBytes(32);
    const session = await library.encryptSessionKey({
      ...{ data: key, algorithm: 'aes256', encryptionKeys: [his], format: 'binary', date: at },
    });
    const packets = concatBytes(session, sed(await inlineSigned(cpim(), hers.keyPacket), key));
    for (const policy of [strictPolicy, rfc3923Policy])
      expect(await outcome(stanzaOf(encrypted(packets)), backend, policy)).toMatch(/DECRYPTION_FAILED|WEAK_ALGORITHM/);
  });
});

it('counts at least 14 algorithms', () => {
  expect(Object.keys(smimeCases).length + 4).toBeGreaterThanOrEqual(14);
});
