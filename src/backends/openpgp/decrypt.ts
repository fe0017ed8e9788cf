/** Decrypting PGP/MIME and bare OpenPGP messages (RFC 3156 sections 4 and 6; RFC 9580 section 10.3). */

import { E2eError, type EncryptionInfo } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import type { BackendCall, Decrypted, DecryptRequest, PacketOptions, SignatureResult } from '../backend.ts';
import { cipherText, type EncryptedData, openEncryptedData, readEncryptedData } from './encrypted-data.ts';
import { judge } from './judge.ts';
import { type KeySource, ownKeys } from './keyring.ts';
import type { OpenedMessage } from './message.ts';
import { type Surround, unwrapEncrypted } from './mime.ts';
import { transportName } from './names.ts';
import { ignoredPackets, isIgnored, type Packet, readPackets, tag } from './packets.ts';
import { type Decrypter, decrypters, type Verifiers, verifiersFor } from './select.ts';
import { isFor, readRecipient, type Recipient, sessionKeysOf } from './session-key.ts';

/** An encrypted message as far as it shows without a key. */
export interface Envelope {
  readonly recipients: readonly Recipient[];
  /** Session key packets for passwords. */
  readonly passwords: number;
  readonly data: EncryptedData;
  readonly keyTransport: readonly string[];
}

/**
 * Reads the public part of an encrypted message.
 *
 *     message := *(PKESK / SKESK) encrypted-data
 *
 * @param foreign how the packets of a foreign client are
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED, WEAK_ALGORITHM
 */
export function readEnvelope(message: Uint8Array, limits: Limits, foreign?: PacketOptions): Envelope {
  const stage = 'decrypt';
  const maxPackets = limits.recipients + 1 + ignoredPackets;
  const packets = readPackets(message, { stage, maxPackets, shortFirstPart: foreign?.shortFirstPart });
  const keys: Packet[] = [];
  let data: EncryptedData | undefined;
  for (const packet of packets) {
    switch (packet.tag) {
      case tag.publicKeySessionKey:
      case tag.symmetricSessionKey:
        if (data !== undefined) throw malformed('session key after the encrypted data');
        keys.push(packet);
        break;
      case tag.symmetricallyEncrypted:
      case tag.integrityProtected:
      case tag.aeadEncrypted:
        if (data !== undefined) throw malformed('two encrypted data packets');
        if (keys.length > limits.recipients) throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'session keys' });
        data = readEncryptedData(packet, limits);
        break;
      default:
        if (!isIgnored(packet.tag)) throw malformed('packet that does not belong in an encrypted message');
    }
  }
  if (data === undefined) throw malformed('no encrypted data');
  const recipients: Recipient[] = [];
  const keyTransport = new Set<string>();
  let passwords = 0;
  for (const { tag: packetTag, body } of keys) {
    if (packetTag === tag.symmetricSessionKey) {
      passwords++;
      keyTransport.add('password');
      continue;
    }
    const recipient = readRecipient(body);
    if (recipient === undefined) continue;
    keyTransport.add(transportName(recipient.algorithm));
    // RFC 9580 section 10.3.2.1: session key packets of the other version are left aside.
    if ((recipient.version === 6) === (data.version === 2)) recipients.push(recipient);
  }
  return { recipients, passwords, data, keyTransport: [...keyTransport] };
}

function malformed(reason: string): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', 'decrypt', { reason });
}

/** What {@link openMessageFor} gives. */
export interface OpenedFor {
  readonly opened: OpenedMessage;
  readonly encryption: EncryptionInfo;
}

/**
 * Decrypts an envelope with the keys that it names. From the first private-key operation on every failure is the same
 * error, whatever came out: padding, MDC, packets inside, limits.
 *
 * @throws {E2eError} NO_DECRYPTION_KEY, KEY_UNAVAILABLE, DECRYPTION_FAILED
 */
