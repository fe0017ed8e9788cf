/** What a recipient may believe about an opened stanza: in fields, and in plain words. */

import type { BoundIdentity, CertificateSummary, SignatureResult, TrustSource } from '../backends/backend.ts';
import { type EncryptionInfo, escapeForDisplay } from '../errors.ts';
import type { PayloadForm } from '../payload/map.ts';
import { formatInstant } from '../time.ts';
import type { XmlElement } from '../xml/element.ts';
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
  readonly backend: string;
  readonly protection: Protection;
  readonly payload: PayloadForm;
  /** Null when nobody signed: `claimedFrom` is then a mere claim. */
  readonly sender: VerifiedSender | null;
  /** Bare JID that the stanza and its payload name as sender. */
  readonly claimedFrom: string;
  /** Whether what was sealed names me as its recipient. */
  readonly recipientBound: boolean;
  /** Every bare JID that the payload names as recipient. */
  readonly recipients: readonly string[];
  /** False for content that anybody on the way could have changed: unsigned and not AEAD. */
  readonly authenticated: boolean;
  readonly encryption: EncryptionInfo | undefined;
  readonly time: VerdictTime;
  /** `checked`: new to the guard, or known in an archive. `off`: no guard was used. */
  readonly replay: 'checked' | 'known' | 'off';
  /** Elements beside `<e2e/>`: unprotected, for servers or from them. */
  readonly outside: readonly XmlElement[];
  /** What was found inside but belongs outside, and was dropped; `name` in braces after its namespace. */
  readonly dropped: readonly string[];
  /** Plain sentences, free of content. */
  readonly words: readonly string[];
}

/** The facts that become a verdict. */
export type VerdictFacts = Omit<Verdict, 'words'>;

/** Completes a verdict with its words. */
export function verdict(facts: VerdictFacts): Verdict {
  return Object.freeze({ ...facts, words: Object.freeze(words(facts)) });
}

function words(facts: VerdictFacts): string[] {
  const { sender, time, encryption } = facts;
  const lines: string[] = [];
  lines.push(
    sender === null
      ? `NOT SIGNED: ${facts.claimedFrom} is only claimed to be the sender`
      : `signed by ${sender.jid} (${sender.algorithm}, ${trustWords[sender.trust]}, ${sourceWords[sender.source]})`,
  );
  if (sender !== null) lines.push(`signing certificate ${sender.fingerprint}`);
  if (encryption === undefined) lines.push('not encrypted: anybody on the way could read it');
  else lines.push(`encrypted with ${encryption.cipher} (${encryption.keyTransport.join(', ')})`);
  if (!facts.authenticated) lines.push('NOT AUTHENTICATED: anybody on the way could have changed it');
  lines.push(
    facts.recipientBound ? 'made for me' : 'NOT BOUND to a recipient: it may have been made for somebody else',
  );
  lines.push(timeWords[time.status] + (time.signed === undefined ? '' : ` (${time.signed})`));
  if (facts.replay === 'off') lines.push('replays were not looked for');
  if (facts.replay === 'known') lines.push('received before');
  for (const name of facts.dropped) lines.push(`dropped from inside: ${escapeForDisplay(name, 80)}`);
  for (const child of facts.outside) lines.push(`unprotected beside it: ${escapeForDisplay(nameOf(child), 80)}`);
  return lines;
}

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
