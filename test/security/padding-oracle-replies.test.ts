/**
 * Padding oracle through error replies (Vaudenay 2002; RFC 3923 section 7 read to the letter): an attacker who sees
 * whether padding or something later was wrong decrypts AES-CBC byte by byte. The client below is the attack; it has
 * to fail against `openStanza` with every policy and reply mode, and to succeed against a responder that tells the two
 * failures apart and answers to the letter.
 *
 * `openStanza` withstands it even where replies follow the letter, since before a good signature it has one error for all
 * that goes wrong inside CBC. So the positive control is built from the same layers without that step, for tests alone.
 */
import { describe, expect, it } from 'vitest';
import { decryptLayer, verifyLayer } from '../../src/e2e/layers.ts';
import { judgeSignatures, requireSignature } from '../../src/e2e/check.ts';
import { unwrap } from '../../src/e2e/wrap.ts';
import {
  defaultLimits,
  E2E_NAMESPACE,
  E2eError,
  errorReply,
  openStanza,
  type Policy,
  ReplayGuard,
  type ReplyMode,
  rfc3923Policy,
  sealStanza,
  serializeXml,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { juliet, type Person, people, romeo } from '../people.ts';
import { runs } from '../shared-data.ts';

const at = new Date('2026-11-22T12:00:00Z');
const block = 16;
const body = 'The vault is yours. PIN=471108;';

/** What Mallory, on the way between the two, recorded: CBC, encrypted and not signed. */
async function recorded(her: Person): Promise<{ head: string; octets: Buffer; stanza: XmlElement }> {
  const plain = `<message xmlns='jabber:client' from='${juliet}/b' to='${romeo}' id='m1'><body>${body}</body></message>`;
  const options = { backend: her.backend, protection: 'encrypt', profile: 'rfc3923', payload: 'cpim', at } as const;
  const stanza = await sealStanza(plain, options);
  const text = stanza.first('e2e', E2E_NAMESPACE)!.text;
  const split = text.indexOf('\n\n') + 2;
  return { head: text.slice(0, split), octets: Buffer.from(text.slice(split), 'base64'), stanza };
}

type Recorded = Awaited<ReturnType<typeof recorded>>;

/** The recorded stanza with another last but one block: EnvelopedData ends with its ciphertext. */
function tampered({ head, octets, stanza }: Recorded, previous: Uint8Array): XmlElement {
  const copy = Buffer.from(octets);
  copy.set(previous, copy.length - 2 * block);
  const e2e = stanza.first('e2e', E2E_NAMESPACE)!;
  const text = head + copy.toString('base64').replaceAll(/.{64}/g, '$&\n') + '\n';
  return stanza.withChildren([e2e.withChildren([text])]);
}

type Responder = (stanza: XmlElement) => Promise<E2eError | undefined>;

interface Attack {
  /** The last bytes of the last block, padding included, as far as they could be told. */
  readonly recovered: Buffer;
  readonly queries: number;
  /** Every different answer seen. */
  readonly answers: ReadonlySet<string>;
}

/** Recovers the last block from the back; an answer that stands out among 256 is good padding. */
async function attack(message: Recorded, responder: Responder, mode: ReplyMode, budget: number): Promise<Attack> {
  const answers = new Set<string>();
  let queries = 0;
  const query = async (previous: Uint8Array): Promise<string> => {
    queries++;
    const stanza = tampered(message, previous);
    const error = await responder(stanza);
    const reply = error === undefined ? undefined : errorReply(stanza, error, { mode, knownContact: true });
    const answer = reply === undefined ? 'silence' : serializeXml(reply);
    answers.add(answer);
    return answer;
  };
  const { octets } = message;
  const original = octets.subarray(octets.length - 2 * block, octets.length - block);
  const intermediate = Buffer.alloc(block);
  let known = 0;
  for (let attempt = 0; known < block && queries + 258 <= budget; attempt++) {
    const position = block - 1 - known;
    const padding = known + 1;
    const previous = Buffer.alloc(block, (attempt * 37) & 0xff);
    for (let i = position + 1; i < block; i++) previous[i] = intermediate[i]! ^ padding;
    const seen = new Map<string, number[]>();
    for (let guess = 0; guess < 256; guess++) {
      previous[position] = guess;
      const answer = await query(previous);
      seen.set(answer, [...(seen.get(answer) ?? []), guess]);
    }
    const odd = [...seen.values()].filter((guesses) => guesses.length <= 2).flat();
    for (const guess of odd) {
      previous[position] = guess;
      // Not by a longer padding that was there by chance: the byte before it must not matter.
      const before = await query(previous);
      if (position > 0) previous[position - 1]! ^= 0xff;
      if ((await query(previous)) !== before) continue;
      intermediate[position] = guess ^ padding;
      known++;
      break;
    }
  }
  const plain = Buffer.from(intermediate.map((byte, i) => byte ^ original[i]!));
  return { recovered: plain.subarray(block - known), queries, answers };
}

const caught = async (opening: Promise<unknown>): Promise<E2eError | undefined> => {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined) expect(error).toBeInstanceOf(E2eError);
  return error as E2eError | undefined;
};

