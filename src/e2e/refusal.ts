/** What a refused stanza lets be known: the verdict so far, and nothing that would tell two failures of CBC apart. */

import { E2eError, type EncryptionInfo, type PartialVerdict, type PinStatus } from '../errors.ts';
import type { XmlElement } from '../xml/element.ts';
import { claimOf, type Envelope, type JudgedSignature } from './check.ts';
import type { DialectProfile } from './dialect.ts';
import type { OpenedLayers } from './layers.ts';
import type { Policy } from './policy.ts';
import { nameOf } from './verdict.ts';

/** What opening has found; grows on the way. */
export interface Found {
  readonly policy: Policy;
  readonly profile: DialectProfile | undefined;
  readonly envelope: Envelope;
  readonly outside: readonly XmlElement[];
  readonly encryption: EncryptionInfo | undefined;
  layers?: OpenedLayers;
  judged?: JudgedSignature;
  /** Bare JID that a good signature vouches for. */
  sender?: string;
  pin?: PinStatus;
  time?: PartialVerdict['time'];
}

/**
 * The error to throw for an error.
 *
 * Until a good signature was seen, all that goes wrong with content that is not AEAD looks alike: whoever can tell one
 * failure from another decrypts CBC byte by byte.
 */
export function refusal(error: unknown, found: Found): unknown {
  if (!(error instanceof E2eError)) return error;
  const { encryption, judged } = found;
  if (encryption !== undefined && !encryption.aead && judged?.level !== 'good') {
    return new E2eError('ERR_E2E_DECRYPTION_FAILED', 'decrypt', { encryption });
  }
  const verdict = partialVerdict(error, found);
  if (verdict === undefined && encryption === undefined) return error;
  return new E2eError(error.code, error.stage, { reason: error.reason, encryption, verdict });
}

function partialVerdict(error: E2eError, found: Found): PartialVerdict | undefined {
  const { policy, envelope, outside, encryption, layers, judged, sender, pin, time } = found;
  if (layers === undefined || judged === undefined) return undefined;
  return Object.freeze({
    policy: policy.name,
    backend: layers.backend,
    protection: layers.protection,
    level: judged.level,
    signature: judged.result === undefined ? undefined : claimOf(judged.result),
    claimedFrom: envelope.from.bare().toString(),
    sender,
    pin,
    time: time === undefined ? undefined : { ...time, status: statusOf(error, time.status, policy) },
    encryption,
    outside: outside.map(nameOf),
  });
}

/** What the state of the sender made of a time that the clock found in order. */
function statusOf({ code }: E2eError, status: string, policy: Policy): string {
  if (code === 'ERR_E2E_REPLAYED') return 'replayed';
  const inOrder = (policy.time.deliver as readonly string[]).includes(status);
  return code === 'ERR_E2E_TIMESTAMP' && inOrder ? 'decreasing' : status;
}
