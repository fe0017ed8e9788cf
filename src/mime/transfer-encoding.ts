/** Content-Transfer-Encoding (RFC 2045 section 6). */

import { base64Decode, base64Encode, base64Text, rememberPlain } from '../bytes.ts';
import { E2eError, type E2eStage } from '../errors.ts';
import { bodyTextOf, type Entity } from './entity.ts';

/** Line length of base64 bodies: RFC 2045 allows 76, OpenSSL's readers want 64. */
const lineLength = 64;

/**
 * The body of an entity without its transfer encoding.
 *
 * `7bit`, `8bit` and `binary` are the identity: the declaration says how the body may travel, not what it is.
 *
 * @returns a view of the entity's own bytes where nothing had to be decoded
 * @throws {E2eError} MALFORMED, UNSUPPORTED
 */
export function decodeBody(entity: Entity, stage: E2eStage = 'parse'): Uint8Array {
  switch (entity.transferEncoding) {
    case '7bit':
    case '8bit':
    case 'binary':
      return entity.body;
    case 'base64':
      return base64Decode(bodyTextOf(entity) ?? entity.body, stage);
    case 'quoted-printable':
      return decodeQuotedPrintable(entity.body, stage);
    default:
      throw new E2eError('ERR_E2E_UNSUPPORTED', stage, {
        reason: 'Content-Transfer-Encoding',
        subject: entity.transferEncoding,
      });
  }
}

/** Encodes a body as base64 in lines of 64 characters ended by CRLF. Inverse of {@link decodeBody}. */
export function encodeBase64Body(bytes: Uint8Array): Uint8Array {
  return base64Encode(bytes, lineLength);
}

/**
 * {@link encodeBase64Body} as text.
 *
 * @param bytes in one piece, or one after the other
 * @param head what comes before, for example the header block
 * @param lineEnd LF unless given
 */
export function encodeBase64Text(
  bytes: Uint8Array | readonly Uint8Array[],
  head = '',
  lineEnd: '\n' | '\r\n' = '\n',
): string {
  return rememberPlain(base64Text(bytes, lineLength, lineEnd, head), head);
}

/**
 * Decodes quoted-printable (RFC 2045 section 6.7).
 *
 *     octet := "=" 2(HEXDIG) / %x21-3C / %x3E-7E / SP / TAB
 *     soft line break := "=" CRLF
 *
 * White space at the end of a line is refused: rule 3 tells a decoder to delete it as damage of transport, and octets
 * under a signature have no such damage.
 */
function decodeQuotedPrintable(text: Uint8Array, stage: E2eStage): Uint8Array {
  const out = new Uint8Array(text.length);
  let o = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    if (byte === 0x3d) {
      if (text[i + 1] === 0x0d && text[i + 2] === 0x0a) {
        i += 2;
        continue;
      }
      const high = hexDigit(text[i + 1]);
      const low = hexDigit(text[i + 2]);
      if (high < 0 || low < 0) throw notQuotedPrintable(stage);
      out[o++] = high * 16 + low;
      i += 2;
      continue;
    }
    if (byte === 0x0d && text[i + 1] === 0x0a) {
      if (text[i - 1] === 0x20 || text[i - 1] === 0x09) throw notQuotedPrintable(stage);
      out[o++] = 0x0d;
      out[o++] = 0x0a;
      i++;
      continue;
    }
    if ((byte < 0x20 && byte !== 0x09) || byte > 0x7e) throw notQuotedPrintable(stage);
    out[o++] = byte;
  }
  const last = text[text.length - 1];
  if (last === 0x20 || last === 0x09) throw notQuotedPrintable(stage);
  return out.subarray(0, o);
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const upper = byte & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}

function notQuotedPrintable(stage: E2eStage): E2eError {
  return new E2eError('ERR_E2E_MALFORMED', stage, { reason: 'not quoted-printable' });
}
