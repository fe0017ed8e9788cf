/**
 * The five cases of RFC 3923 section 7 between two accounts: what the recipient returns in each mode and under each
 * policy, and what the sender reads in it.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openpgp } from '../../src/backends/openpgp/index.ts';
import { smime } from '../../src/backends/smime/index.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import {
  defaultLimits,
  type E2eErrorCode,
  E2eSession,
  E2E_NAMESPACE,
  parseErrorReply,
  parseXml,
  type Policy,
  type ReadReply,
  ReplayGuard,
  type ReplyMode,
  rfc3923Policy,
  serializeXml,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { type BackendName, backendNames, juliet, people, romeo } from '../people.ts';
import { cpim } from '../unit/e2e/scene.ts';
import { at, crafted, encryptedFor } from '../security/crafted.ts';

beforeEach(() => void vi.useFakeTimers({ now: at, toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

type Case = '1' | '2' | '3' | '3 replayed' | '4' | '5';

const shell = (name: 'message' | 'iq'): string =>
  name === 'message'
    ? `<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' id='m1' type='chat'/>`
    : `<iq xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}/orchard' id='q1' type='get'/>`;

const iqPayload = (time: string): Uint8Array => {
  const iq = `<iq xmlns='jabber:client' type='get' id='q1'><q xmlns='urn:example:q'/></iq>`;
  const headers = `From: <im:${juliet}>\r\nTo: <im:${romeo}>\r\nDateTime: ${time}\r\n`;
  const inner = `Content-Type: application/xmpp+xml; charset=utf-8\r\n\r\n<?xml version='1.0' encoding='UTF-8'?><xmpp xmlns='jabber:client'>${iq}</xmpp>`;
  return new TextEncoder().encode(`Content-Type: Message/CPIM\r\n\r\n${headers}\r\n${inner}`);
};

interface Outcome {
  readonly code: E2eErrorCode | 'opened';
  readonly reply: XmlElement | undefined;
}

/** Lets Romeo receive one stanza and tells what becomes of it. */
async function receive(
  name: BackendName,
  which: Case,
  mode: ReplyMode,
  policy: Policy,
  kind: 'message' | 'iq' = 'message',
): Promise<Outcome> {
  const all = await people(name);
  const time = which === '3' ? new Date(at.getTime() - 600_000).toISOString() : at.toISOString();
  const payload = kind === 'message' ? cpim({ DateTime: time }) : iqPayload(time);
  if (which === '3') vi.setSystemTime(new Date(at.getTime() - 600_000));
  const stanza = await stanzaOf();
  vi.setSystemTime(at);

  async function stanzaOf(): Promise<XmlElement> {
    const outer = shell(kind);
    if (which !== '3') {
      const reader = which === '5' ? all.mallory : all.romeo;
      return crafted(all.juliet, reader, payload, outer);
    }
    // Signed when it says so: the time in the signature does not contradict the one in CPIM.
    const call = {
      at: new Date(),
      algorithms: strictPolicy.algorithms,
      limits: defaultLimits,
      profile: 'modern' as const,
    };
    const signed = await all.juliet.backend.sign({
      ...{ ...call, signer: all.juliet.jid, recipients: [all.romeo.jid], includeCertificate: true, content: payload },
    });
    return wrap(parseXml(outer), await encryptedFor(all.juliet, signed, [all.romeo]));
  }

  const alone = memoryStore();
  for (const one of await all.romeo.store.identities(all.romeo.jid, name)) alone.addIdentity(all.romeo.jid, name, one);
  const stranger = name === 'smime' ? smime({ store: alone }) : openpgp({ store: alone });
  const other = name === 'smime' ? openpgp({ store: memoryStore() }) : smime({ store: memoryStore() });
  const backend = which === '1' ? other : which === '4' ? stranger : all.romeo.backend;
  const session = new E2eSession({
    ...{ jid: romeo, backends: [backend], replay: new ReplayGuard(), policy, replies: mode, isContact: () => true },
  });
  let outcome: Outcome = { code: 'opened', reply: undefined };
  session.on('refused', ({ error, reply }) => void (outcome = { code: error.code, reply }));
  if (which === '3 replayed') await session.open(stanza);
  await session.open(stanza).catch(() => undefined);
  return outcome;
}

const said = ({ reply }: Outcome): ReadReply | undefined =>
  // Over the wire and back.
  reply === undefined ? undefined : parseErrorReply(parseXml(serializeXml(reply)));

describe.each(backendNames)('with %s', (name) => {
  it.each<[Case, Policy['name'], E2eErrorCode | 'opened', ReadReply | undefined]>([
    ['1', 'strict', 'ERR_E2E_UNSUPPORTED', 'service-unavailable'],
    ['1', 'rfc3923', 'ERR_E2E_UNSUPPORTED', 'service-unavailable'],
    ['2', 'strict', 'opened', undefined],
    ['2', 'rfc3923', 'opened', undefined],
    ['3', 'strict', 'ERR_E2E_TIMESTAMP', 'bad-timestamp'],
    // Section 6.9: presented, marked "old timestamp".
    ['3', 'rfc3923', 'opened', undefined],
    ['3 replayed', 'strict', 'ERR_E2E_REPLAYED', 'bad-timestamp'],
    ['3 replayed', 'rfc3923', 'ERR_E2E_REPLAYED', 'bad-timestamp'],
    ['4', 'strict', name === 'smime' ? 'ERR_E2E_SIGNER_UNTRUSTED' : 'ERR_E2E_SIGNER_UNKNOWN', 'unverified-signature'],
    ['4', 'rfc3923', name === 'smime' ? 'ERR_E2E_SIGNER_UNTRUSTED' : 'ERR_E2E_SIGNER_UNKNOWN', 'unverified-signature'],
    ['5', 'strict', 'ERR_E2E_NO_DECRYPTION_KEY', 'decryption-failed'],
    ['5', 'rfc3923', 'ERR_E2E_NO_DECRYPTION_KEY', 'decryption-failed'],
  ])('case %s under the policy %s', async (which, policyName, code, reply) => {
    const policy = policyName === 'strict' ? strictPolicy : rfc3923Policy;
    for (const mode of ['safe', 'rfc3923'] as const) {
      const outcome = await receive(name, which, mode, policy);
      expect(outcome.code).toBe(code);
      expect(said(outcome)).toBe(reply);
      if (outcome.reply === undefined) continue;
      expect(outcome.reply.attribute('type')).toBe('error');
      expect(outcome.reply.attribute('to')).toBe(`${juliet}/balcony`);
      expect(outcome.reply.attribute('id')).toBe('m1');
      // Nothing of what caused it: neither the sealed object, nor text.
      expect(outcome.reply.first('e2e', E2E_NAMESPACE)).toBeUndefined();
      expect(serializeXml(outcome.reply).length).toBeLessThan(500);
    }
    expect((await receive(name, which, 'off', policy)).reply).toBeUndefined();
    // A request is owed exactly one answer, and in mode off it is that of a client without support.
    const asked = await receive(name, which, 'off', policy, 'iq');
    expect(asked.code).toBe(code);
    expect(said(asked)).toBe(code === 'opened' ? undefined : 'service-unavailable');
    expect(said(await receive(name, which, 'safe', policy, 'iq'))).toBe(reply);
  });
});
