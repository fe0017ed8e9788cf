/**
 * The programs and the library that speak CMS and that the system has, behind one interface: each signs, verifies,
 * encrypts and decrypts for the same people, or says that it does not by leaving the method out.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import type { HashName, OaepParameters, SignatureAlgorithm } from '../../src/crypto/provider.ts';
import { type PrivateKey, parsePrivateKey } from '../../src/crypto/private-key.ts';
import { defaultLimits } from '../../src/limits.ts';
import { type Certificate, parseCertificate } from '../../src/x509/certificate.ts';
import { authorityConfiguration, type Openssl } from '../unit/smime/openssl.ts';

/** The kinds of key that all rows are about; `pss` is an RSA key under id-RSASSA-PSS. */
export type KeyName = 'rsa' | 'pss' | 'p256' | 'p384' | 'p521';

/** Somebody with a key and a certificate by the test CA. */
export interface Holder {
  readonly name: KeyName;
  readonly certificate: Certificate;
  readonly privateKey: PrivateKey;
  /** Paths of PEM files. */
  readonly certificatePath: string;
  readonly keyPath: string;
}

/** How an object is encrypted. */
export interface Encryption {
  readonly cipher: 'aes128-cbc' | 'aes192-cbc' | 'aes256-cbc' | 'aes128-gcm' | 'aes192-gcm' | 'aes256-gcm';
  /** Of RSA keys; PKCS #1 v1.5 without. */
  readonly oaep?: OaepParameters | undefined;
  /** Of curves; the one of the curve's strength unless given. */
  readonly kdfHash?: HashName | undefined;
  /** Name the recipient by subjectKeyIdentifier. */
  readonly byKey?: boolean | undefined;
}

/** One implementation. Every object is opaque: the content is inside. */
export interface Peer {
  readonly name: string;
  sign(holder: Holder, algorithm: SignatureAlgorithm, content: Uint8Array): Promise<Uint8Array>;
  /** The content, where the signature fits. */
  verify(holder: Holder, cms: Uint8Array): Promise<Uint8Array>;
  encrypt(holder: Holder, how: Encryption, content: Uint8Array): Promise<Uint8Array>;
  decrypt(holder: Holder, cms: Uint8Array): Promise<Uint8Array>;
}

const keyArguments: Readonly<Record<KeyName, readonly string[]>> = {
  rsa: ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  pss: ['RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'],
  p256: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  p521: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
};

/** Makes a root CA and one holder for each kind of key. */
export function makeHolders(tool: Openssl): { readonly root: string; readonly holders: ReadonlyMap<KeyName, Holder> } {
  const config = tool.file('ca.cnf', authorityConfiguration());
  const rootKey = tool.file('root.key', tool.run(['genpkey', '-algorithm', ...keyArguments.rsa]));
  const selfSigned = ['req', '-x509', '-new', '-key', rootKey, '-subj', '/CN=Root', '-days', '3650', '-config', config];
  const root = tool.file('root.pem', tool.run([...selfSigned, '-extensions', 'ca']));
  const holders = new Map<KeyName, Holder>();
  for (const name of Object.keys(keyArguments) as KeyName[]) {
    const keyPath = tool.file(`${name}.key`, tool.run(['genpkey', '-algorithm', ...keyArguments[name]]));
    const request = ['req', '-new', '-key', keyPath, '-subj', `/CN=${name}`, '-config', config];
    const csr = tool.file(`${name}.csr`, tool.run(request));
    const issue = ['x509', '-req', '-in', csr, '-CA', root, '-CAkey', rootKey, '-CAcreateserial', '-days', '365'];
    const pem = tool.run([...issue, '-extfile', config, '-extensions', 'ee']);
    const certificatePath = tool.file(`${name}.pem`, pem);
    holders.set(name, {
      name,
      certificate: parseCertificate(tool.run(['x509', '-in', certificatePath, '-outform', 'DER']), defaultLimits),
      privateKey: parsePrivateKey(tool.run(['pkcs8', '-topk8', '-nocrypt', '-in', keyPath, '-outform', 'DER'])),
      certificatePath,
      keyPath,
    });
  }
  return { root, holders };
}

