/** Verifying multipart/signed (RFC 3156 section 5) and bare signed OpenPGP messages. */

import { toCrlf } from '../../bytes.ts';
import { E2eError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import type { BackendCall, SignatureResult, Verified, VerifyRequest } from '../backend.ts';
import { refused } from './decrypt.ts';
import { readSignature } from './fast/read-signature.ts';
import { judge } from './judge.ts';
import { type KeySource, ownKeys } from './keyring.ts';
import { enums, readMessage, type PacketSequence, type MessageSignature } from './library.ts';
import { type OpenedMessage, openMessage } from './message.ts';
import { type SignedForm, type Surround, unwrapSigned } from './mime.ts';
import { ignoredPackets, isIgnored, readPackets, tag } from './packets.ts';
import { boundedConfig } from './safe-config.ts';
import { type Verifiers, verifiersFor } from './select.ts';

const stage = 'verify';

/** Signatures with the octets that they cover; undefined stands for a signature that cannot be read. */
export type SignedContent = Pick<OpenedMessage, 'content' | 'signatures'>;

/**
 * Reads the signatures of a signed layer.
 *
 * @throws {E2eError} MALFORMED, LIMIT
 */
export async function readSigned(form: SignedForm, limits: Limits): Promise<SignedContent> {
  const signed = 'message' in form ? await readMessageOf(form.message, limits) : readDetached(form, limits);
  if (signed.signatures.length > limits.signatures) {
    throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'signatures' });
  }
  return signed;
}

function readDetached(
  { content, signature }: { readonly content: Uint8Array; readonly signature: Uint8Array },
  limits: Limits,
): SignedContent {
  const packets = readPackets(signature, { stage, maxPackets: limits.signatures + ignoredPackets });
  const signatures: (MessageSignature | undefined)[] = [];
  for (const packet of packets) {
    if (packet.tag === tag.signature) signatures.push(readSignature(packet.body));
    else if (!isIgnored(packet.tag)) {
      throw malformed('packet that is no signature');
    }
  }
  if (signatures.length === 0) throw malformed('no signature');
  return { content, signatures };
}

async function readMessageOf(message: Uint8Array, limits: Limits): Promise<SignedContent> {
  // Counted before the library sees them.
  readPackets(message, { stage, maxPackets: 2 * limits.signatures + 1 + ignoredPackets });
  let opened: OpenedMessage;
  try {
    const { packets } = await readMessage({ binaryMessage: message, config: boundedConfig(limits) });
    opened = await openMessage(packets as unknown as PacketSequence);
  } catch (error) {
    if (error instanceof Error && overLimit(error)) {
      throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'decompressed content' });
    }
    throw malformed('not a signed OpenPGP message');
  }
  const { content, signatures } = opened;
  if (content.length > limits.decompressedBytes) throw new E2eError('ERR_E2E_LIMIT', stage, { reason: 'content' });
  return { content, signatures };
}

/** The library tells by words only. */
function overLimit(error: Error): boolean {
  return /exceeded/.test(error.message);
}

/**
 * Judges the signatures of a signed layer.
 *
 * @param form what is signed
 */
export async function judgeSigned(
  { content, signatures }: SignedContent,
  call: BackendCall,
  verifiers: Verifiers,
): Promise<readonly SignatureResult[]> {
  const context = {
    ...verifiers,
    at: call.at,
    limits: call.limits,
    clockSkewSeconds: call.algorithms.clockSkewSeconds,
  };
  const results: SignatureResult[] = [];
  for (const signature of signatures) {
    call.signal?.throwIfAborted();
    if (signature === undefined) results.push(refused('a version or algorithm of signature that is not known'));
    else {
      const text = signature.signatureType === enums.signature.text;
      results.push(await judge(signature, text ? toCrlf(content) : content, context));
    }
  }
  return results;
}

/**
 * Verifies one layer; every cryptographic outcome is data.
 *
 * @throws {E2eError} MALFORMED, LIMIT, UNSUPPORTED
 */
export async function verify(
  store: KeySource,
  { entity, sender, me, ...call }: VerifyRequest,
  surround: Surround,
): Promise<Verified> {
  const signed = await readSigned(unwrapSigned(entity, call.limits, surround), call.limits);
  const mine = me === undefined ? [] : await ownKeys(store, me, call.limits, 'verify');
  const verifiers = await verifiersFor(store, sender, mine, call);
  return { content: signed.content, signatures: await judgeSigned(signed, call, verifiers) };
}

function malformed(reason: string): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', stage, { reason });
}
