/** xmpp-e2e: end-to-end signing and object encryption of XMPP stanzas (RFC 3923). */

export type {
  AlgorithmPolicy,
  BoundIdentity,
  CandidateCertificate,
  CertificateSummary,
  ExternalPrivateKey,
  KeyStore,
  LayerDescription,
  LayerKind,
  PacketOptions,
  SealProfile,
  SecurityBackend,
  SignatureOutcome,
  SignatureResult,
  StoredCertificate,
  StoredIdentity,
  Trust,
  TrustSource,
} from './backends/backend.ts';
export { type ClockStore, type SendingClock, sendingClock } from './e2e/clock.ts';
export type { DialectNames, DialectProfile } from './e2e/dialect.ts';
export {
  errorReply,
  type ErrorReplyOptions,
  parseErrorReply,
  type ReadReply,
  replyLimiter,
  type ReplyLimiter,
  type ReplyMode,
} from './e2e/error-reply.ts';
export { type InspectedNode, type InspectOptions, inspectStanza, isSealed } from './e2e/inspect.ts';
export {
  type ManyFailure,
  type ManyOpened,
  type ManyOptions,
  type ManySealed,
  openMany,
  sealMany,
  type StanzaSource,
} from './e2e/many.ts';
export type { ArrivedCertificates } from './e2e/certificate-exchange.ts';
export type { CandidateStore, CertificatePolicy } from './e2e/certificate-policy.ts';
export { type Opened, type OpenOptions, openStanza } from './e2e/open.ts';
export { type Policy, rfc3923Policy, strictPolicy, type TimePolicy, type TimeStatus } from './e2e/policy.ts';
export {
  type MemoryReplayOptions,
  memoryReplayStore,
  type RecordOptions,
  type ReplayEntry,
  ReplayGuard,
  type ReplayOutcome,
  type ReplayStore,
} from './e2e/replay.ts';
export { type ContactMemory, contactMemory } from './e2e/known-contacts.ts';
export { type SealOptions, sealStanza } from './e2e/seal.ts';
export { E2eSession } from './e2e/session.ts';
export type {
  OpenedForward,
  OpenForwardedOptions,
  SessionEvents,
  SessionOpenOptions,
  SessionOptions,
  SessionProfile,
} from './e2e/session-options.ts';
export type { Sealing, SealingFacts, SealingRule } from './e2e/sending-policy.ts';
export type { OpenContext } from './e2e/timeliness.ts';
export { type Glance, type Received, TransparentStream } from './e2e/transparent.ts';
export type { Expectation } from './e2e/expectation.ts';
export { type FirstUse, memoryPinStore, PinGuard, type PinGuardOptions, type Pins, type PinStore } from './e2e/pins.ts';
export { type Roster, roster } from './e2e/roster.ts';
export {
  describeVerdict,
  type Protection,
  type Verdict,
  type VerdictFacts,
  type VerdictTime,
  type VerifiedSender,
} from './e2e/verdict.ts';
export {
  type ClaimedSignature,
  E2eError,
  type E2eErrorCode,
  type E2eErrorDetail,
  type E2eReply,
  type E2eStage,
  type EncryptionInfo,
  errorCodes,
  escapeForDisplay,
  type PartialVerdict,
  type PinStatus,
  type SignatureLevel,
} from './errors.ts';
export { Jid } from './jid/jid.ts';
export type { LookAlike } from './jid/look-alike.ts';
export { defaultLimits, type Limits, limitsWith } from './limits.ts';
export type { PayloadForm } from './payload/map.ts';
export type { Payload } from './payload/payload.ts';
export { element, type XmlAttribute, XmlElement, type XmlNode } from './xml/element.ts';
export { parseXml, type ParseXmlOptions } from './xml/parse.ts';
export { serializeXml, type SerializeXmlOptions } from './xml/serialize.ts';
export { buildWith, toElement } from './xml/from-host.ts';
export { E2E as E2E_NAMESPACE } from './xml/namespaces.ts';
