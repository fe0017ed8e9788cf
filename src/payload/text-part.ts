/** A text/plain part as a string (RFC 2046 section 4.1, RFC 3922 sections 4.1.7 and 4.2.9). */

import { crlfText, utf8Decode } from '../bytes.ts';
import { E2eError } from '../errors.ts';
import { type Entity, headerValue, type MimeHeader, serializeTextEntity } from '../mime/entity.ts';
import { decodeBody } from '../mime/transfer-encoding.ts';
import { isLanguageTag } from './cpim-header.ts';
import { invalid, verified } from './invalid.ts';

/** Text in one language. */
export interface LocalizedText {
  readonly lang: string | undefined;
  readonly text: string;
}

/**
 * The decoded octets of a part whose charset is UTF-8 or US-ASCII, the only ones that RFC 3922 section 4.2.9 maps and
 * that XMPP can carry. They are not yet checked to be UTF-8.
 *
 * @param charset the charset of the media type where no parameter names one
 * @throws {E2eError} PAYLOAD_INVALID, UNSUPPORTED
 */
export function charsetBytes(entity: Entity, charset: 'utf-8' | 'us-ascii'): Uint8Array {
  const named = (entity.contentType?.parameters.get('charset') ?? charset).toLowerCase();
  if (named !== 'utf-8' && named !== 'us-ascii') {
    throw new E2eError('ERR_E2E_UNSUPPORTED', 'parse', { reason: 'charset', subject: named });
  }
  const bytes = verified(() => decodeBody(entity));
  if (named === 'us-ascii' && bytes.some((byte) => byte > 0x7f)) throw invalid('text is not US-ASCII');
  return bytes;
}

/**
 * Reads a text/plain part; its line ends become LF.
 *
 * @throws {E2eError} PAYLOAD_INVALID, UNSUPPORTED
 */
export function parseTextPart(entity: Entity): LocalizedText {
  const text = verified(() => utf8Decode(charsetBytes(entity, 'us-ascii')));
  // It is no part of the text to one reader and a character of it to the next.
  if (text.startsWith('\ufeff')) throw invalid('byte order mark');
  const lang = headerValue(entity, 'content-language');
  // A list of languages (RFC 3282 section 2) is no xml:lang.
  return { lang: lang !== undefined && isLanguageTag(lang) ? lang : undefined, text: text.replaceAll('\r\n', '\n') };
}

/**
 * Writes a text/plain part; LF, CR and CRLF become CRLF. Inverse of {@link parseTextPart} for text without CR.
 *
 * RFC 3923 section 6.4: text travels as it is, without a 7-bit transform.
 */
export function serializeTextPart({ lang, text }: LocalizedText): readonly [headers: string, text: string] {
  const headers: MimeHeader[] = [{ name: 'Content-Type', value: 'text/plain; charset=utf-8' }];
  if (lang !== undefined) headers.push({ name: 'Content-Language', value: lang });
  return [serializeTextEntity(headers, '', '\r\n'), crlfText(text)];
}
