/**
 * Surreptitious forwarding (Davis 2001): a recipient takes the signed content out of the encryption and encrypts it
 * anew, to somebody whom the author never addressed. The signature stays right, so it has to name its recipients.
 */
import * as library from 'openpgp';
import { describe, expect, it } from 'vitest';
import { openEntity } from '../../src/backends/openpgp/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { openpgp } from '../../src/backends/openpgp/index.ts';
import {
  encryptPackets,
  inlineSigned,
  intendedRecipient,
  signaturePacket,
  makeSignature,
  signedLiteral,
  onePass,
  literal,
} from '../unit/openpgp/forge.ts';
import {
  at,
  backendOf,
  bare,
  content,
  expectOutcome,
  juliet,
  mallory,
  nothing,
  open,
  person,
  refusal,
  romeo,
  seal,
} from '../unit/openpgp/scene.ts';

const j = await person(juliet);
const r = await person(romeo);
const m = await person(mallory);
const hers = backendOf(j, [r, m]);
const his = backendOf(r, [j]);

/** Mallory opens what she got and encrypts the very packets inside to Romeo. */
async function forwarded(sealed: Uint8Array): Promise<Uint8Array> {
  const armored = new TextDecoder().decode(sealed);
  const message = await library.readMessage({ armoredMessage: armored.slice(armored.indexOf('-----BEGIN')) });
  const inside = await message.decrypt([m.key]);
  const packets = [...inside.packets];
  const rest = inside.packets as unknown as { stream?: { getReader(): ReadableStreamDefaultReader<never> } | null };
  const reader = rest.stream?.getReader();
  for (let step = await reader?.read(); step !== undefined && !step.done; step = await reader!.read()) {
    packets.push(step.value);
  }
  const octets = Buffer.concat(
    packets.map((packet) => {
      const { tag } = packet.constructor as unknown as { tag: number };
      const body = (packet as unknown as { write(): Uint8Array }).write();
      const header = Buffer.alloc(6);
      header[0] = 0xc0 | tag;
      header[1] = 255;
      header.writeUInt32BE(body.length, 2);
      return Buffer.concat([header, body]);
    }),
  );
  return encryptPackets(octets, [r.key]);
}

describe('a message for Mallory that she encrypts to Romeo', () => {
  it('opens for Mallory, and says at Romeo that it is for others', async () => {
    const sealed = await seal(hers, 'sign+encrypt', { recipients: [mallory] });
    const atMallory = await open(backendOf(m, [j]), sealed, { me: mallory });
    expect(expectOutcome(atMallory, 'good').intendedFor).toBe('me');
    const opened = await open(his, bare(await forwarded(sealed)));
    expect(opened.content).toEqual(content);
    expect(expectOutcome(opened, 'good').intendedFor).toBe('others');
  });

  it('is RECIPIENT_MISMATCH to openEntity', async () => {
    const message = await forwarded(await seal(hers, 'sign+encrypt', { recipients: [mallory] }));
    const options = { at, certificates: [j.certificate], keys: [{ keys: r.secret, certificates: nothing }] };
    await refusal(openEntity(message, options), 'ERR_E2E_RECIPIENT_MISMATCH', 'check');
  });

  it('is the same with a signature outside of the encryption (RFC 3156 section 6.1)', async () => {
    const signed = await seal(hers, 'sign', { recipients: [mallory] });
    expect(expectOutcome(await open(his, signed), 'good').intendedFor).toBe('others');
  });

  it('is fine for Romeo when he was among the recipients', async () => {
    const sealed = await seal(hers, 'sign+encrypt', { recipients: [mallory, romeo] });
    const opened = await open(his, bare(await forwarded(sealed)));
    expect(expectOutcome(opened, 'good').intendedFor).toBe('me');
  });

  it('does not become his by an unhashed subpacket, which anybody can add', async () => {
    const fields = { type: library.enums.signature.binary, at, hashed: [intendedRecipient(m.key)] };
    const body = intendedRecipient(r.key).subarray(2);
    const unhashed = [{ type: 35, body }];
    const signature = await makeSignature(j.key.keyPacket, signedLiteral(content), { ...fields, unhashed });
    const message = Buffer.concat([onePass(signature), literal(content), signaturePacket(signature)]);
    expect(expectOutcome(await open(his, bare(message)), 'good').intendedFor).toBe('others');
    const only = await makeSignature(j.key.keyPacket, signedLiteral(content), { type: fields.type, at, unhashed });
    const unnamed = Buffer.concat([onePass(only), literal(content), signaturePacket(only)]);
    expect(expectOutcome(await open(his, bare(unnamed)), 'good').intendedFor).toBe('unspecified');
  });

  it('counts all of my keys, and one of several names is enough', async () => {
    const second = await person(romeo);
    const store = memoryStore();
    for (const { secret } of [r, second]) store.addIdentity(romeo, 'openpgp', { keys: secret, certificates: nothing });
    store.fileCertificate(juliet, 'openpgp', j.certificate);
    const backend = openpgp({ store });
    for (const key of [r.key, second.key]) {
      const hashed = [intendedRecipient(m.key), intendedRecipient(key)];
      const message = await inlineSigned(content, j.key.keyPacket, { hashed });
      expect(expectOutcome(await open(backend, bare(message)), 'good').intendedFor).toBe('me');
    }
  });

  it('is understood where the subpacket is critical too', async () => {
    for (const [key, intendedFor] of [
      [r.key, 'me'],
      [m.key, 'others'],
    ] as const) {
      const message = await inlineSigned(content, j.key.keyPacket, { hashed: [intendedRecipient(key, true)] });
      expect(expectOutcome(await open(his, bare(message)), 'good').intendedFor).toBe(intendedFor);
    }
  });
});
