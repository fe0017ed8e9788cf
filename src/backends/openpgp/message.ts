/**
 * The content of an OpenPGP message: one literal with its signatures, compressed or not (RFC 4880 section 11.3, RFC
 * 9580 section 10.3). Exactly these shapes, or a message "signed" over one literal could show another one.
 *
 *     message    := signed / compressed(signed)
 *     signed     := literal / n*one-pass literal n*signature / 1*signature literal
 */

import { toCrlf } from '../../bytes.ts';
import { type AnyPacket, allPackets, enums, isDated, type PacketSequence, type MessageSignature } from './library.ts';
import { tag } from './packets.ts';

/** What a message says. */
export interface OpenedMessage {
  /** The octets of the literal; in canonical form where a text signature covers that. */
  readonly content: Uint8Array;
  /** In the order of the message; undefined stands for one that cannot be read. */
  readonly signatures: readonly (MessageSignature | undefined)[];
  readonly compressed: boolean;
}

/**
 * Takes a message apart. The file name, date and format of the literal are not signed, so they are ignored.
 *
 * @throws {Error} for any other shape; the caller names the error
 */
export async function openMessage(sequence: PacketSequence | readonly AnyPacket[]): Promise<OpenedMessage> {
  let packets = await known(sequence);
  const compressed = packets.length === 1 && tagOf(packets[0]!) === tag.compressed;
  if (compressed) packets = await known((packets[0] as unknown as { packets: PacketSequence }).packets);
  const literals = packets.filter((packet) => tagOf(packet) === tag.literal);
  const onePass = packets.filter((packet) => tagOf(packet) === tag.onePassSignature);
  const signatures = packets.filter((packet) => tagOf(packet) === tag.signature);
  if (literals.length !== 1) throw new Error('not one literal');
  if (literals.length + onePass.length + signatures.length !== packets.length) throw new Error('unexpected packet');
  const middle = packets.indexOf(literals[0]!);
  const before = packets.slice(0, middle);
  const shape = before.every((packet) => tagOf(packet) === tag.onePassSignature)
    ? before.length === signatures.length
    : onePass.length === 0 && middle === packets.length - 1;
  if (!shape) throw new Error('signatures and literal in another order');
  const readable = signatures.map((packet) => {
    // A version that is not known comes as an unparseable packet.
    const signature = 'signatureType' in packet ? (packet as unknown as MessageSignature) : undefined;
    return signature !== undefined && isDated(signature) ? signature : undefined;
  });
  const { data } = literals[0] as unknown as { data: unknown };
  if (!(data instanceof Uint8Array)) throw new Error('literal without octets');
  const text = readable.some((signature) => signature?.signatureType === enums.signature.text);
  return { content: text ? toCrlf(data) : data, signatures: readable, compressed };
}

async function known(sequence: PacketSequence | readonly AnyPacket[]): Promise<readonly AnyPacket[]> {
  return (await allPackets(sequence)).filter((packet) => (tagOf(packet) ?? 0) < 40);
}

function tagOf(packet: AnyPacket): number | undefined {
  return packet.constructor.tag ?? packet.tag;
}
