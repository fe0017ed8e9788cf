/**
 * What a coverage-guided fuzzer calls. Each target takes any octets; it may refuse them with an `E2eError`, and whatever
 * else it throws is a finding: another error, or a property that does not hold.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredIdentity } from '../../src/backends/backend.ts';
import { openEntity as openPgpEntity, openpgp } from '../../src/backends/openpgp/index.ts';
import { readArmor } from '../../src/backends/openpgp/armor.ts';
import { readPackets } from '../../src/backends/openpgp/packets.ts';
import { openEntity as openSmimeEntity, smime } from '../../src/backends/smime/index.ts';
import { equalBytes } from '../../src/bytes.ts';
import { parseVectorFile } from '../../src/cli/vector-file.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { unwrap } from '../../src/e2e/wrap.ts';
import {
  defaultLimits,
  E2eError,
  Jid,
  openStanza,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  serializeXml,
  strictPolicy,
} from '../../src/index.ts';
import { fromUri, toUri } from '../../src/jid/uri.ts';
import { parseContentType, serializeContentType } from '../../src/mime/content-type.ts';
import { parseEntity } from '../../src/mime/entity.ts';
import { parseMultipart } from '../../src/mime/multipart.ts';
import { parseCpim, serializeCpim } from '../../src/payload/cpim.ts';
import { parsePayload } from '../../src/payload/payload.ts';
import { parsePidf, serializePidf } from '../../src/payload/pidf.ts';
import { reconstruct } from '../../src/payload/reconstruct.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { formatInstant, parseInstant } from '../../src/time.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import { parseCrl } from '../../src/x509/crl.ts';
import { canonicalXml, sameXml } from '../../src/xml/canonical.ts';

const limits = defaultLimits;
const romeo = Jid.parse('romeo@example.net');
const juliet = Jid.parse('juliet@example.com');
const at = new Date('2026-11-22T12:00:00Z');
const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const text = (data: Uint8Array): string => decoder.decode(data);

/** A property that any accepted input has. */
function holds(property: boolean, name: string): void {
  if (!property) throw new Error(`does not hold: ${name}`);
}

/** The result; undefined for input that is refused as documented. */
function accepted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

async function settled<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof E2eError) return undefined;
    throw error;
  }
}

const keys = (path: string): Uint8Array => readFileSync(join(process.env['FUZZ_KEYS'] ?? 'vectors/keys', path));

const smimeKeys = (folder: string): StoredIdentity => ({
  keys: keys(`${folder}/identities/${romeo.toString()}/smime.key.pem`),
  certificates: keys(`${folder}/identities/${romeo.toString()}/smime.cert.pem`),
});

/** Romeo with the keys of the test vectors. */
function reader() {
  const store = memoryStore();
  for (const folder of ['smime-p256', 'smime-rsa2048', 'smime-ed25519']) {
    store.addIdentity(romeo, 'smime', smimeKeys(folder));
    store.fileCertificate(juliet, 'smime', keys(`${folder}/contacts/${juliet.toString()}/smime.cert.pem`));
  }
  const mine = keys(`openpgp-ed25519/identities/${romeo.toString()}/openpgp.key.asc`);
  store.addIdentity(romeo, 'openpgp', { keys: mine, certificates: new Uint8Array() });
  store.fileCertificate(juliet, 'openpgp', keys(`openpgp-ed25519/contacts/${juliet.toString()}/openpgp.cert.asc`));
  return { backends: [smime({ store }), openpgp({ store })], mine };
}

let romeos: ReturnType<typeof reader> | undefined;

