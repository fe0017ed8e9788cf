/** What a recipient may believe about an opened stanza: in fields, and in plain words. */

import type { BoundIdentity, CertificateSummary, SignatureResult, TrustSource } from '../backends/backend.ts';
import {
  type ClaimedSignature,
  type EncryptionInfo,
  escapeForDisplay,
  type PartialVerdict,
  type PinStatus,
  type SignatureLevel,
} from '../errors.ts';
import type { PayloadForm } from '../payload/map.ts';
import { formatInstant } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
import type { LookAlike } from '../jid/look-alike.ts';
import type { TimeStatus } from './policy.ts';

/** The layers that were applied. */
export type Protection = 'sign' | 'encrypt' | 'sign+encrypt';

/** The verified sender. */
export interface VerifiedSender {
  /** Bare JID that the signer's certificate speaks for, equal to the stanza's `from`. */
  readonly jid: string;
  /** Which name in the certificate said so. */
  readonly source: BoundIdentity['source'];
  readonly trust: TrustSource;
  /** Fingerprint of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly algorithm: string;
  readonly chain: readonly CertificateSummary[];
}

/** The signed time. */
export interface VerdictTime {
  readonly status: TimeStatus;
  /** RFC 3339, in UTC. */
  readonly signed: string | undefined;
  readonly source: 'cpim' | 'pidf' | 'signature' | undefined;
  /** The latest delay stamp beside `<e2e/>`, forgeable. */
  readonly delay: string | undefined;
}

/** The verdict on an opened stanza. */
export interface Verdict {
  readonly policy: string;
  /** The foreign client by whose ways it was read. */
  readonly profile: string | undefined;
  readonly backend: string;
  readonly protection: Protection;
  readonly payload: PayloadForm;
  /** `good`, or another that the policy delivers by choice: `untrusted`, `unknown-signer` or `unsigned`. */
  readonly level: SignatureLevel;
  /** The signature, whoever made it; undefined when there is none. */
  readonly signature: ClaimedSignature | undefined;
  /** Null unless the level is `good`: `claimedFrom` is then a mere claim. */
  readonly sender: VerifiedSender | null;
  /** Bare JID that the stanza and its payload name as sender. */
  readonly claimedFrom: string;
  /** How the address of the sender could deceive the eye. */
  readonly lookAlike: LookAlike;
  readonly pin: PinStatus;
  /** Whether what was sealed names me as its recipient. */
  readonly recipientBound: boolean;
  /** Every bare JID that the payload names as recipient. */
  readonly recipients: readonly string[];
  /** False for content that anybody on the way could have changed: no good signature, and not AEAD. */
  readonly authenticated: boolean;
  readonly encryption: EncryptionInfo | undefined;
  readonly time: VerdictTime;
  /** `checked`: new to the guard, or known in an archive. `off`: no guard was used. */
  readonly replay: 'checked' | 'known' | 'off';
  /** Elements beside `<e2e/>`: unprotected, for servers or from them. */
  readonly outside: readonly XmlElement[];
  /** What was found inside but belongs outside, and was dropped; `name` in braces after its namespace. */
  readonly dropped: readonly string[];
  /** What the profile let pass that is refused without it. */
  readonly exceptions: readonly string[];
  /** Plain sentences, free of content. */
  readonly words: readonly string[];
}

/** The facts that become a verdict. */
export type VerdictFacts = Omit<Verdict, 'words'>;

/**
 * Completes a verdict with its words.
 *
 * @param facts become the verdict
 */
export function verdict(facts: VerdictFacts): Verdict {
  return Object.freeze(Object.assign(facts, { words: describeVerdict(facts) }));
}

/**
 * A verdict in plain sentences, free of content: who signed, with what, for which address, for whom, when, what was
 * protected and what came from outside.
 *
 * @param facts a verdict, or what an `E2eError` has of one
 */
export function describeVerdict(facts: VerdictFacts | PartialVerdict): readonly string[] {
  const { encryption } = facts;
  const lines = [...signatureWords(facts)];
  if (encryption === undefined) lines.push('not encrypted: anybody on the way could read it');
  else lines.push(`encrypted with ${encryption.cipher} (${encryption.keyTransport.join(', ')})`);
  if ('payload' in facts) lines.push(...deliveredWords(facts));
  else if (facts.time !== undefined) lines.push(timeLine(facts.time.status as TimeStatus, facts.time.signed));
  for (const child of facts.outside) {
    lines.push(`unprotected beside it: ${escapeForDisplay(typeof child === 'string' ? child : nameOf(child), 80)}`);
  }
  return Object.freeze(lines);
}

function signatureWords({ level, claimedFrom, signature, sender, pin }: VerdictFacts | PartialVerdict): string[] {
  const lines: string[] = [];
  if (level !== 'good') lines.push(`${levelWords[level]}: ${claimedFrom} is only claimed to be the sender`);
  else if (typeof sender === 'object' && sender !== null) {
    const how = `${sender.algorithm}, ${trustWords[sender.trust]}, ${sourceWords[sender.source]}`;
    lines.push(`signed by ${sender.jid} (${how})`);
  } else lines.push(`${sender === undefined ? 'signed, but not found to be' : 'signed by'} ${sender ?? claimedFrom}`);
  if (level !== 'good' && signature !== undefined) lines.push(`why: ${escapeForDisplay(signature.reason, 160)}`);
  if (signature?.fingerprint !== undefined) lines.push(`signing certificate ${signature.fingerprint}`);
  // Section 6.3: tell the addresses in the certificate where they are not the sender's.
  const names = sender === undefined || sender === null ? (signature?.names ?? []) : [];
  if (names.length > 0) lines.push(`that certificate names ${escapeForDisplay(names.join(', '), 320)}`);
  if (pin !== undefined && pin !== 'off') lines.push(pinWords[pin]);
  return lines;
}

function deliveredWords(facts: VerdictFacts): string[] {
  const { lookAlike, time } = facts;
  const lines: string[] = [];
  if (!facts.authenticated) lines.push('NOT AUTHENTICATED: anybody on the way could have changed it');
  for (const jid of lookAlike.resembles) lines.push(`LOOKS LIKE ${escapeForDisplay(jid, 160)}, but is another address`);
  if (lookAlike.scripts.length > 0) lines.push(`MIXED SCRIPTS in the address: ${lookAlike.scripts.join(', ')}`);
  lines.push(
    facts.recipientBound
      ? `made for ${escapeForDisplay(facts.recipients.join(', '), 320) || 'me'}`
      : 'NOT BOUND to a recipient: it may have been made for somebody else',
  );
  lines.push(timeLine(time.status, time.signed));
  if (facts.replay === 'off') lines.push('replays were not looked for');
  if (facts.replay === 'known') lines.push('received before');
  if (facts.profile !== undefined) lines.push(`read by the rules of ${escapeForDisplay(facts.profile, 40)}`);
  for (const exception of facts.exceptions) lines.push(`EXCEPTION MADE: ${escapeForDisplay(exception, 160)}`);
  for (const name of facts.dropped) lines.push(`dropped from inside: ${escapeForDisplay(name, 80)}`);
  return lines;
}

function timeLine(status: TimeStatus, signed: string | undefined): string {
  return timeWords[status] + (signed === undefined ? '' : ` (${signed})`);
}

const levelWords: Record<Exclude<SignatureLevel, 'good'>, string> = {
  untrusted: 'SIGNED BY SOMEBODY UNTRUSTED',
  'unknown-signer': 'SIGNED BY SOMEBODY UNKNOWN',
  weak: 'SIGNED TOO WEAKLY',
  forged: 'FORGED OR DAMAGED',
  unsigned: 'NOT SIGNED',
};

const pinWords: Record<Exclude<PinStatus, 'off'>, string> = {
  match: 'the certificate is pinned for the sender',
  first: 'FIRST USE: the certificate was pinned for the sender just now, which proves nothing about this stanza',
  none: 'no certificate is pinned for the sender',
  changed: 'ANOTHER CERTIFICATE is pinned for the sender',
};

const trustWords: Record<TrustSource, string> = {
  pinned: 'a certificate filed for this address',
  anchor: 'a certificate below a trusted anchor',
};

const sourceWords: Record<BoundIdentity['source'], string> = {
  im: 'im: URI',
  pres: 'pres: URI',
  xmpp: 'xmpp: URI',
  'xmpp-addr': 'id-on-xmppAddr',
  'user-id': 'User ID',
};

const timeWords: Record<TimeStatus, string> = {
  ok: 'on time',
  old: 'OLD',
  future: 'FROM THE FUTURE',
  decreasing: 'OUT OF ORDER: not later than one accepted before',
  delayed: 'delayed on its way',
  replayed: 'REPLAYED',
  absent: 'NO SIGNED TIME',
};

/** An element's name with its namespace in braces. */
export function nameOf(element: XmlElement): string {
  return `{${element.namespace}}${element.name}`;
}

/** An instant as the verdict writes it. */
export function verdictInstant(nanoseconds: bigint | undefined): string | undefined {
  return nanoseconds === undefined ? undefined : formatInstant(nanoseconds);
}

/** The sender of a signature whose identities include the claimed one. */
export function verifiedSender(signature: SignatureResult, identity: BoundIdentity): VerifiedSender {
  return Object.freeze({
    jid: identity.jid.toString(),
    source: identity.source,
    trust: signature.trust ?? 'anchor',
    fingerprint: signature.fingerprint ?? '',
    algorithm: signature.algorithm,
    chain: signature.chain,
  });
}
