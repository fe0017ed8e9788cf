/**
 * Juliet by a certification authority that Romeo trusts, with messages written field by field: what her key, or that of
 * the authority, can be made to say.
 */
import type { SecurityBackend } from '../../src/backends/backend.ts';
import { oids } from '../../src/asn1/oids.ts';
import { derSequence } from '../../src/asn1/writer.ts';
import { smime } from '../../src/backends/smime/index.ts';
import type { CertificateIdentifier } from '../../src/cms/certificate-identifier.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import { openStanza, type Opened, type OpenOptions, parseXml, ReplayGuard, type XmlElement } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { type Certificate, parseCertificate } from '../../src/x509/certificate.ts';
import { parsePem, serializePem } from '../../src/x509/pem.ts';
import { juliet, people, romeo } from '../people.ts';
import { shell } from '../unit/e2e/scene.ts';
import { ed25519, forge, type ForgedMessage, type ForgedSigner, multipartSigned } from '../unit/smime/forge.ts';
import { issue, type Issued, type IssueOptions, serializeExtension, uriName } from '../unit/x509/support.ts';
import { at } from './crafted.ts';

/** Her name in a certificate. */
export const named: NonNullable<IssueOptions['extensions']> = [
  serializeExtension(oids.subjectAltName, false, derSequence(uriName(`im:${juliet}`))),
];

/** An authority, Juliet's certificate by it, and Romeo who trusts it and has filed nothing. */
export interface Certified {
  readonly root: Issued;
  readonly leaf: Issued;
  /** Romeo's; he has an RSA key. */
  readonly backend: SecurityBackend;
  /** His certificate, and how CMS names it. */
  readonly his: Certificate;
  readonly hisName: CertificateIdentifier;
}

let made: Promise<Certified> | undefined;

/** Made once in a test file. */
export function certified(): Promise<Certified> {
  return (made ??= make());
}

async function make(): Promise<Certified> {
  const root = await issue({ subject: 'Root', ca: true });
  const leaf = await issue({ subject: 'Juliet', issuer: root, extensions: named });
  const { romeo: him } = await people('smime', 'rsa2048');
  const store = memoryStore();
  const [identity] = await him.store.identities(him.jid, 'smime');
  store.addIdentity(him.jid, 'smime', identity!);
  const his = parsePem(identity!.certificates)
    .map(({ der }) => parseCertificate(der))
    .find(({ publicKey }) => publicKey.algorithm === 'rsa')!;
  const hisName = { kind: 'issuer-and-serial', issuer: his.issuer.raw, serial: his.serial } as const;
  return { root, leaf, his, hisName, backend: trusting(store, root) };
}

/** A backend that trusts an authority. */
export function trusting(store: ReturnType<typeof memoryStore>, root: Issued): SecurityBackend {
  return smime({ store, trust: { anchors: [serializePem('CERTIFICATE', root.certificate.der)] } });
}

/** A multipart/signed around content, with a signature as told. */
export async function forged(
  content: Uint8Array,
  signer: Partial<ForgedSigner> & Pick<ForgedSigner, 'signer'>,
  message: Partial<ForgedMessage> = {},
): Promise<Uint8Array> {
  const cms = await forge({ signers: [{ ...ed25519, ...signer }], content, ...message });
  return multipartSigned(content, cms, 'sha-512');
}

/** A stanza from Juliet to Romeo around an entity. */
export function stanzaOf(entity: Uint8Array, outer = shell): XmlElement {
  return wrap(parseXml(outer), entity);
}

/** Opens as Romeo, with a fresh guard. */
export function openBy(
  backend: SecurityBackend,
  stanza: XmlElement,
  options: Partial<OpenOptions> = {},
): Promise<Opened> {
  return openStanza(stanza, { backends: [backend], me: romeo, at, replay: new ReplayGuard(), ...options });
}
