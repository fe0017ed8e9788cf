/** Text that two readers would decode differently: charsets, broken UTF-8, byte order marks. */
import { describe, expect, test } from 'vitest';
import { defaultLimits as limits } from '../../src/limits.ts';
import { parsePayload } from '../../src/payload/payload.ts';

const head = 'Content-Type: Message/CPIM\r\n\r\nFrom: <im:a@b.example>\r\n\r\n';
const text = (body: string, charset?: string): Uint8Array =>
  Buffer.from(
    `${head}Content-Type: text/plain${charset === undefined ? '' : `; charset=${charset}`}\r\n\r\n${body}`,
    'latin1',
  );
const latin = (value: string): string => Buffer.from(value).toString('latin1');
const document = (type: string, body: string, charset?: string): Uint8Array =>
  Buffer.from(
    `${head}Content-Type: application/${type}${charset === undefined ? '' : `; charset=${charset}`}\r\n\r\n${body}`,
    'latin1',
  );

describe('broken UTF-8', () => {
  test.each([
    ['overlong slash', '\xc0\xaf'],
    ['overlong NUL', '\xc0\x80'],
    ['overlong in three octets', '\xe0\x80\xaf'],
    ['CESU-8', '\xed\xa0\xbd\xed\xb8\x80'],
    ['a lone surrogate', '\xed\xa0\x80'],
    ['five octets', '\xf8\x88\x80\x80\x80'],
    ['six octets', '\xfc\x84\x80\x80\x80\x80'],
    ['beyond U+10FFFF', '\xf4\x90\x80\x80'],
    ['cut short', 'a\xe2\x82'],
    ['a lone continuation', '\x80'],
    ['Latin-1', 'caf\xe9'],
    ['UTF-16 with its mark', '\xff\xfea\0'],
    ['a byte order mark', '\xef\xbb\xbfhi'],
  ])('%s', (_, octets) => {
    for (const bytes of [
      text(octets, 'utf-8'),
      document(
        'xmpp+xml',
        `${octets.startsWith('\xef') ? octets.slice(0, 3) : ''}<xmpp xmlns='jabber:client'><message><body>${octets}</body></message></xmpp>`,
      ),
      document(
        'pidf+xml',
        `${octets.startsWith('\xef') ? octets.slice(0, 3) : ''}<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:a@b.example'><note>${octets}</note></presence>`,
      ),
    ]) {
      expect(() => parsePayload(bytes, limits)).toThrow(expect.objectContaining({ code: 'ERR_E2E_PAYLOAD_INVALID' }));
    }
  });
});

describe('charsets', () => {
  test.each([
    'utf-7',
    'utf-16',
    'utf-16le',
    'utf-32',
    'cesu-8',
    'iso-8859-1',
    'windows-1252',
    'utf8',
    'unicode-1-1-utf-7',
    'x',
    '""',
  ])('%s is not supported', (charset) => {
    for (const bytes of [
      text('+AGEAYg-', charset),
      document('xmpp+xml', '<x/>', charset),
      document('pidf+xml', '<x/>', charset),
    ]) {
      expect(() => parsePayload(bytes, limits)).toThrow(expect.objectContaining({ code: 'ERR_E2E_UNSUPPORTED' }));
    }
  });

  test('UTF-7 under its true name of US-ASCII is what it looks like', () => {
    expect(parsePayload(text('+ADw-', 'us-ascii'), limits).bodies[0]?.text).toBe('+ADw-');
  });

  test.each([undefined, 'us-ascii', 'US-ASCII'])('octets above 127 belie %s', (charset) => {
    expect(() => parsePayload(text(latin('é'), charset), limits)).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_PAYLOAD_INVALID' }),
    );
  });

  test.each(['utf-8', 'UTF-8', '"utf-8"'])('%s is read', (charset) => {
    expect(parsePayload(text(latin('é😀'), charset), limits).bodies[0]?.text).toBe('é😀');
  });

  test('an XML declaration may not say otherwise', () => {
    const body = "<?xml version='1.0' encoding='ISO-8859-1'?><xmpp xmlns='jabber:client'><message/></xmpp>";
    expect(() => parsePayload(document('xmpp+xml', body, 'utf-8'), limits)).toThrow(
      expect.objectContaining({ code: 'ERR_E2E_PAYLOAD_INVALID' }),
    );
  });
});
