/**
 * What of S/MIME is tried with whom: one row for each algorithm, one column for each implementation that the system has.
 *
 * - `both`: each reads what the other writes;
 * - `reads`: it reads what we write, and writes none;
 * - `writes`: we read what it writes, and it reads none, or we write none;
 * - a phrase: why neither. That it is so is tried too, so that the table cannot stay behind.
 *
 * Ed25519, X25519, ML-DSA, ML-KEM and authenticated attributes, which none of them has, are in smime-fixtures.test.ts with
 * OpenSSL 3.6 and Bouncy Castle, both ways; options of openssl one by one are in openssl-cms.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateIdentifier, identifies } from '../../src/cms/certificate-identifier.ts';
import { decryptEnveloped } from '../../src/cms/decrypt.ts';
import { encryptContent } from '../../src/cms/encrypt.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { signData } from '../../src/cms/sign.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { verifySigner } from '../../src/cms/verify.ts';
import { nodeCrypto as crypto } from '../../src/crypto/node.ts';
import { hashLength } from '../../src/crypto/hash-algorithm.ts';
import type { HashName, SignatureAlgorithm } from '../../src/crypto/provider.ts';
import { curveBits } from '../../src/crypto/public-key.ts';
import { defaultLimits } from '../../src/limits.ts';
import { hasProgram } from '../shared-data.ts';
import { openssl } from '../unit/smime/openssl.ts';
import {
  type Encryption,
  gpgsmPeer,
  type Holder,
  type KeyName,
  makeHolders,
  opensslPeer,
  type Peer,
  pkijsPeer,
} from './smime-peers.ts';

type PeerName = 'openssl' | 'gpgsm' | 'pkijs';
type Cell = 'both' | 'reads' | 'writes' | `no: ${string}`;

interface SignatureRow {
  readonly name: string;
  readonly key: KeyName;
  readonly algorithm: SignatureAlgorithm;
  readonly cells: Readonly<Record<PeerName, Cell>>;
}

const hashes = ['sha256', 'sha384', 'sha512'] as const;

const signatureRows: readonly SignatureRow[] = [
  ...hashes.map((hash) => ({
    name: `RSA PKCS #1 v1.5, ${hash}`,
    key: 'rsa' as const,
    algorithm: { scheme: 'rsa-pkcs1v15', hash } as const,
    cells: { openssl: 'both', gpgsm: 'both', pkijs: 'both' } as const,
  })),
  ...hashes.map((hash) => ({
    name: `RSA PSS with an rsaEncryption key, ${hash}`,
    key: 'rsa' as const,
    algorithm: { scheme: 'rsa-pss', hash, saltLength: hashLength[hash] } as const,
    cells: { openssl: 'both', gpgsm: 'reads', pkijs: 'both' } as const,
  })),
  ...hashes.map((hash) => ({
    name: `RSA PSS with an id-RSASSA-PSS key, ${hash}`,
    key: 'pss' as const,
    algorithm: { scheme: 'rsa-pss', hash, saltLength: hashLength[hash] } as const,
    cells: { openssl: 'both', gpgsm: 'reads', pkijs: 'reads' } as const,
  })),
  ...(['p256', 'p384', 'p521'] as const).flatMap((key) =>
    hashes.map((hash) => ({
      name: `ECDSA ${key}, ${hash}`,
      key,
      algorithm: { scheme: 'ecdsa', hash } as const,
      cells: {
        openssl: 'both',
        gpgsm: hashLength[hash] * 8 < curveBits[key] ? 'no: wants a hash as long as the curve' : 'reads',
        pkijs: 'both',
      } as const,
    })),
  ),
];

interface EncryptionRow extends Encryption {
  readonly name: string;
  readonly key: KeyName;
  readonly cells: Readonly<Record<PeerName, Cell>>;
}

const cbc = ['aes128-cbc', 'aes192-cbc', 'aes256-cbc'] as const;
const gcm = ['aes128-gcm', 'aes192-gcm', 'aes256-gcm'] as const;
const allHashes: readonly HashName[] = ['sha1', 'sha256', 'sha384', 'sha512'];
const noGcm = 'no: has no AuthEnvelopedData';
const noCurve = 'no: has no key of a curve';
const noOaep = 'no: has no OAEP';

/** pkijs reads no key agreement without ukm, writes it with; openssl writes without. */
const encryptionRows: readonly EncryptionRow[] = [
  ...cbc.map((cipher) => ({
    name: `RSA PKCS #1 v1.5, ${cipher}`,
    key: 'rsa' as const,
    cipher,
    cells: { openssl: 'both', gpgsm: 'both', pkijs: 'no: the runtime has no PKCS #1 v1.5' } as const,
  })),
  ...[...cbc, ...gcm].map((cipher) => ({
    name: `RSA OAEP sha256, ${cipher}`,
    key: 'rsa' as const,
    cipher,
    oaep: { hash: 'sha256', mgfHash: 'sha256' } as const,
    cells: {
      openssl: 'both',
      gpgsm: cipher.endsWith('gcm') ? noGcm : noOaep,
      pkijs: cipher.endsWith('gcm') ? noGcm : 'both',
    } as const,
  })),
  // We write SHA-256 with SHA-256; every other pair is read.
  ...allHashes.flatMap((hash) =>
    allHashes
      .filter((mgfHash) => hash !== 'sha256' || mgfHash !== 'sha256')
      .map((mgfHash) => ({
        name: `RSA OAEP ${hash} with MGF1 ${mgfHash}, aes128-cbc`,
        key: 'rsa' as const,
        cipher: 'aes128-cbc' as const,
        oaep: { hash, mgfHash },
        cells: {
          openssl: 'writes',
          gpgsm: noOaep,
          pkijs: hash === mgfHash ? 'writes' : 'no: has one hash',
        } as const,
      })),
  ),
  ...(['p256', 'p384', 'p521'] as const).flatMap((key) =>
    [...cbc, ...gcm].map((cipher) => ({
      name: `ECDH ${key}, ${cipher}`,
      key,
      cipher,
      cells: {
        openssl: 'both',
        gpgsm: noCurve,
        // With ukm, which openssl never writes.
        pkijs: cipher.endsWith('gcm') ? noGcm : 'writes',
      } as const,
    })),
  ),
  ...hashes.map((kdfHash) => ({
    name: `ECDH p256 with the key derivation ${kdfHash}, aes256-cbc`,
    key: 'p256' as const,
    cipher: 'aes256-cbc' as const,
    kdfHash,
    cells: { openssl: 'writes', gpgsm: noCurve, pkijs: 'writes' } as const,
  })),
  ...(['rsa', 'p256'] as const).flatMap((key) =>
    (['aes128-cbc', 'aes256-gcm'] as const).map((cipher) => ({
      name: `by subjectKeyIdentifier: ${key}, ${cipher}`,
      key,
      cipher,
      byKey: true,
      ...(key === 'rsa' ? { oaep: { hash: 'sha256', mgfHash: 'sha256' } as const } : {}),
      cells: {
        openssl: 'both',
        gpgsm: 'no: knows recipients by issuer and serial number',
        // It is told which recipient it is.
        pkijs: cipher.endsWith('gcm') ? noGcm : key === 'rsa' ? 'reads' : 'no: needs ukm',
      } as const,
    })),
  ),
];