/** The targets by name. */
export const targets: Readonly<Record<string, (data: Uint8Array) => void | Promise<void>>> = {
  xml(data) {
    const tree = accepted(() => parseXml(text(data)));
    if (tree === undefined) return;
    holds(sameXml(parseXml(serializeXml(tree)), tree), 'written and read again, the tree is the same');
    const canonical = accepted(() => canonicalXml(tree));
    if (canonical !== undefined)
      holds(canonicalXml(parseXml(canonical)) === canonical, 'the canonical form of the canonical form');
  },

  cpim(data) {
    const message = accepted(() => parseCpim(data, limits));
    if (message === undefined) return;
    const written = accepted(() => serializeCpim(message));
    if (written === undefined) return;
    const again = accepted(() => parseCpim(written, limits));
    if (again !== undefined) holds(equalBytes(serializeCpim(again), written), 'written, read and written again');
  },

  mime(data) {
    const entity = accepted(() => parseEntity(data, { limits }));
    if (entity === undefined) return;
    holds(equalBytes(entity.raw, data), 'an entity is its octets');
    accepted(() => parseMultipart(entity, { limits, parts: 2 }));
    const type = accepted(() => parseContentType(text(data.subarray(0, 2000))));
    // What a reader accepts beyond what a writer may write is read only.
    if (type === undefined || [...type.parameters.values()].some((value) => !/^[\x20-\x7e]*$/.test(value))) return;
    const again = parseContentType(serializeContentType(type.type, type.parameters));
    holds(again.type === type.type && again.parameters.size === type.parameters.size, 'written and read again');
  },

  pidf(data) {
    const presence = accepted(() => parsePidf(data, limits));
    if (presence === undefined) return;
    const written = accepted(() => serializePidf(presence));
    if (written !== undefined) holds(equalBytes(serializePidf(parsePidf(written, limits)), written), 'written twice');
  },

  payload(data) {
    const payload = accepted(() => parsePayload(data, limits));
    if (payload === undefined) return;
    const rebuilt = accepted(() => reconstruct(payload, { from: juliet, to: romeo, type: 'chat', id: 'm1' }));
    if (rebuilt !== undefined) parseXml(serializeXml(rebuilt.stanza));
  },

  jid(data) {
    const input = text(data);
    const jid = accepted(() => Jid.parse(input));
    if (jid !== undefined) {
      holds(Jid.parse(jid.toString()).toString() === jid.toString(), 'an enforced address is enforced');
      holds(fromUri(toUri(jid, 'xmpp'))?.jid.bare().equals(jid.bare()) === true, 'a URI names its address');
    }
    fromUri(input);
    const instant = parseInstant(input);
    if (instant !== undefined && instant.nanoseconds > -62_135_596_800_000_000_000n)
      holds(parseInstant(formatInstant(instant.nanoseconds)) !== undefined, 'a written instant can be read');
  },

  certificate(data) {
    const certificate = accepted(() => parseCertificate(data));
    if (certificate !== undefined) holds(equalBytes(certificate.der, data), 'a certificate is its octets');
    accepted(() => parseCrl(data));
  },

  async cms(data) {
    accepted(() => parseSignedData(data, limits));
    accepted(() => parseEnveloped(data, limits));
    const policy = rfc3923Policy.algorithms;
    await settled(openSmimeEntity(data, { at, keys: [smimeKeys('smime-rsa2048')], policy }));
  },

  async openpgp(data) {
    romeos ??= reader();
    accepted(() => readPackets(data, { stage: 'decrypt', maxPackets: 1000 }));
    accepted(() => readArmor(data, 'parse'));
    const identity = { keys: romeos.mine, certificates: new Uint8Array() };
    await settled(openPgpEntity(data, { at, keys: [identity] }));
  },

  async stanza(data) {
    romeos ??= reader();
    const { backends } = romeos;
    const input = text(data);
    for (const policy of [strictPolicy, rfc3923Policy]) {
      const options = { backends, me: romeo, at, policy, replay: new ReplayGuard() };
      const opened = await settled(openStanza(input, options));
      if (opened === undefined) continue;
      holds(policy !== strictPolicy || opened.verdict.sender !== null, 'what is delivered strictly has a sender');
      parseXml(serializeXml(opened.stanza));
    }
    const tree = accepted(() => parseXml(input));
    if (tree !== undefined) accepted(() => unwrap(tree, limits));
  },

  vectors(data) {
    try {
      parseVectorFile(text(data));
    } catch (error) {
      // A file of vectors is refused with a plain error that says what is wrong.
      if (!(error instanceof Error) || error instanceof RangeError) throw error;
    }
  },
};