/** `openssl cms`. */
export function opensslPeer(tool: Openssl, root: string): Peer {
  let files = 0;
  const file = (octets: Uint8Array): string => tool.file(`peer-${files++}`, octets);
  const later = (run: () => Uint8Array): Promise<Uint8Array> => new Promise((resolve) => resolve(run()));
  return {
    name: 'openssl',
    sign: (holder, algorithm, content) =>
      later(() => {
        const hash = 'hash' in algorithm ? algorithm.hash : 'sha512';
        const salt = algorithm.scheme === 'rsa-pss' ? `rsa_pss_saltlen:${algorithm.saltLength}` : undefined;
        const pss = salt === undefined ? [] : ['-keyopt', 'rsa_padding_mode:pss', '-keyopt', salt];
        const by = ['-signer', holder.certificatePath, '-inkey', holder.keyPath, '-md', hash, ...pss];
        return tool.run(['cms', '-sign', '-binary', '-nodetach', '-in', file(content), '-outform', 'DER', ...by]);
      }),
    verify: (_holder, cms) =>
      later(() => {
        const from = ['-inform', 'DER', '-in', file(cms), '-CAfile', root, '-purpose', 'any'];
        return tool.run(['cms', '-verify', '-binary', ...from]);
      }),
    encrypt: (holder, { cipher, oaep, kdfHash, byKey = false }, content) =>
      later(() => {
        const [name, mode] = cipher.split('-') as [string, string];
        const rsa =
          oaep === undefined
            ? []
            : [`rsa_padding_mode:oaep`, `rsa_oaep_md:${oaep.hash}`, `rsa_mgf1_md:${oaep.mgfHash}`];
        const options = kdfHash === undefined ? rsa : [`ecdh_kdf_md:${kdfHash}`];
        const to = ['-recip', holder.certificatePath, ...options.flatMap((option) => ['-keyopt', option])];
        const flags = [`-aes-${name.slice(3)}-${mode}`, ...(byKey ? ['-keyid'] : [])];
        return tool.run(['cms', '-encrypt', '-binary', ...flags, '-in', file(content), '-outform', 'DER', ...to]);
      }),
    decrypt: (holder, cms) =>
      later(() => {
        const by = ['-recip', holder.certificatePath, '-inkey', holder.keyPath];
        return tool.run(['cms', '-decrypt', '-binary', '-inform', 'DER', '-in', file(cms), ...by]);
      }),
  };
}

/** gpgsm with its own home, to be disposed of. It holds the RSA key alone, since its import of others is not to be had. */
export function gpgsmPeer(tool: Openssl, root: string, rsa: Holder): Peer & { readonly dispose: () => void } {
  const home = join(mkdtempSync(join(tmpdir(), 'gpgsm-')), 'home');
  mkdirSync(home, { mode: 0o700 });
  const gpgsm = (args: readonly string[], input: Uint8Array = new Uint8Array()): Uint8Array => {
    const run = spawnSync('gpgsm', ['--batch', '--yes', '--homedir', home, ...args], { input });
    if (run.status !== 0) throw new Error(run.stderr.toString());
    return new Uint8Array(run.stdout);
  };
  const secret = ['--pinentry-mode', 'loopback', '--passphrase-fd', '0'];
  const passphrase = Buffer.from('x\n');
  const fingerprint = Buffer.from(tool.run(['x509', '-in', root, '-noout', '-fingerprint', '-sha1'])).toString();
  writeFileSync(join(home, 'trustlist.txt'), `${fingerprint.split('=')[1]!.trim()} S relax\n`);
  writeFileSync(join(home, 'gpgsm.conf'), 'disable-crl-checks\n');
  writeFileSync(join(home, 'gpg-agent.conf'), 'allow-loopback-pinentry\n');
  gpgsm(['--import', root]);
  const unlocked = ['-in', rsa.certificatePath, '-inkey', rsa.keyPath, '-passout', 'pass:x'];
  const old = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'];
  const p12 = tool.file('gpgsm.p12', tool.run(['pkcs12', '-export', ...unlocked, ...old]));
  gpgsm([...secret, '--import', p12], passphrase);
  const later = (run: () => Uint8Array): Promise<Uint8Array> => new Promise((resolve) => resolve(run()));
  return {
    name: 'gpgsm',
    sign: (holder, algorithm, content) =>
      later(() => {
        const hash = 'hash' in algorithm ? algorithm.hash.toUpperCase() : 'SHA512';
        const by = ['--digest-algo', hash, '-u', `/CN=${holder.name}`];
        return gpgsm([...secret, ...by, '--sign', tool.file('gpgsm-content', content)], passphrase);
      }),
    verify: (_holder, cms) =>
      later(() => {
        const out = tool.file('gpgsm-verified', new Uint8Array());
        gpgsm(['--output', out, '--verify', tool.file('gpgsm-signed', cms)]);
        return tool.run(['cms', '-verify', '-noverify', '-binary', '-inform', 'DER', '-in', 'gpgsm-signed', '-nosigs']);
      }),
    encrypt: (holder, { cipher }, content) =>
      later(() => {
        const to = ['--cipher-algo', cipher.slice(0, 6).toUpperCase(), '--recipient', `/CN=${holder.name}`];
        return gpgsm([...to, '--encrypt', tool.file('gpgsm-content', content)]);
      }),
    decrypt: (_holder, cms) => later(() => gpgsm([...secret, '--decrypt', tool.file('gpgsm-sealed', cms)], passphrase)),
    dispose: () => {
      spawnSync('gpgconf', ['--homedir', home, '--kill', 'all']);
      rmSync(join(home, '..'), { recursive: true, force: true });
    },
  };
}

