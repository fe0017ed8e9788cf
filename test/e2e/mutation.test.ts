/**
 * Seeded damage to sealed stanzas, outside and inside every layer: nothing changed is ever delivered, and every answer
 * is an `E2eError`. The counts by stage show that the damage reaches every step.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { base64Decode, base64Encode, concatBytes, toCrlf, utf8 } from '../../src/bytes.ts';
import { wrap } from '../../src/e2e/wrap.ts';
import { isForServers } from '../../src/payload/for-servers.ts';
import { mapStanza } from '../../src/payload/map.ts';
import {
  defaultLimits,
  E2eError,
  openStanza,
  parseXml,
  ReplayGuard,
  rfc3923Policy,
  sealStanza,
  serializeXml,
  strictPolicy,
  type XmlElement,
} from '../../src/index.ts';
import { sameXml } from '../../src/xml/canonical.ts';
import { backendNames, juliet, type Person, people, romeo } from '../people.ts';
import { runs } from '../shared-data.ts';

const at = new Date('2026-11-22T12:00:00Z');

/** Mulberry32: the same damage on every machine. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

type Random = ReturnType<typeof random>;

const interesting = [
  0x00, 0x0a, 0x0d, 0x20, 0x22, 0x26, 0x2d, 0x30, 0x3a, 0x3c, 0x3d, 0x3e, 0x41, 0x7f, 0x80, 0xc3, 0xff,
];

/** One to three changes: a byte set, a bit flipped, a run cut out, doubled, or moved. */
function damage(bytes: Uint8Array, pick: Random): Uint8Array {
  let out: Uint8Array = bytes.slice();
  for (let changes = 1 + pick(3); changes > 0 && out.length > 0; changes--) {
    const index = pick(out.length);
    const length = 1 + pick(8);
    const run = out.slice(index, index + length);
    const kind = pick(6);
    if (kind === 0) out[index] = interesting[pick(interesting.length)]!;
    else if (kind === 1) out[index]! ^= 1 << pick(8);
    else if (kind === 2) out[index] = pick(256);
    else if (kind === 3) out = concatBytes(out.subarray(0, index), out.subarray(index + length));
    else if (kind === 4) out = concatBytes(out.subarray(0, index), run, out.subarray(index));
    else {
      const to = pick(out.length);
      const rest = concatBytes(out.subarray(0, index), out.subarray(index + length));
      out = concatBytes(rest.subarray(0, to), run, rest.subarray(to));
    }
  }
  return out;
}

const stanzas = [
  `<message xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' type='chat' id='m1'><subject>Imploring</subject><body>Wherefore art thou, Romeo?</body></message>`,
  `<presence xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}'><show>dnd</show><status xml:lang='en'>courting</status><priority>1</priority></presence>`,
  `<iq xmlns='jabber:client' from='${juliet}/balcony' to='${romeo}' type='set' id='q1'><query xmlns='jabber:iq:roster'><item jid='nurse@example.com'/></query></iq>`,
].map((text) => parseXml(text));

/** The MIME object of a stanza, sealed by hand so that damage can go in between. */
async function craft(
  stanza: XmlElement,
  her: Person,
  where: 'payload' | 'signed' | 'encrypted',
  pick: Random,
): Promise<XmlElement> {
  const call = { at, algorithms: rfc3923Policy.algorithms, limits: defaultLimits, profile: 'modern' as const };
  const mapping = {
    form: 'auto',
    loss: 'refuse',
    from: her.jid,
    to: [romeoJid],
    at: BigInt(at.getTime()) * 1_000_000n,
    wrapped: true,
  } as const;
  const payload = mapStanza(stanza, mapping).entity;
  const signing = { ...call, signer: her.jid, recipients: [romeoJid], includeCertificate: true };
  const encrypting = { ...call, recipients: [romeoJid], hidden: false };
  const shell = stanza.withChildren([]);
  if (where === 'payload') {
    // A signature over damaged bytes must still be a fixed point of the CRLF map, as every sender's is.
    const damaged = toCrlf(damage(payload, pick));
    const signed = await her.backend.sign({ ...signing, content: damaged });
    return wrap(shell, await her.backend.encrypt({ ...encrypting, content: signed }));
  }
  const signed = await her.backend.sign({ ...signing, content: payload });
  if (where === 'signed') {
    const damaged = pick(2) === 0 ? damage(signed, pick) : damageBase64(signed, pick);
    return wrap(shell, await her.backend.encrypt({ ...encrypting, content: damaged }));
  }
  const encrypted = await her.backend.encrypt({ ...encrypting, content: signed });
  return wrap(shell, damageBase64(encrypted, pick));
}

