/**
 * Keys and messages of Sequoia 2, GopenPGP 3 and rPGP, in version 4 and in version 6 with SEIPD version 2 (RFC 9580).
 * Their programs are newer than those of the system that the tests run on, so what they wrote is kept as fixtures;
 * test/generate/openpgp-fixtures.sh makes them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../src/bytes.ts';
import { describeCertificate, openEntity, openpgp } from '../../src/backends/openpgp/index.ts';
import type { SecurityBackend } from '../../src/backends/backend.ts';
import { limitsWith } from '../../src/limits.ts';
import { memoryStore } from '../../src/stores/index.ts';
import {
  bare,
  call,
  content,
  entity,
  expectOutcome,
  juliet,
  nothing,
  open,
  refusal,
  romeo,
  seal,
} from '../unit/openpgp/scene.ts';

const folder = fileURLToPath(new URL('openpgp-fixtures', import.meta.url));
const writers = readdirSync(folder);

/** Who names recipients in what is signed and encrypted (RFC 9580 section 5.2.3.36). */
const namesRecipients: ReadonlySet<string> = new Set(['gopenpgp-v4', 'gopenpgp-v6', 'gopenpgp-v6-448']);

/** Version 4 keys of Sequoia announce SEIPD version 2, and are written to with it. */
const seipdV2: ReadonlySet<string> = new Set(writers.filter((name) => name.includes('v6') || name === 'sequoia-v4'));

it('are all here', () => {
  expect(writers).toEqual([
    'gopenpgp-v4',
    'gopenpgp-v6',
    'gopenpgp-v6-448',
    'rpgp-v4',
    'rpgp-v6',
    'rpgp-v6-p256',
    'rpgp-v6-rsa',
    'sequoia-v4',
    'sequoia-v6',
  ]);
});

describe.each(writers)('%s', (writer) => {
  const file = (name: string): Uint8Array => Uint8Array.from(readFileSync(`${folder}/${writer}/${name}`));
  const at = new Date(Buffer.from(file('at')).toString().trim());
  const original = file('content');
  const version = writer.includes('v6') ? 6 : 4;
  // The keys of 2026 are judged at their own time.
  const overrides = { call: { at, limits: limitsWith({}) } };

  const side = (me: 'juliet' | 'romeo'): SecurityBackend => {
    const store = memoryStore();
    const [own, other, name] =
      me === 'juliet' ? ([juliet, romeo, 'romeo'] as const) : ([romeo, juliet, 'juliet'] as const);
    store.addIdentity(own, 'openpgp', { keys: file(`${me}.key`), certificates: nothing });
    store.fileCertificate(other, 'openpgp', file(`${name}.cert`));
    return openpgp({ store });
  };
  const reader = side('romeo');
  const sender = side('juliet');

  it('its certificate', async () => {
    const summary = await describeCertificate(file('juliet.cert'), { at });
    expect(summary).toMatchObject({ subject: 'xmpp:juliet@example.com', jids: ['juliet@example.com'] });
    expect(summary.fingerprint).toHaveLength(version === 6 ? 64 : 40);
    expect(await reader.canSealTo(juliet, at)).toBe(true);
  });

  it('its signature, over these octets only', async () => {
    expectOutcome(await open(reader, multipartSigned(original, file('signature')), overrides), 'good');
    const changed = Uint8Array.from(original);
    changed[changed.length - 3]! ^= 1;
    expectOutcome(await open(reader, multipartSigned(changed, file('signature')), overrides), 'bad');
  });

  it('its encryption', async () => {
    const opened = await open(reader, bare(file('encrypted')), overrides);
    expect(opened).toMatchObject({ content: original, signatures: undefined });
    const { title } = await reader.inspect(bare(file('encrypted')), call().limits);
    expect(title).toBe(seipdV2.has(writer) ? 'OpenPGP SEIPD v2' : 'OpenPGP SEIPD v1');
    await refusal(open(sender, bare(file('encrypted')), { ...overrides, me: juliet }), 'ERR_E2E_NO_DECRYPTION_KEY');
  });

  it('both together, and not with any octet changed', async () => {
    const message = file('signed-and-encrypted');
    const opened = await open(reader, bare(message), overrides);
    expect(opened.content).toEqual(original);
    const result = expectOutcome(opened, 'good');
    expect(result.intendedFor).toBe(namesRecipients.has(writer) ? 'me' : 'unspecified');
    const entry = {
      at,
      certificates: [file('juliet.cert')],
      keys: [{ keys: file('romeo.key'), certificates: nothing }],
    };
    expect((await openEntity(message, entry)).content).toEqual(original);
    const text = Buffer.from(message).toString('latin1');
    const lines = text.split('\n');
    const middle = lines.length >> 1;
    lines[middle] = lines[middle]!.replace(/[A-Za-z]/, (letter) => (letter === 'A' ? 'B' : 'A'));
    await refusal(open(reader, bare(utf8(lines.join('\n'))), overrides), 'ERR_E2E_DECRYPTION_FAILED');
  });

  it('its keys, used here', async () => {
    const sealed = await seal(sender, 'sign+encrypt', overrides);
    const result = expectOutcome(await open(reader, sealed, overrides), 'good');
    expect(result.intendedFor).toBe('me');
    expectOutcome(await open(reader, await seal(sender, 'sign', overrides), overrides), 'good');
    const { title } = await reader.inspect(entity(sealed), call().limits);
    expect(title).toBe(seipdV2.has(writer) ? 'OpenPGP SEIPD v2' : 'OpenPGP SEIPD v1');
    expect((await open(reader, sealed, overrides)).content).toEqual(content);
  });
});

function multipartSigned(signed: Uint8Array, armor: Uint8Array): Uint8Array {
  const parameters = 'boundary=b; micalg=pgp-sha512; protocol="application/pgp-signature"';
  const crlf = Buffer.from(armor).toString('latin1').replaceAll(/\r?\n/g, '\r\n');
  return concatBytes(
    utf8(`Content-Type: multipart/signed; ${parameters}\r\n\r\n--b\r\n`),
    signed,
    utf8(`\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n${crlf}\r\n--b--\r\n`),
  );
}
