/**
 * Every name present must agree (RFC 3923 section 6.3): over any combination of outer, CPIM and inner names, signers,
 * intended recipients and contexts, what is delivered has one sender, who signed it, and was made for its reader.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  E2eError,
  openStanza,
  type OpenContext,
  ReplayGuard,
  rfc3923Policy,
  strictPolicy,
} from '../../../src/index.ts';
import { runs } from '../../shared-data.ts';
import { at, cpim, double, juliet, mallory, romeo, signedBy, wrappedXmppXml } from './scene.ts';

/** Mostly the right one, since a single wrong one is the case that matters. */
const mostly = (right: string): fc.Arbitrary<string> =>
  fc.oneof(
    { arbitrary: fc.constant(right), weight: 12 },
    {
      arbitrary: fc.constantFrom(juliet, mallory, romeo, `${right}/balcony`, right.toUpperCase(), `${right}.`),
      weight: 2,
    },
  );
const optional = (right: string): fc.Arbitrary<string | undefined> =>
  fc.option(mostly(right), { nil: undefined, freq: 3 });

const scenes = fc.constantFrom<readonly [OpenContext, sender: string, recipient: string]>(
  ['live', juliet, romeo],
  ['offline', juliet, romeo],
  ['archive', juliet, romeo],
  ['sent', romeo, juliet],
  ['sent-archive', romeo, juliet],
);

const cases = scenes.chain(([context, sender, recipient]) =>
  fc.record({
    context: fc.constant(context),
    from: mostly(sender),
    to: optional(recipient),
    cpimFrom: mostly(sender),
    cpimTo: fc.array(mostly(recipient), { minLength: 1, maxLength: 2 }),
    innerFrom: optional(sender),
    innerTo: optional(recipient),
    xml: fc.boolean(),
    signers: fc.array(mostly(sender), { minLength: 1, maxLength: 2 }),
    intendedFor: fc.constantFrom('me', 'unspecified', 'unspecified', 'others'),
    policy: fc.constantFrom(strictPolicy, rfc3923Policy),
  }),
);

const bare = (address: string): string => address.split('/', 1)[0]!.toLowerCase().replace(/\.$/, '');
const attribute = (name: string, value: string | undefined): string =>
  value === undefined ? '' : ` ${name}='${value}'`;

it('in whatever is delivered', { timeout: 600_000 }, async () => {
  let delivered = 0;
  let refused = 0;
  const property = fc.asyncProperty(cases, async (one) => {
    const { context, from, to, signers, intendedFor, policy } = one;
    const headers = { From: `<im:${one.cpimFrom}>` };
    const inner = `<message id='m1'${attribute('from', one.innerFrom)}${attribute('to', one.innerTo)}><body>Hi</body></message>`;
    const content = one.xml
      ? wrappedXmppXml(inner, { ...headers, To: `<im:${one.cpimTo[0]!}>` })
      : cpim({ ...headers, To: one.cpimTo.map((address) => `<im:${address}>`) });
    const outer = `<message xmlns='jabber:client' from='${from}'${attribute('to', to)} id='m1' type='chat'/>`;
    const identities = [...new Set(signers.map(bare))];
    const options = { backends: [double], me: romeo, replay: new ReplayGuard(), at, context, policy };
    try {
      const stanza = signedBy({ signers: identities, intendedFor }, content, outer);
      const { verdict, stanza: opened } = await openStanza(stanza, options);
      delivered++;
      const sender = verdict.sender!.jid;
      const sent = context === 'sent' || context === 'sent-archive';
      const reader = sent ? bare(to!) : romeo;
      expect(identities).toContain(sender);
      expect([bare(from), bare(one.cpimFrom), bare(opened.attribute('from')!)]).toEqual([sender, sender, sender]);
      expect(verdict.recipients).toContain(reader);
      expect(verdict.claimedFrom).toBe(sender);
      if (to !== undefined) expect(bare(to)).toBe(reader);
      if (sent) expect(sender).toBe(romeo);
      else expect(intendedFor).not.toBe('others');
      if (!one.xml) return;
      if (one.innerFrom !== undefined) expect(bare(one.innerFrom)).toBe(sender);
      if (one.innerTo !== undefined) expect(bare(one.innerTo)).toBe(reader);
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
      refused++;
    }
  });
  await fc.assert(property, { numRuns: runs(20_000), seed: 3923 });
  expect(delivered).toBeGreaterThan(runs(20_000) / 20);
  expect(refused).toBeGreaterThan(runs(20_000) / 4);
});