let romeoJid: Person['jid'];

/** Damages what the last base64 body stands for, and encodes it again: the armor is intact, the object is not. */
function damageBase64(entity: Uint8Array, pick: Random): Uint8Array {
  const text = Buffer.from(entity).toString('latin1');
  const match = [...text.matchAll(/(?:^|\r\n|\n)((?:[A-Za-z0-9+/]{4,}={0,2}(?:\r\n|\n))+)/g)].at(-1);
  if (match === undefined) return damage(entity, pick);
  const start = match.index + match[0].length - match[1]!.length;
  const body = base64Encode(damage(base64Decode(utf8(match[1]!)), pick), 64);
  return concatBytes(entity.subarray(0, start), body, entity.subarray(start + match[1]!.length));
}

/** What a recipient would act on: everything but id, type, resource and language, which stay outside. */
function sameContent(opened: XmlElement, stanza: XmlElement): boolean {
  const content = stanza.withChildren(stanza.children.filter((one) => typeof one === 'string' || !isForServers(one)));
  const plain = (one: XmlElement): XmlElement =>
    ['id', 'type', 'from', 'to'].reduce((tree, name) => tree.withAttribute(name, undefined), one);
  return sameXml(plain(opened), plain(content));
}

const kinds = ['xml', 'mime', 'encrypted', 'signed', 'payload'] as const;

describe.each(backendNames)('damage to stanzas sealed with %s', (name) => {
  const stages = new Map<string, number>();
  let delivered = 0;
  const total = runs(10_000) / 2;

  it(`is refused or harmless, ${total} times`, { timeout: 1_800_000 }, async () => {
    const { juliet: her, romeo: him } = await people(name);
    romeoJid = him.jid;
    const pick = random(name === 'smime' ? 3923 : 3156);
    const sealed = await Promise.all(
      stanzas.flatMap((stanza) =>
        (['sign', 'sign+encrypt'] as const).map((protection) =>
          sealStanza(stanza, { backend: her.backend, protection, at }),
        ),
      ),
    );
    for (let i = 0; i < total; i++) {
      const which = pick(stanzas.length);
      const stanza = stanzas[which]!;
      const kind = kinds[i % kinds.length]!;
      const whole = sealed[which * 2 + pick(2)]!;
      let input: string | XmlElement;
      if (kind === 'xml') input = Buffer.from(damage(utf8(serializeXml(whole)), pick)).toString('utf8');
      else if (kind === 'mime') {
        const text = damage(utf8(whole.first('e2e', 'urn:ietf:params:xml:ns:xmpp-e2e')!.text.slice(0, 700)), pick);
        const rest = whole.first('e2e', 'urn:ietf:params:xml:ns:xmpp-e2e')!.text.slice(700);
        input = whole.withChildren([
          whole.elements[0]!.withChildren([
            Buffer.from(text)
              .toString('utf8')
              .replace(/[^\n\x20-\uffff]/g, '?') + rest,
          ]),
        ]);
      } else {
        try {
          input = await craft(stanza, her, kind, pick);
        } catch (error) {
          // What is no UTF-8 any more cannot stand in a stanza.
          expect(error).toBeInstanceOf(E2eError);
          continue;
        }
      }
      const options = {
        backends: [him.backend],
        me: romeo,
        at,
        replay: new ReplayGuard(),
        policy: i % 2 === 0 ? strictPolicy : rfc3923Policy,
      };
      try {
        const { stanza: opened, verdict } = await openStanza(input, options);
        // Whoever holds the signing key may say something else; nobody else may.
        if (kind !== 'payload' && verdict.sender !== null)
          expect(sameContent(opened, stanza), serializeXml(opened)).toBe(true);
        delivered++;
      } catch (error) {
        if (!(error instanceof E2eError)) throw error;
        stages.set(error.stage, (stages.get(error.stage) ?? 0) + 1);
      }
    }
    const refused = [...stages.values()].reduce((sum, count) => sum + count, 0);
    for (const stage of ['decrypt', 'verify', 'parse']) {
      expect((stages.get(stage) ?? 0) / refused, `${stage} of ${JSON.stringify([...stages])}`).toBeGreaterThanOrEqual(
        0.15,
      );
    }
  });

  afterAll(() => {
    const counts = [...stages].sort().map(([stage, count]) => `${stage} ${count}`);
    console.log(`${name}: refused at ${counts.join(', ')}; unchanged ${delivered}`);
  });
});
