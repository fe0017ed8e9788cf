/**
 * Oracles by silence: whether, when and how often a failure is answered must not depend on what failed. 1,000 mixed
 * failures of real messages against a clock that the test turns.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../src/bytes.ts';
import {
  E2eError,
  errorReply,
  limitsWith,
  replyLimiter,
  rfc3923Policy,
  serializeXml,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { mallory } from '../people.ts';
import { type Envelope, keyTransport, seal } from '../unit/cms/envelope.ts';
import { cpim } from '../unit/e2e/scene.ts';
import { pkcs7Mime } from '../unit/smime/forge.ts';
import { issue } from '../unit/x509/support.ts';
import { random } from '../unit/x509/random.ts';
import { type Certified, certified, forged, named, openBy, stanzaOf } from './certified.ts';

/** Far above what the messages need, far below the stanza limit: what is too long shows only after decryption. */
const limits = limitsWith({ decryptedBytes: 10_000 });

/** Its length is public, and is all that is looked at. */
const tooLong = 'text over the limit';

interface Failure {
  readonly what: string;
  readonly stanza: XmlElement;
  readonly error: E2eError;
}

let world: Certified;
const cbc: Failure[] = [];
const gcm: Failure[] = [];

async function contents(): Promise<Readonly<Record<string, Uint8Array>>> {
  const signer = world.leaf;
  const stranger = await issue({ subject: 'Juliet', extensions: named });
  const bad = await forged(cpim(), { signer, signedContent: cpim({}, 'Ho') });
  return {
    'no signature': cpim(),
    'no MIME': utf8('nonsense'),
    'a header block without end': utf8('Content-Type: text/plain'),
    nothing: utf8(''),
    'another type': utf8('Content-Type: image/png\r\n\r\nx'),
    'a damaged payload': utf8('Content-Type: Message/CPIM\r\n\r\nFrom\r\n\r\n'),
    'a bad signature': bad,
    'an untrusted signer': await forged(cpim(), { signer: stranger }),
    'no certificate': await forged(cpim(), { signer }, { certificates: [] }),
    'another sender': await forged(cpim({ From: `<im:${mallory}>` }), { signer }),
    'another recipient': await forged(cpim({ To: `<im:${mallory}>` }), { signer }),
    'an old time': await forged(cpim({ DateTime: '2026-11-01T00:00:00Z' }), { signer }),
    [tooLong]: utf8(`Content-Type: text/plain\r\n\r\n${'x'.repeat(20_000)}`),
  };
}

beforeAll(async () => {
  world = await certified();
  const strictly = { ...strictPolicy, algorithms: rfc3923Policy.algorithms };
  const all = await contents();
  for (const [list, cipher, pkcs1v15] of [
    [cbc, 'aes128-cbc', false],
    [cbc, 'aes256-gcm', true],
    [gcm, 'aes256-gcm', false],
  ] as const) {
    const transport = { publicKey: world.his.publicKey, identifier: world.hisName, pkcs1v15 };
    const add = async (what: string, envelope: Partial<Envelope>, more: object = {}): Promise<void> => {
      const recipients = [keyTransport({ ...transport, ...more })];
      const entity = pkcs7Mime(seal({ cipher, recipients, ...envelope }), 'enveloped-data');
      const stanza = stanzaOf(entity);
      const error = await openBy(world.backend, stanza, { policy: strictly, limits }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!(error instanceof E2eError)) throw new Error(`${what} with ${cipher} was delivered`);
      list.push({ what, stanza, error });
    };
    for (const [what, content] of Object.entries(all)) await add(what, { content });
    const flipped = (right: Uint8Array): Uint8Array => Uint8Array.of(...right.subarray(0, -1), right.at(-1)! ^ 1);
    await add('a changed ciphertext', { content: all['a bad signature']!, ciphertext: flipped });
    await add('a changed key', {}, { encryptedKey: flipped });
    await add('a key too short', {}, { replaced: new Uint8Array(5) });
  }
}, 120_000);

/** What goes out for a failure, in the mode that is the default. */
function answer({ stanza, error }: Failure, kind: 'message' | 'iq'): string {
  const received =
    kind === 'message' ? stanza : stanzaOf(utf8('x'), stanzaText.replace('<message', '<iq').replace("'chat'", "'get'"));
  const reply = errorReply(received, error, { knownContact: true });
  return reply === undefined ? 'silence' : serializeXml(reply);
}
const stanzaText = `<message xmlns='jabber:client' from='juliet@example.com/balcony' to='romeo@example.net' id='m1' type='chat'/>`;

describe('content that is not AEAD, or came by PKCS #1 v1.5', () => {
  it('has many ways to fail, and their codes differ only behind a good signature', () => {
    expect(cbc).toHaveLength(32);
    const signed = ['another sender', 'another recipient', 'an old time'];
    const before = cbc.filter(({ what }) => ![...signed, tooLong].includes(what));
    const behind = cbc.filter(({ what }) => signed.includes(what));
    expect(new Set(before.filter(({ error }) => !error.encryption!.aead).map(({ error }) => error.code))).toEqual(
      new Set(['ERR_E2E_DECRYPTION_FAILED']),
    );
    expect(new Set(behind.map(({ error }) => error.code)).size).toBe(3);
  });

  it('is answered with silence, a request with one and the same answer', () => {
    expect(new Set(cbc.map((one) => answer(one, 'message')))).toEqual(new Set(['silence']));
    const answers = new Set(cbc.map((one) => answer(one, 'iq')));
    expect(answers.size).toBe(1);
    expect([...answers][0]).toContain('service-unavailable');
  });
});

describe('1,000 mixed failures', () => {
  it.each(['content that is an oracle', 'AEAD'])(
    'the moments of the replies do not depend on the cause: %s',
    (which) => {
      const failures = which === 'AEAD' ? gcm : cbc;
      const next = random(7);
      const moments = Array.from({ length: 1000 }, () => next(20_000));
      /** When replies leave, if the failures come in an order of their own. */
      const schedule = (seed: number): number[] => {
        const pick = random(seed);
        let now = 0;
        const limiter = replyLimiter(5, () => now);
        const sent: number[] = [];
        for (const wait of moments) {
          now += wait;
          const { stanza, error } = failures[pick(failures.length)]!;
          if (errorReply(stanza, error, { knownContact: true, limiter }) !== undefined) sent.push(now);
        }
        return sent;
      };
      const schedules = [1, 2, 3, 4, 5].map(schedule);
      if (which !== 'AEAD') {
        for (const sent of schedules) expect(sent).toEqual([]);
        return;
      }
      // Where answers are harmless, some causes have none by section 7; those that have one keep the limit.
      for (const sent of schedules) {
        expect(sent.length).toBeGreaterThan(100);
        for (const [i, moment] of sent.entries())
          if (i >= 5) expect(moment - sent[i - 5]!).toBeGreaterThanOrEqual(60_000);
      }
    },
  );
});
