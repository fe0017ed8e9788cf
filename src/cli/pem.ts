/** The blocks of a PEM file (RFC 7468), as text. */

/** One block. */
export interface PemBlock {
  /** For example `CERTIFICATE`. */
  readonly label: string;
  /** The whole block with its lines, ended by LF. */
  readonly text: string;
}

const begin = '-----BEGIN ';
const dashes = '-----';

/**
 * Finds the blocks of a PEM file; what stands between them is skipped, as openssl does.
 *
 * @param text of any length; one pass
 */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let start = text.indexOf(begin); start !== -1;) {
    const labelEnd = text.indexOf(dashes, start + begin.length);
    if (labelEnd === -1) break;
    const label = text.slice(start + begin.length, labelEnd);
    const endLine = `-----END ${label}${dashes}`;
    const end = text.indexOf(endLine, labelEnd);
    if (end === -1) break;
    const stop = end + endLine.length;
    blocks.push({ label, text: `${text.slice(start, stop).replaceAll('\r\n', '\n')}\n` });
    start = text.indexOf(begin, stop);
  }
  return blocks;
}
