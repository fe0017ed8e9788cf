/** Runs one test vector and says what differs. */

import { join } from 'node:path';
import {
  canonicalXml,
  formatInstant,
  fromUri,
  mapStanza,
  parseInstant,
  parsePayload,
  reconstruct,
  sameXml,
} from '../formats.ts';
import {
  defaultLimits,
  E2eError,
  Jid,
  memoryReplayStore,
  openStanza,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  sealStanza,
  type SecurityBackend,
  strictPolicy,
  type XmlElement,
} from '../index.ts';
import type { Vector, VectorExpectation, VectorGroup } from './vector-file.ts';
import { vectorBackends } from './vector-keys.ts';

type Facts = { [name in keyof VectorExpectation]: VectorExpectation[name] | undefined };

/** The surroundings of the vectors of one group. */
export interface VectorScene {
  readonly group: VectorGroup;
  readonly backends: readonly SecurityBackend[];
}

/**
 * Loads what a group needs.
 *
 * @param root the folder of the vectors
 */
export async function vectorScene(group: VectorGroup, root: string): Promise<VectorScene> {
  const { keys, backends = ['smime', 'openpgp'] } = group;
  return { group, backends: keys === undefined ? [] : await vectorBackends(join(root, 'keys', keys), backends) };
}

/**
 * Runs a vector.
 *
 * @returns what differs from the expectation, in one line; undefined where nothing does
 */
export async function runVector(vector: Vector, scene: VectorScene): Promise<string | undefined> {
  const { expect = {}, result } = vector;
  let facts: Facts;
  try {
    facts = await operations[scene.group.operation](vector, scene);
  } catch (error) {
    if (!(error instanceof E2eError)) return `threw ${String(error)}`;
    if (result === 'valid') return `was refused with ${error.code} at ${error.stage} (${error.reason ?? ''})`;
    // What may be refused or accepted is compared only where it is accepted.
    return result === 'acceptable' ? undefined : differences({ code: error.code, stage: error.stage }, expect);
  }
  if (result === 'invalid') return `was accepted, ${expect.code ?? 'a refusal'} was expected`;
  return differences(facts, expect);
}

function differences(facts: Facts, expect: VectorExpectation): string | undefined {
  const wrong: string[] = [];
  for (const name of Object.keys(expect) as (keyof VectorExpectation)[]) {
    const expected = expect[name];
    const found = facts[name];
    const same = name === 'stanza' ? sameStanza(found, expected) : found === expected;
    if (!same) wrong.push(`${name} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  }
  return wrong.length === 0 ? undefined : wrong.join('; ');
}

function sameStanza(found: unknown, expected: unknown): boolean {
  return typeof found === 'string' && typeof expected === 'string' && sameXml(xml(found), xml(expected));
}

function xml(text: string): XmlElement {
  return parseXml(text, { defaultNamespace: 'jabber:client' });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const operations: Record<VectorGroup['operation'], (vector: Vector, scene: VectorScene) => Facts | Promise<Facts>> = {
  async open(vector, { group, backends }) {
    const { input, repeat = 1, context = 'live' } = vector;
    const since = new Date('2020-01-01T00:00:00Z');
    const options = {
      backends,
      me: group.me ?? 'romeo@example.net',
      policy: group.policy === 'rfc3923' ? rfc3923Policy : strictPolicy,
      replay: new ReplayGuard(memoryReplayStore({ since })),
      context,
      at: new Date(vector.at ?? group.at ?? since),
    };
    let opened = await openStanza(input, options);
    for (let i = 1; i < repeat; i++) opened = await openStanza(input, options);
    const { stanza, verdict } = opened;
    const { backend, protection, recipientBound, authenticated } = verdict;
    const facts = { form: verdict.payload, backend, protection, recipientBound, authenticated };
    return { ...facts, stanza: canonicalXml(stanza), sender: verdict.sender?.jid ?? null, time: verdict.time.status };
  },

  async seal({ input, backend, protection, form, from, to }, { backends }) {
    const chosen = backends.find(({ name }) => name === backend) ?? backends[0]!;
    const stanza = xml(input);
    return { stanza: canonicalXml(await sealStanza(stanza, { backend: chosen, protection, payload: form, from, to })) };
  },

  map({ input, form = 'auto', from, to, at, bare }, { group }) {
    const stanza = xml(input);
    const mapped = mapStanza(stanza, {
      form,
      loss: 'refuse',
      from: Jid.parse(from ?? stanza.attribute('from') ?? ''),
      to: [Jid.parse(to ?? stanza.attribute('to') ?? '').bare()],
      at: parseInstant(at ?? group.at ?? '')!.nanoseconds,
      wrapped: bare !== true,
    });
    return { output: decoder.decode(mapped.entity), form: mapped.form };
  },

  reconstruct({ input, from, to, type, messageId }) {
    const payload = parsePayload(encoder.encode(input), defaultLimits);
    const options = { from: Jid.parse(from ?? ''), to: Jid.parse(to ?? ''), type, id: messageId };
    return { stanza: canonicalXml(reconstruct(payload, options).stanza), form: payload.form };
  },

  jid({ input }) {
    return { output: Jid.parse(input).toString() };
  },

  uri({ input }) {
    const read = fromUri(input);
    if (read === undefined) throw new E2eError('ERR_E2E_MALFORMED', 'parse');
    return { output: read.jid.toString() };
  },

  xml({ input }) {
    return { output: canonicalXml(parseXml(input)) };
  },

  instant({ input }) {
    const instant = parseInstant(input);
    if (instant === undefined) throw new E2eError('ERR_E2E_MALFORMED', 'parse');
    return { output: formatInstant(instant.nanoseconds) };
  },
};
