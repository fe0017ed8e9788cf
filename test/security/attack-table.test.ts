/** Every attack of the table: its file is there, and its specimens are refused as the table says and tell nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  E2eError,
  errorReply,
  openStanza,
  parseErrorReply,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  serializeXml,
  strictPolicy,
} from '../../src/index.ts';
import { people, romeo } from '../people.ts';
import { type Attack, attacks, secret, type Specimen, type World } from './attack-table.ts';
import { certified } from './certified.ts';
import { at } from './crafted.ts';

const root = new URL('../', import.meta.url);
let world: World;
beforeAll(async () => {
  world = {
    certified: await certified(),
    people: await people('smime'),
    old: await people('smime', 'rsa2048'),
    openpgp: await people('openpgp'),
  };
});

const report: string[] = [];
let refused = 0;
afterAll(() => console.info([...report, `${refused} hostile stanzas refused`].join('\n')));

const short: Readonly<Record<string, string>> = {
  'decryption-failed': 'D',
  'unverified-signature': 'S',
  'bad-timestamp': 'T',
};

/** Opens a specimen under each of its policies; what is printed and answered must not hold the secret. */
async function refuse(attack: Attack, specimen: Specimen): Promise<void> {
  const { stanza, backend = world.certified.backend, context, before = [] } = specimen;
  for (const policy of [strictPolicy, rfc3923Policy]) {
    if (specimen.policies?.includes(policy.name) === false) continue;
    const options = { backends: [backend], me: romeo, policy, replay: new ReplayGuard(), context };
    for (const earlier of before) await openStanza(earlier, { ...options, at });
    const error: unknown = await openStanza(stanza, { ...options, at: specimen.at ?? at }).then(
      () => new Error(`delivered under the policy ${policy.name}`),
      (reason: unknown) => reason,
    );
    if (!(error instanceof E2eError)) throw error;
    expect(attack.codes, policy.name).toContain(error.code);
    const shown = [inspect(error, { depth: Infinity, showHidden: true }), JSON.stringify(error), error.stack];
    const received = read(stanza);
    if (received !== undefined) {
      for (const mode of ['safe', 'rfc3923'] as const) {
        const reply = errorReply(received, error, { mode, knownContact: true });
        if (reply !== undefined) shown.push(serializeXml(reply));
        if (mode === 'rfc3923') continue;
        const answer = reply === undefined ? 'silence' : (parseErrorReply(reply) ?? 'bad-request');
        expect(attack.replies, error.code).toContain(short[answer] ?? answer);
        expect(errorReply(received, error, { mode: 'off', knownContact: true })).toBeUndefined();
        expect(errorReply(received, error)).toBeUndefined();
      }
    }
    expect(shown.join('\n')).not.toContain(secret);
  }
}

function read(stanza: Specimen['stanza']): ReturnType<typeof parseXml> | undefined {
  if (typeof stanza !== 'string') return stanza;
  try {
    return parseXml(stanza);
  } catch {
    return undefined;
  }
}

describe.each(attacks)('$row: $attack', (attack) => {
  it.each(attack.files)('is carried out in %s', (file) => {
    expect(existsSync(new URL(file, root))).toBe(true);
    expect(readFileSync(new URL(file, root), 'utf8')).toMatch(/\b(it|test)(\.each|\.skipIf)?\(/);
  });

  const { specimens: build } = attack;
  if (build === undefined) return;

  it('is refused, and nothing is told', async ({ annotate }) => {
    const specimens = await build(world);
    expect(specimens.length).toBeGreaterThan(0);
    for (const [i, specimen] of specimens.entries()) {
      await refuse(attack, specimen).catch((cause: unknown) => {
        throw new Error(`specimen ${i + 1} of ${specimens.length}: ${(cause as Error).message}`, { cause });
      });
    }
    refused += specimens.length;
    const line = `${attack.row} ${attack.attack}: ${specimens.length} of ${specimens.length} refused`;
    report.push(line);
    await annotate(line);
  });
});

describe('the table', () => {
  it('has 41 rows, in order', () => {
    expect(attacks.map(({ row }) => row)).toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
  });

  it('says what is expected wherever there are specimens', () => {
    for (const { row, codes, replies, specimens } of attacks) {
      expect([codes === undefined, replies === undefined], `${row}`).toEqual(
        specimens === undefined ? [true, true] : [false, false],
      );
    }
  });
});
