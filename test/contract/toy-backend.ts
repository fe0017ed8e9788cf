/**
 * A small backend of its own kind, as a third party would write one: HMAC for signatures and AES-GCM for encryption,
 * with keys that two people share. Real cryptography, but no format for anybody's use.
 *
 *     Content-Type: application/x-toy-signed      base64 of JSON { signer, content, mac }
 *     Content-Type: application/x-toy-encrypted   base64 of JSON { boxes: { jid: [iv, ciphertext] } }
 */
import type {
  BackendCall,
  Decrypted,
  LayerKind,
  SecurityBackend,
  SignatureResult,
} from '../../src/backends/backend.ts';
import { base64Decode, base64Text, concatBytes, utf8, utf8Decode } from '../../src/bytes.ts';
import { E2eError, type E2eStage } from '../../src/errors.ts';
import type { Jid } from '../../src/jid/jid.ts';
import type { Entity } from '../../src/mime/entity.ts';

/** The secrets of a toy world by bare JID; whoever has one can sign as, and encrypt to, that JID. */
export type Secrets = ReadonlyMap<string, Uint8Array>;

const kinds: ReadonlyMap<string, LayerKind> = new Map([
  ['application/x-toy-signed', 'signed'],
  ['application/x-toy-encrypted', 'encrypted'],
]);
const { subtle } = globalThis.crypto;
const encryption = { cipher: 'aes256-gcm', aead: true, keyTransport: ['shared'] } as const;

async function keyOf(secret: Uint8Array, use: 'HMAC' | 'AES-GCM'): Promise<CryptoKey> {
  const bits = await subtle.digest('SHA-256', concatBytes(utf8(use), secret).slice());
  return use === 'HMAC'
    ? subtle.importKey('raw', bits, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
    : subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

function layer(kind: LayerKind, body: unknown): Uint8Array {
  return utf8(`Content-Type: application/x-toy-${kind}\r\n\r\n${base64Text(utf8(JSON.stringify(body)))}\r\n`);
}

function recognize(entity: Entity): LayerKind | undefined {
  const kind = kinds.get(entity.contentType?.type ?? '');
  if (kind === undefined) return undefined;
  try {
    return (kind === 'signed' ? 'signer' : 'boxes') in bodyOf(entity, kind, 'parse') ? kind : undefined;
  } catch {
    return undefined;
  }
}

function bodyOf(entity: Entity, kind: LayerKind, stage: E2eStage): Record<string, unknown> {
  const malformed = new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'toy layer' });
  if (kinds.get(entity.contentType?.type ?? '') !== kind) throw malformed;
  let body: unknown;
  try {
    body = JSON.parse(utf8Decode(base64Decode(entity.body)));
  } catch {
    throw malformed;
  }
  if (typeof body !== 'object' || body === null) throw malformed;
  return body as Record<string, unknown>;
}

function octetsIn(value: unknown, stage: E2eStage): Uint8Array {
  if (typeof value !== 'string') throw new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'toy field' });
  return base64Decode(utf8(value), stage);
}

function judged(outcome: SignatureResult['outcome'], signer: Jid | undefined): SignatureResult {
  return {
    outcome,
    reason: `the toy finds it ${outcome}`,
    identities: outcome === 'good' && signer ? [{ jid: signer, source: 'im' }] : [],
    trust: outcome === 'good' ? 'pinned' : undefined,
    fingerprint: signer?.toString(),
    algorithm: 'hmac sha256',
    signedAt: undefined,
    intendedFor: 'unspecified',
    chain: [],
  };
}

/**
 * Makes a toy backend.
 *
 * @param own secrets of my own JIDs
 * @param known secrets of contacts
 */
export function toyBackend(own: Secrets, known: Secrets): SecurityBackend {
  const secretOf = (jid: Jid): Uint8Array | undefined => own.get(jid.toString()) ?? known.get(jid.toString());
  const check = ({ signal }: BackendCall): void => signal?.throwIfAborted();
  return {
    name: 'toy',
    recognize,
    async sign(request) {
      check(request);
      const secret = own.get(request.signer.toString());
      if (secret === undefined) throw new E2eError('ERR_E2E_NO_SIGNING_KEY', 'sign');
      const mac = new Uint8Array(await subtle.sign('HMAC', await keyOf(secret, 'HMAC'), request.content.slice()));
      const signer = request.signer.toString();
      return layer('signed', { signer, content: base64Text(request.content), mac: base64Text(mac) });
    },
    async encrypt(request) {
      check(request);
      if (request.recipients.length > request.limits.recipients) throw new E2eError('ERR_E2E_LIMIT', 'encrypt');
      const boxes: Record<string, readonly string[]> = {};
      for (const jid of request.recipients) {
        const secret = secretOf(jid);
        if (secret === undefined)
          throw new E2eError('ERR_E2E_NO_RECIPIENT_KEY', 'encrypt', { subject: jid.toString() });
        const iv = globalThis.crypto.getRandomValues(new Uint8Array(12));
        const key = await keyOf(secret, 'AES-GCM');
        const sealed = new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv }, key, request.content.slice()));
        boxes[jid.toString()] = [base64Text(iv), base64Text(sealed)];
      }
      return layer('encrypted', { boxes });
    },
    async decrypt(request): Promise<Decrypted> {
      check(request);
      const { boxes } = bodyOf(request.entity, 'encrypted', 'decrypt');
      const secret = own.get(request.me.toString());
      const box = (boxes as Record<string, unknown> | null | undefined)?.[request.me.toString()];
      if (secret === undefined || box === undefined) {
        throw new E2eError('ERR_E2E_NO_DECRYPTION_KEY', 'decrypt', { encryption });
      }
      if (!Array.isArray(box)) throw new E2eError('ERR_E2E_MALFORMED', 'decrypt', { reason: 'toy box' });
      const [iv, sealed] = [octetsIn(box[0], 'decrypt'), octetsIn(box[1], 'decrypt')];
      try {
        const key = await keyOf(secret, 'AES-GCM');
        const opened = await subtle.decrypt({ name: 'AES-GCM', iv: iv.slice() }, key, sealed.slice());
        return { content: new Uint8Array(opened), encryption, signatures: undefined };
      } catch {
        throw new E2eError('ERR_E2E_DECRYPTION_FAILED', 'decrypt', { encryption });
      }
    },
    async verify(request) {
      check(request);
      const body = bodyOf(request.entity, 'signed', 'verify');
      const content = octetsIn(body['content'], 'verify');
      const mac = octetsIn(body['mac'], 'verify');
      const signer = request.sender?.toString() === body['signer'] ? request.sender : undefined;
      const secret = signer && secretOf(signer);
      if (secret === undefined) return { content, signatures: [judged('unknown-signer', undefined)] };
      const good = await subtle.verify('HMAC', await keyOf(secret, 'HMAC'), mac.slice(), content.slice());
      return { content, signatures: [judged(good ? 'good' : 'bad', signer)] };
    },
    canSealTo: (jid) => Promise.resolve(secretOf(jid) !== undefined),
    async inspect(entity) {
      const kind = await Promise.resolve(recognize(entity));
      if (kind === undefined) throw new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason: 'no toy layer' });
      const content = kind === 'signed' ? octetsIn(bodyOf(entity, kind, 'parse')['content'], 'parse') : undefined;
      return { kind, title: `toy ${kind}`, facts: [], warnings: [], content };
    },
    certificates: () => Promise.resolve([]),
    importCertificates: () => Promise.resolve([]),
  };
}
