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
  errorReply,
  Jid,
  memoryReplayStore,
  type OpenContext,
  type Opened,
  openStanza,
  parseXml,
  ReplayGuard,
  sealStanza,
  type SecurityBackend,
  type StoredIdentity,
  type XmlElement,
} from '../index.ts';
import { kontalk } from '../profiles/index.ts';
import type { Facts, Vector, VectorContext, VectorExpectation, VectorGroup } from './vector-file.ts';
import { vectorBackends, vectorIdentities } from './vector-keys.ts';
import { policyOf } from './vector-policy.ts';
import { vectorEntity, vectorPath } from './vector-smime.ts';

/** The surroundings of the vectors of one group. */
export interface VectorScene {
  readonly group: VectorGroup;
  readonly backends: readonly SecurityBackend[];
  /** The own S/MIME keys below the folder of keys. */
  readonly identities: readonly StoredIdentity[];
}

/**
 * Loads what a group needs.
 *
 * @param root the folder of the vectors
 */
export async function vectorScene(group: VectorGroup, root: string): Promise<VectorScene> {
  const { keys, backends = ['smime', 'openpgp'] } = group;
  if (keys === undefined) return { group, backends: [], identities: [] };
  const folder = join(root, 'keys', keys);
  return { group, backends: await vectorBackends(folder, backends), identities: vectorIdentities(folder) };
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
    if (result === 'acceptable') return undefined;
    const { code, stage, verdict } = error;
    return differences(
      { code, stage, reply: replyTo(vector, error), level: verdict?.level, pin: verdict?.pin },
      expect,
    );
  }
  if (facts.code !== undefined) {
    if (result === 'valid') return `was refused with ${facts.code} at ${facts.stage ?? ''} (${facts.outcome ?? ''})`;
    return result === 'acceptable' ? undefined : differences(facts, expect);
  }
  if (result === 'invalid') return `was accepted, ${expect.code ?? 'a refusal'} was expected`;
  return differences(facts, expect);
}

function differences(facts: Facts, expect: VectorExpectation): string | undefined {
  const wrong: string[] = [];
  for (const name of Object.keys(expect) as (keyof VectorExpectation)[]) {
    const expected = expect[name];
    const found = facts[name];
    const same =
      JSON.stringify(found) === JSON.stringify(expected) ||
      ((name === 'stanza' || name === 'reply') && sameStanza(found, expected));
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

/** What a contact is answered, if anything. */
function replyTo({ input, replies, expect }: Vector, error: E2eError): string | null {
  if (expect?.reply === undefined) return null;
  const reply = errorReply(xml(input), error, { mode: replies, knownContact: true });
  return reply === undefined ? null : canonicalXml(reply);
}

function refusedFor(error: unknown): false {
  if (error instanceof E2eError) return false;
  throw error;
}

function contextOf(context: VectorContext = 'live'): OpenContext {
  if (typeof context !== 'object') return context;
  return context.retry === undefined ? { verify: new Date(context.verify) } : { retry: new Date(context.retry) };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const operations: Record<VectorGroup['operation'], (vector: Vector, scene: VectorScene) => Facts | Promise<Facts>> = {
  async open(vector, { group, backends }) {
    const { input, repeat = 1, before = [], since = '2020-01-01T00:00:00Z', maxEntries } = vector;
    const options = {
      backends,
      me: vector.me ?? group.me ?? 'romeo@example.net',
      policy: policyOf(vector.policy ?? group.policy),
      profile: vector.profile === undefined ? undefined : kontalk,
      expect: vector.contact,
      replay: new ReplayGuard(memoryReplayStore({ since: new Date(since), maxEntries })),
    };
    const open = (stanza: string, context?: VectorContext, at?: string): Promise<Opened> =>
      openStanza(stanza, { ...options, context: contextOf(context), at: new Date(at ?? group.at ?? since) });
    for (const { input: stanza, at, context, result = 'valid' } of before) {
      const accepted = await open(stanza, context, at ?? vector.at).then(() => true, refusedFor);
      if (accepted !== (result === 'valid')) throw new Error(`a stanza before was ${accepted ? '' : 'not '}accepted`);
    }
    let opened = await open(input, vector.context, vector.at);
    for (let i = 1; i < repeat; i++) opened = await open(input, vector.context, vector.at);
    const { stanza, verdict } = opened;
    const { backend, protection, level, claimedFrom, replay, pin, recipientBound, recipients, sender } = verdict;
    return {
      ...{ backend, protection, level, claimedFrom, replay, pin, recipientBound, recipients },
      authenticated: verdict.authenticated,
      form: verdict.payload,
      stanza: canonicalXml(stanza),
      sender: sender?.jid ?? null,
      identity: sender?.source,
      time: verdict.time.status,
      signed: verdict.time.signed,
      timeSource: verdict.time.source,
      outside: verdict.outside.map(({ namespace, name }) => `{${namespace}}${name}`),
      dropped: verdict.dropped,
      exceptions: verdict.exceptions,
    };
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

  path: (vector, { group }) => vectorPath(vector, group),
  entity: (vector, { group, identities }) => vectorEntity(vector, group, identities),
};