const content = new Uint8Array(Buffer.from('Content-Type: text/plain; charset=utf-8\r\n\r\nArt thou not Romeo?\r\n'));

it('has every algorithm that is asked for', () => {
  expect([signatureRows.length, encryptionRows.length]).toEqual([18, 49]);
  for (const row of [...signatureRows, ...encryptionRows]) {
    expect(
      Object.values(row.cells).some((cell) => !cell.startsWith('no')),
      row.name,
    ).toBe(true);
  }
});

describe.skipIf(!hasProgram('openssl', 'version') || !hasProgram('gpgsm'))('the table', () => {
  const tool = openssl();
  const peers = new Map<PeerName, Peer>();
  let holders: ReadonlyMap<KeyName, Holder>;
  let dispose = (): void => undefined;

  beforeAll(() => {
    const made = makeHolders(tool);
    holders = made.holders;
    const gpgsm = gpgsmPeer(tool, made.root, holders.get('rsa')!);
    dispose = gpgsm.dispose;
    peers.set('openssl', opensslPeer(tool, made.root)).set('gpgsm', gpgsm).set('pkijs', pkijsPeer());
  });
  afterAll(() => dispose());

  function identifierOf({ certificate }: Holder, byKey = false): CertificateIdentifier {
    if (byKey) return { kind: 'key-identifier', keyIdentifier: certificate.subjectKeyId! };
    return { kind: 'issuer-and-serial', issuer: certificate.issuer.raw, serial: certificate.serial };
  }

  function ourSignature(holder: Holder, algorithm: SignatureAlgorithm): Promise<Uint8Array> {
    const signer = { privateKey: holder.privateKey, identifier: identifierOf(holder), algorithm };
    const certificates = [holder.certificate.der];
    return Promise.resolve(
      signData({ content, detached: false, signer, certificates, signingTime: new Date(), crypto }),
    );
  }

  async function verdict(holder: Holder, cms: Uint8Array): Promise<string> {
    const signedData = parseSignedData(cms, defaultLimits);
    expect(signedData.eContent).toEqual(content);
    const [signerInfo] = signedData.signerInfos;
    expect(identifies(signerInfo!.identifier, holder.certificate)).toBe(true);
    const { outcome, algorithm } = await verifySigner({
      signedData,
      signerInfo: signerInfo!,
      content: undefined,
      publicKey: holder.certificate.publicKey,
      crypto,
      policy: { sha1Signatures: false, unsignedAttributes: false },
    });
    return `${outcome} ${algorithm}`;
  }

  /** One octet of the content, which every implementation must notice. */
  function changed(cms: Uint8Array): Uint8Array {
    const other = cms.slice();
    other[Buffer.from(cms).indexOf('Romeo')]! ^= 1;
    return other;
  }

  describe.each(signatureRows.map((row) => [row.name, row] as const))('signature: %s', (_row, row) => {
    const { key, algorithm, cells } = row;
    it.each(Object.entries(cells) as [PeerName, Cell][])('%s: %s', async (name) => {
      const peer = peers.get(name)!;
      const holder = holders.get(key)!;
      const cell = cells[name];
      const ours = await ourSignature(holder, algorithm);
      if (cell === 'both' || cell === 'reads') {
        expect(await peer.verify(holder, ours)).toEqual(content);
        await expect(peer.verify(holder, changed(ours))).rejects.toThrow();
      } else await expect(peer.verify(holder, ours)).rejects.toThrow();
      if (cell === 'both' || cell === 'writes') {
        const theirs = await peer.sign(holder, algorithm, content);
        const curve = key.startsWith('p') && key !== 'pss' ? `-${key}` : '';
        const hash = 'hash' in algorithm ? algorithm.hash : '';
        expect(await verdict(holder, theirs)).toBe(`good ${algorithm.scheme}${curve} ${hash}`);
      } else if (name === 'pkijs' || key !== 'rsa') {
        // gpgsm with an RSA key signs, but not with PSS.
        await expect(peer.sign(holder, algorithm, content)).rejects.toThrow();
      }
    });
  });

  async function opened(holder: Holder, cms: Uint8Array, row: EncryptionRow): Promise<Uint8Array> {
    const enveloped = parseEnveloped(cms, defaultLimits);
    expect(enveloped.cipher.name).toBe(row.cipher);
    const recipient = enveloped.recipients.find((one) => identifies(one.identifier, holder.certificate))!;
    expect(recipient.identifier.kind).toBe(row.byKey === true ? 'key-identifier' : 'issuer-and-serial');
    if (recipient.kind === 'key-transport' && row.oaep !== undefined) expect(recipient.scheme).toMatchObject(row.oaep);
    if (recipient.kind === 'key-agreement' && row.kdfHash !== undefined) {
      expect(recipient.scheme?.derivation).toEqual({ kind: 'x963', hash: row.kdfHash });
    }
    return decryptEnveloped({ enveloped, recipient, privateKey: holder.privateKey, crypto });
  }

  describe.each(encryptionRows.map((row) => [row.name, row] as const))('encryption: %s', (_row, row) => {
    it.each(Object.entries(row.cells) as [PeerName, Cell][])('%s: %s', async (name) => {
      const peer = peers.get(name)!;
      const holder = holders.get(row.key)!;
      const cell = row.cells[name];
      const recipients = [{ publicKey: holder.certificate.publicKey, identifier: identifierOf(holder, row.byKey) }];
      const keyTransport = row.oaep === undefined ? 'rsa-pkcs1v15' : 'rsa-oaep';
      const ours = await encryptContent({ content, recipients, cipher: row.cipher, keyTransport, crypto });
      if (cell === 'both' || cell === 'reads') expect(await peer.decrypt(holder, ours)).toEqual(content);
      else if (cell.startsWith('no') && name !== 'openssl' && cell !== 'no: has one hash') {
        await expect(peer.decrypt(holder, ours)).rejects.toThrow();
      }
      if (cell === 'both' || cell === 'writes') {
        expect(await opened(holder, await peer.encrypt(holder, row, content), row)).toEqual(content);
      }
    });
  });
});
