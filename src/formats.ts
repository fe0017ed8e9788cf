/** The entry `xmpp-e2e/formats`: the formats of RFC 3923 without its cryptography, for gateways. */

export { type ContentType, parseContentType, serializeContentType } from './mime/content-type.ts';
export {
  bareEntity,
  type Entity,
  headerValue,
  type MimeHeader,
  parseEntity,
  type ParseEntityOptions,
  serializeEntity,
} from './mime/entity.ts';
export {
  parseMultipart,
  type ParseMultipartOptions,
  serializeMultipart,
  type SerializeMultipartOptions,
} from './mime/multipart.ts';
export { decodeBody, encodeBase64Body } from './mime/transfer-encoding.ts';
export type { CpimAddress, CpimHeaderLine } from './payload/cpim-header.ts';
export {
  CPIM_HEADERS,
  type CpimDraft,
  type CpimHeader,
  type CpimMessage,
  type CpimName,
  type CpimSubject,
  parseCpim,
  serializeCpim,
} from './payload/cpim.ts';
export { forServers, isForServers } from './payload/for-servers.ts';
export {
  type Mapped,
  type MapOptions,
  mapStanza,
  type MapStanzaOptions,
  mapToCpim,
  mapToPidf,
  mapToXmppXml,
  type PayloadForm,
} from './payload/map.ts';
export { parsePayload, type Payload } from './payload/payload.ts';
export {
  parsePidf,
  type PidfContact,
  type PidfPresence,
  type PidfTuple,
  serializePidf,
  tupleInstant,
} from './payload/pidf.ts';
export { pidfPriority, resourceOfTuple, tupleId, xmppPriority } from './payload/presence.ts';
export { reconstruct, type Reconstructed, type ReconstructOptions, reconstructTuples } from './payload/reconstruct.ts';
export type { LocalizedText } from './payload/text-part.ts';
export { parseXmppXml, serializeXmppXml, type StanzaKind } from './payload/xmpp-xml.ts';
export { defaultLimits, type Limits, limitsWith } from './limits.ts';
export { E2eError, type E2eErrorCode, type E2eStage } from './errors.ts';
export { Jid } from './jid/jid.ts';
export { fromUri, type JidUri, toUri, type UriOptions, type UriScheme } from './jid/uri.ts';
export { canonicalXml, sameXml } from './xml/canonical.ts';
export { parseXml, type ParseXmlOptions } from './xml/parse.ts';
export { serializeXml, type SerializeXmlOptions } from './xml/serialize.ts';
export type { XmlAttribute, XmlElement, XmlNode } from './xml/element.ts';
export { formatInstant, type Instant, parseInstant } from './time.ts';
