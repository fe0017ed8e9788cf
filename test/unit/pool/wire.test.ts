/** Results between threads: what comes out is what went in, classes and octets included. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E2eError, element, Jid, openStanza, parseXml } from '../../../src/index.ts';
import { pack, packError, unpack, unpackError } from '../../../src/pool/wire.ts';
import { at, cpim, double, romeo, signedBy } from '../e2e/scene.ts';

function across(value: unknown): unknown {
  return unpack(structuredClone(pack(value)));
}

describe('pack and unpack', () => {
  it('keep trees, prefixes and namespaces included, and their methods', () => {
    const tree = parseXml(
      "<a:b xmlns:a='urn:a' xmlns='urn:d' a:c='1' d='2' xml:lang='de'>x<e/>y<a:f>&#xD;</a:f></a:b>",
    );
    const copy = across(tree);
    expect(copy).toStrictEqual(tree);
    expect((copy as typeof tree).first('e', 'urn:d')).toStrictEqual(element('e', 'urn:d'));
    expect(Object.isFrozen((copy as typeof tree).children)).toBe(true);
  });

  it('keep addresses', () => {
    const jid = Jid.parse('Juliet@bücher.example/Balkon');
    expect(across({ jid })).toStrictEqual({ jid });
    expect((across(jid) as Jid).toString()).toBe(jid.toString());
  });

  it('keep big integers, dates, maps, undefined and nested lists', () => {
    const value = {
      a: 2n ** 80n,
      b: new Date(5),
      c: new Map([['k', [1]]]),
      d: undefined,
      e: [[null, true, -0, Infinity, 1.5]],
    };
    expect(across(value)).toStrictEqual(value);
  });

  it('take octets out of the buffers that they are views of', () => {
    const slab = new Uint8Array(1000).fill(7);
    const wire = pack({ view: slab.subarray(10, 12), more: slab.subarray(0, 1) });
    expect(wire.octets!.buffer.byteLength).toBe(3);
    const copy = unpack(structuredClone(wire)) as { view: Uint8Array };
    expect(copy).toStrictEqual({ view: new Uint8Array([7, 7]), more: new Uint8Array([7]) });
    expect(copy.view.buffer.byteLength).toBe(2);
  });

  it('send octets within others once', () => {
    const raw = Uint8Array.of(1, 2, 3, 4);
    const value = { raw, body: raw.subarray(2), head: raw.subarray(0, 1), all: raw.subarray(0), other: raw.slice(3) };
    expect(pack(value).octets).toStrictEqual(Uint8Array.of(1, 2, 3, 4, 4));
    const copy = across(value) as typeof value;
    expect(copy).toStrictEqual({ ...value, body: Uint8Array.of(3, 4), head: Uint8Array.of(1), all: raw });
    expect(copy.body.buffer.byteLength).toBe(2);
    // One that only begins within, and one before.
    const [wide, early] = [new Uint8Array(raw.buffer, 1), new Uint8Array(raw.buffer, 0, 2)];
    const apart = [raw.subarray(2, 3), wide, early];
    expect(across(apart)).toStrictEqual([Uint8Array.of(3), Uint8Array.of(2, 3, 4), Uint8Array.of(1, 2)]);
  });

  it('keep an opened stanza whole', async () => {
    const opened = await openStanza(signedBy({}, cpim()), { backends: [double], me: romeo, replay: false, at });
    const copy = across(opened);
    expect(copy).toStrictEqual(opened);
    expect(Object.isFrozen((copy as typeof opened).verdict)).toBe(true);
  });

  it.each(['\0', '\0u', '\0s\0', '\0element', 'u\0'])('keep text that is or has the mark: %j', (text) => {
    expect(across([text, { text }])).toStrictEqual([text, { text }]);
  });

  it('keep any plain value', () => {
    // No object of ours has a key of the other kind.
    const key = fc.string().filter((name) => name !== '__proto__' && !name.startsWith('\0'));
    fc.assert(
      fc.property(fc.object({ key, withBigInt: true, withDate: true }), (value) => {
        expect(across(value)).toStrictEqual(value);
      }),
    );
  });

  it('keep errors, but no causes', () => {
    const encryption = { cipher: 'aes256-gcm', aead: true, keyTransport: ['ecdh'] };
    const error = new E2eError('ERR_E2E_TIMESTAMP', 'check', { reason: 'late', subject: 'x\n', encryption });
    const copy = unpackError(structuredClone(packError(error)));
    expect(copy).toBeInstanceOf(E2eError);
    expect([Object.entries(copy), copy.message]).toStrictEqual([Object.entries(error), error.message]);
    error.cause = (): void => undefined;
    expect(unpackError(structuredClone(packError(error))).cause).toBeUndefined();
  });
});