const buffer = (octets: Uint8Array): ArrayBuffer => octets.slice().buffer;
const webHash: Readonly<Record<HashName, string>> = {
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};
const curves = { p256: 'P-256', p384: 'P-384', p521: 'P-521' } as const;

/** pkijs on the WebCrypto of the runtime. Whenever it agrees on a key it sends ukm, and it reads no key without. */
export function pkijsPeer(): Peer {
  const engine = new pkijs.CryptoEngine({ name: 'webcrypto', crypto: globalThis.crypto });
  const certificateOf = ({ certificate }: Holder): pkijs.Certificate =>
    pkijs.Certificate.fromBER(buffer(certificate.der));
  return {
    name: 'pkijs',
    sign: async (holder, algorithm, content) => {
      if (!('hash' in algorithm)) throw new TypeError('pkijs has no such signature');
      const hash = webHash[algorithm.hash];
      const theirs = certificateOf(holder);
      const digest = await globalThis.crypto.subtle.digest(hash, buffer(content));
      const attributes = [
        new pkijs.Attribute({
          type: '1.2.840.113549.1.9.3',
          values: [new asn1js.ObjectIdentifier({ value: '1.2.840.113549.1.7.1' })],
        }),
        new pkijs.Attribute({
          type: '1.2.840.113549.1.9.4',
          values: [new asn1js.OctetString({ valueHex: digest })],
        }),
      ];
      const eContent = new asn1js.OctetString({ valueHex: buffer(content) });
      const signed = new pkijs.SignedData({
        version: 1,
        encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: '1.2.840.113549.1.7.1', eContent }),
        certificates: [theirs],
        signerInfos: [
          new pkijs.SignerInfo({
            version: 1,
            sid: new pkijs.IssuerAndSerialNumber({ issuer: theirs.issuer, serialNumber: theirs.serialNumber }),
            signedAttrs: new pkijs.SignedAndUnsignedAttributes({ type: 0, attributes }),
          }),
        ],
      });
      const { curve } = holder.privateKey;
      const importAs =
        curve === undefined
          ? { name: algorithm.scheme === 'rsa-pss' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash }
          : { name: 'ECDSA', namedCurve: curves[curve] };
      const pkcs8 = buffer(holder.privateKey.pkcs8);
      const key = await globalThis.crypto.subtle.importKey('pkcs8', pkcs8, importAs, false, ['sign']);
      await signed.sign(key, 0, hash, undefined, engine);
      const info = new pkijs.ContentInfo({ contentType: '1.2.840.113549.1.7.2', content: signed.toSchema(true) });
      return new Uint8Array(info.toSchema().toBER());
    },
    verify: async (_holder, cms) => {
      const signed = new pkijs.SignedData({ schema: pkijs.ContentInfo.fromBER(buffer(cms)).content });
      if (!(await signed.verify({ signer: 0, checkChain: false }, engine))) throw new Error('pkijs takes it not');
      return new Uint8Array(signed.encapContentInfo.eContent!.getValue());
    },
    encrypt: async (holder, { cipher, oaep, kdfHash }, content) => {
      const enveloped = new pkijs.EnvelopedData();
      const parameters = {
        oaepHashAlgorithm: webHash[oaep?.hash ?? 'sha256'],
        kdfAlgorithm: webHash[kdfHash ?? 'sha256'],
      };
      enveloped.addRecipientByCertificate(certificateOf(holder), parameters, undefined, engine);
      const length = Number(cipher.slice(3, 6));
      const aes: AesKeyGenParams = { name: 'AES-CBC', length };
      await enveloped.encrypt(aes, buffer(content), engine);
      const info = new pkijs.ContentInfo({ contentType: '1.2.840.113549.1.7.3', content: enveloped.toSchema() });
      return new Uint8Array(info.toSchema().toBER());
    },
    decrypt: async (holder, cms) => {
      const enveloped = new pkijs.EnvelopedData({ schema: pkijs.ContentInfo.fromBER(buffer(cms)).content });
      const recipientPrivateKey = buffer(holder.privateKey.pkcs8);
      const recipientCertificate = certificateOf(holder);
      return new Uint8Array(await enveloped.decrypt(0, { recipientCertificate, recipientPrivateKey }, engine));
    },
  };
}