const budget = runs(20_000);

describe('openStanza', () => {
  it('delivers what was recorded by the RFC policy, so that the attack reaches the key', async () => {
    const { juliet: her, romeo: him } = await people('smime', 'rsa2048');
    const { stanza } = await recorded(her);
    const options = { backends: [him.backend], me: romeo, at, policy: rfc3923Policy };
    const { stanza: opened, verdict } = await openStanza(stanza, options);
    expect(opened.first('body')?.text).toBe(body);
    expect(verdict).toMatchObject({ protection: 'encrypt', authenticated: false, encryption: { aead: false } });
  });

  for (const [policyName, policy] of Object.entries({ strict: strictPolicy, rfc3923: rfc3923Policy })) {
    it.each<ReplyMode>(['off', 'safe', 'rfc3923'])(
      `gives nothing away in ${budget} queries, policy ${policyName}, replies %s`,
      { timeout: 1_800_000 },
      async (mode) => {
        const { juliet: her, romeo: him } = await people('smime', 'rsa2048');
        const responder: Responder = (stanza) =>
          caught(openStanza(stanza, { backends: [him.backend], me: romeo, at, policy, replay: new ReplayGuard() }));
        const { recovered, queries, answers } = await attack(await recorded(her), responder, mode, budget);
        expect(recovered).toHaveLength(0);
        expect(queries).toBeGreaterThan(budget - 260);
        // All guesses look alike: one answer, byte for byte, and none where replies are safe.
        expect([...answers]).toHaveLength(1);
        if (mode !== 'rfc3923') expect([...answers]).toEqual(['silence']);
      },
    );
  }
});

/** The same layers without what hides their differences: the responder that section 7 describes. */
function literal(him: Person, policy: Policy): Responder {
  const call = {
    backends: [him.backend],
    me: him.jid,
    sender: undefined,
    at,
    algorithms: policy.algorithms,
    limits: defaultLimits,
  };
  return async (stanza) => {
    let encryption;
    try {
      const outer = await decryptLayer(unwrap(stanza, defaultLimits).entity, call);
      encryption = outer?.encryption;
      const raw = { raw: outer!.content, headers: [], contentType: undefined, transferEncoding: 'binary' } as const;
      const { signatures } = await verifyLayer({ ...raw, body: outer!.content }, outer, call);
      requireSignature(judgeSignatures(signatures, defaultLimits), strictPolicy, false);
      return undefined;
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
      return encryption === undefined ? error : new E2eError(error.code, error.stage, { encryption });
    }
  };
}

describe('a responder that tells bad padding from a bad signature', () => {
  it('gives the last block away in mode rfc3923: the attack works', { timeout: 600_000 }, async () => {
    const { juliet: her, romeo: him } = await people('smime', 'rsa2048');
    const { recovered, queries } = await attack(await recorded(her), literal(him, rfc3923Policy), 'rfc3923', 20_000);
    expect(recovered).toHaveLength(block);
    const padding = recovered.at(-1)!;
    const text = recovered.subarray(0, block - padding).toString('latin1');
    expect(text.length).toBeGreaterThan(3);
    expect(body.endsWith(text)).toBe(true);
    expect(queries).toBeLessThan(6000);
  });

  it.each<ReplyMode>(['off', 'safe'])('gives nothing away in mode %s', async (mode) => {
    const { juliet: her, romeo: him } = await people('smime', 'rsa2048');
    const { recovered, answers } = await attack(await recorded(her), literal(him, rfc3923Policy), mode, 2000);
    expect(recovered).toHaveLength(0);
    expect([...answers]).toEqual(['silence']);
  });
});
