/** A MIME entity with its exact bytes (RFC 2045, RFC 2046). */

import type { ContentType } from './content-type.ts';

/** One header field, unfolded. */
export interface MimeHeader {
  /** Field name as written. */
  readonly name: string;
  /** Unfolded value without surrounding white space. */
  readonly value: string;
}

/** A parsed entity. All byte arrays are views of the same buffer: nothing was re-serialized. */
export interface Entity {
  /** The entity exactly as received: header block, empty line and body. */
  readonly raw: Uint8Array;
  readonly headers: readonly MimeHeader[];
  /** Undefined for a bare blob, which has no header block at all. */
  readonly contentType: ContentType | undefined;
  /** Lower-case Content-Transfer-Encoding; `7bit` where absent (RFC 2045 section 6.1). */
  readonly transferEncoding: string;
  /** The body octets, still in their transfer encoding. */
  readonly body: Uint8Array;
}