export async function openMessageFor(
  envelope: Envelope,
  keys: readonly Decrypter[],
  { limits, signal, packets }: Pick<BackendCall, 'limits' | 'signal' | 'packets'>,
): Promise<OpenedFor> {
  const { data, recipients, keyTransport } = envelope;
  const info = (cipher: number | undefined): EncryptionInfo => ({
    cipher: cipherText(data, cipher),
    // SEIPD version 1 has a modification detection code over the plaintext, checked before anything is released: no
    // AEAD by name, but one by what matters here, that a changed ciphertext does not decrypt.
    aead: true,
    keyTransport,
  });
  const matches = recipients.flatMap((recipient) =>
    keys.filter(({ component }) => isFor(recipient, component)).map((key) => ({ recipient, key })),
  );
  if (matches.length === 0)
    throw new E2eError('ERR_E2E_NO_DECRYPTION_KEY', 'decrypt', { encryption: info(data.cipher) });
  // Named recipients before hidden ones: those cost a try for every key.
  matches.sort((a, b) => Number(a.recipient.id === undefined) - Number(b.recipient.id === undefined));
  for (const { own } of new Set(matches.map(({ key }) => key))) await own.unlock(limits, 'decrypt');
  for (const { recipient, key } of matches) {
    for (const recover of sessionKeysOf(recipient, key.component.packet, data.cipher, key.own.external)) {
      const session = await recover();
      if (session === undefined) continue;
      signal?.throwIfAborted();
      const opened = await openEncryptedData(data, session, limits, packets).catch(() => undefined);
      if (opened !== undefined) return { opened, encryption: info(session.cipher) };
    }
  }
  throw new E2eError('ERR_E2E_DECRYPTION_FAILED', 'decrypt', { encryption: info(data.cipher) });
}

/** Judges the signatures inside an encrypted message; more than may be there are all bad. */
export async function judgeInside(
  { content, signatures }: OpenedMessage,
  call: BackendCall,
  verifiers: Verifiers,
): Promise<readonly SignatureResult[] | undefined> {
  if (signatures.length === 0) return undefined;
  const context = {
    ...verifiers,
    at: call.at,
    limits: call.limits,
    clockSkewSeconds: call.algorithms.clockSkewSeconds,
  };
  const tooMany = signatures.length > call.limits.signatures;
  const results: SignatureResult[] = [];
  for (const signature of signatures.slice(0, call.limits.signatures + 1)) {
    if (tooMany) results.push(refused('more signatures than the limit'));
    else if (signature === undefined) results.push(refused('a version or algorithm of signature that is not known'));
    else results.push(await judge(signature, content, context));
  }
  return results;
}

/** A signature that is bad before anything is known of it. */
export function refused(reason: string): SignatureResult {
  return {
    outcome: 'bad',
    reason,
    identities: [],
    trust: undefined,
    fingerprint: undefined,
    algorithm: 'unknown',
    signedAt: undefined,
    intendedFor: 'unspecified',
    chain: [],
  };
}

/**
 * Decrypts one layer.
 *
 * @throws {E2eError} as the contract says: MALFORMED, LIMIT, UNSUPPORTED, WEAK_ALGORITHM, NO_DECRYPTION_KEY,
 * KEY_UNAVAILABLE, DECRYPTION_FAILED
 */
export async function decrypt(
  store: KeySource,
  { entity, me, sender, ...call }: DecryptRequest,
  surround: Surround,
): Promise<Decrypted> {
  const envelope = readEnvelope(unwrapEncrypted(entity, call.limits, surround), call.limits, call.packets);
  const mine = await ownKeys(store, me, call.limits, 'decrypt');
  // Looked up before the private key is used, so that no failing look-up comes between.
  const verifiers = await verifiersFor(store, sender, mine, call);
  const { opened, encryption } = await openMessageFor(envelope, decrypters(mine, call.limits), call);
  return { content: opened.content, encryption, signatures: await judgeInside(opened, call, verifiers) };
}
