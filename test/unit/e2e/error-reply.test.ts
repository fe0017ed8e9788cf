import { describe, expect, it } from 'vitest';
import { E2eError, type E2eErrorCode, errorCodes, type EncryptionInfo } from '../../../src/errors.ts';
import {
  errorReply,
  parseErrorReply,
  parseXml,
  replyLimiter,
  type ReplyMode,
  serializeXml,
} from '../../../src/index.ts';
import { sameXml } from '../../../src/xml/canonical.ts';

const message = parseXml(
  `<message xmlns='jabber:client' from='juliet@example.com/balcony' to='romeo@example.net' id='m1' type='chat'>
   <e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>secret</e2e></message>`,
);
const iq = parseXml(
  `<iq xmlns='jabber:client' from='juliet@example.com/balcony' to='romeo@example.net' id='q1' type='get'/>`,
);

const gcm: EncryptionInfo = { cipher: 'aes256-gcm', aead: true, keyTransport: ['ecdh'] };
const cbc: EncryptionInfo = { cipher: 'aes128-cbc', aead: false, keyTransport: ['rsa-oaep'] };
const v15: EncryptionInfo = { cipher: 'aes256-gcm', aead: true, keyTransport: ['ecdh', 'rsa-pkcs1v15'] };

function reply(
  code: E2eErrorCode,
  mode: ReplyMode = 'safe',
  encryption?: EncryptionInfo,
  stanza = message,
): string | undefined {
  const error = new E2eError(code, 'check', { encryption, reason: 'secret' });
  const answer = errorReply(stanza, error, { mode, knownContact: true });
  if (answer === undefined) return undefined;
  return answer
    .first('error')!
    .elements.map((child) => child.name)
    .join('+');
}

describe('replies (RFC 3923 section 7)', () => {
  it('look like examples 16 to 18, with the registered namespace and without the echo', () => {
    const expected = parseXml(
      `<message xmlns='jabber:client' from='romeo@example.net' to='juliet@example.com/balcony' id='m1' type='error'>` +
        `<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>` +
        `<bad-timestamp xmlns='urn:ietf:params:xml:ns:xmpp-e2e'/></error></message>`,
    );
    const answer = errorReply(message, new E2eError('ERR_E2E_TIMESTAMP', 'check'), { knownContact: true })!;
    expect(sameXml(answer, expected)).toBe(true);
  });

  it('tell the five cases apart', () => {
    expect(reply('ERR_E2E_UNSUPPORTED')).toBe('service-unavailable');
    expect(reply('ERR_E2E_TIMESTAMP', 'safe', gcm)).toBe('not-acceptable+bad-timestamp');
    expect(reply('ERR_E2E_REPLAYED', 'safe', gcm)).toBe('not-acceptable+bad-timestamp');
    expect(reply('ERR_E2E_SIGNER_UNKNOWN', 'safe', gcm)).toBe('not-acceptable+unverified-signature');
    expect(reply('ERR_E2E_DECRYPTION_FAILED', 'safe', gcm)).toBe('bad-request+decryption-failed');
  });

  it('say nothing at all about content that is not AEAD or travelled under PKCS #1 v1.5', () => {
    for (const code of errorCodes) {
      expect(reply(code, 'safe', cbc)).toBeUndefined();
      expect(reply(code, 'safe', v15)).toBeUndefined();
    }
  });

  it('follow the letter in mode rfc3923, where they are an oracle', () => {
    expect(reply('ERR_E2E_DECRYPTION_FAILED', 'rfc3923', cbc)).toBe('bad-request+decryption-failed');
    expect(reply('ERR_E2E_SIGNATURE_INVALID', 'rfc3923', cbc)).toBe('not-acceptable+unverified-signature');
  });

  it('are off in mode off, but for the one answer that a request is owed', () => {
    for (const code of errorCodes) {
      expect(reply(code, 'off', gcm)).toBeUndefined();
      expect(reply(code, 'off', gcm, iq)).toBe('service-unavailable');
      expect(reply(code, 'safe', cbc, iq)).toBe('service-unavailable');
    }
  });

  it('go to known contacts only; a request of a stranger gets what a client without support says', () => {
    const error = new E2eError('ERR_E2E_SIGNER_UNKNOWN', 'verify');
    expect(errorReply(message, error)).toBeUndefined();
    expect(parseErrorReply(errorReply(iq, error)!)).toBe('service-unavailable');
  });

  it.each(['error', 'groupchat', 'headline'])('never answer a message of type %s', (type) => {
    const stanza = message.withAttribute('type', type);
    for (const mode of ['off', 'safe', 'rfc3923'] as const)
      expect(reply('ERR_E2E_TIMESTAMP', mode, gcm, stanza)).toBeUndefined();
  });

  it('never answer presence, results or a stanza without a sender', () => {
    const presence = parseXml(`<presence xmlns='jabber:client' from='juliet@example.com/balcony'/>`);
    expect(reply('ERR_E2E_TIMESTAMP', 'rfc3923', gcm, presence)).toBeUndefined();
    expect(reply('ERR_E2E_TIMESTAMP', 'rfc3923', gcm, iq.withAttribute('type', 'result'))).toBeUndefined();
    expect(reply('ERR_E2E_TIMESTAMP', 'rfc3923', gcm, message.withAttribute('from', undefined))).toBeUndefined();
  });

  it('carry nothing of the content, and no reason', () => {
    for (const code of errorCodes) {
      const answer = errorReply(message, new E2eError(code, 'check', { reason: 'secret' }), { mode: 'rfc3923' });
      expect(JSON.stringify(answer ?? '')).not.toContain('secret');
    }
  });

  it('are limited to five a minute to one bare JID', () => {
    let now = 0;
    const limiter = replyLimiter(5, () => now);
    const error = new E2eError('ERR_E2E_TIMESTAMP', 'check');
    const send = (resource: string): boolean =>
      errorReply(message.withAttribute('from', `juliet@example.com/${resource}`), error, {
        knownContact: true,
        limiter,
      }) !== undefined;
    expect([1, 2, 3, 4, 5, 6].map((i) => send(String(i)))).toEqual([true, true, true, true, true, false]);
    expect(limiter.take('nurse@example.com')).toBe(true);
    now = 60_001;
    expect(send('a')).toBe(true);
  });

  it('refuse unknown options', () => {
    const error = new E2eError('ERR_E2E_TIMESTAMP', 'check');
    expect(() => errorReply(message, error, { modus: 'off' } as object)).toThrow(TypeError);
    expect(() => errorReply(message, error, { mode: 'loud' as ReplyMode })).toThrow(TypeError);
  });
});

describe('reading replies', () => {
  it.each([
    ['bad-timestamp', 'urn:ietf:params:xml:xmpp-e2e', 'bad-timestamp'],
    ['unverified-signature', 'urn:ietf:params:xml:ns:xmpp-e2e', 'unverified-signature'],
    ['unverified-signature', 'urn:ietf:params:xml:xmpp-e2e', 'unverified-signature'],
    ['signature-unverified', 'urn:ietf:params:xml:ns:xmpp-e2e', 'unverified-signature'],
    ['signature-unverified', 'urn:ietf:params:xml:xmpp-e2e', 'unverified-signature'],
    ['decryption-failed', 'urn:ietf:params:xml:xmpp-e2e', 'decryption-failed'],
  ])('takes <%s xmlns="%s"/>', (name, namespace, expected) => {
    const stanza = parseXml(
      `<message xmlns='jabber:client' from='romeo@example.net'><error type='modify'>` +
        `<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><${name} xmlns='${namespace}'/></error></message>`,
    );
    expect(parseErrorReply(stanza)).toBe(expected);
  });

  it.each([
    ['<bad-request/>', 'bad-request'],
    ['<not-acceptable/>', 'not-acceptable'],
    ['<service-unavailable/>', 'service-unavailable'],
    ['<not-acceptable/><other/>', 'not-acceptable'],
    ['<forbidden/>', undefined],
    ['', undefined],
  ])('takes %s without an element of section 9 for what it says', (conditions, expected) => {
    const inside = conditions.replaceAll('/>', " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>");
    // The examples of section 7 have no type='error' and echo the sealed object.
    const e2e = "<e2e xmlns='urn:ietf:params:xml:ns:xmpp-e2e'>x</e2e>";
    const stanza = `<message xmlns='jabber:client' type='chat'>${e2e}<error type='modify'>${inside}</error></message>`;
    expect(parseErrorReply(parseXml(stanza))).toBe(expected);
  });

  it('takes nothing else for one', () => {
    expect(parseErrorReply(message)).toBeUndefined();
    const other = `<message xmlns='jabber:client'><error><bad-timestamp xmlns='urn:x'/><toString xmlns='urn:ietf:params:xml:ns:xmpp-e2e'/></error></message>`;
    expect(parseErrorReply(parseXml(other))).toBeUndefined();
  });
});

describe('the form of a reply', () => {
  const error = (code: E2eErrorCode): E2eError => new E2eError(code, 'check', { encryption: gcm });
  const sent = (code: E2eErrorCode, stanza = message): string | undefined => {
    const answer = errorReply(stanza, error(code), { knownContact: true });
    return answer === undefined ? undefined : serializeXml(answer);
  };
  const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
  const e2e = 'urn:ietf:params:xml:ns:xmpp-e2e';
  const start = (kind: string, id: string): string =>
    `<${kind} xmlns="jabber:client" from="romeo@example.net" to="juliet@example.com/balcony" id="${id}" type="error">`;

  it.each<[E2eErrorCode, string, string]>([
    ['ERR_E2E_UNSUPPORTED', 'cancel', `<service-unavailable xmlns="${stanzas}"/>`],
    ['ERR_E2E_MALFORMED', 'modify', `<bad-request xmlns="${stanzas}"/>`],
    ['ERR_E2E_LIMIT', 'modify', `<bad-request xmlns="${stanzas}"/>`],
    ['ERR_E2E_REPLAYED', 'modify', `<not-acceptable xmlns="${stanzas}"/><bad-timestamp xmlns="${e2e}"/>`],
    ['ERR_E2E_UNSIGNED', 'modify', `<not-acceptable xmlns="${stanzas}"/><unverified-signature xmlns="${e2e}"/>`],
    ['ERR_E2E_DECRYPTION_FAILED', 'modify', `<bad-request xmlns="${stanzas}"/><decryption-failed xmlns="${e2e}"/>`],
  ])('of %s', (code, type, conditions) => {
    const inside = `<error type="${type}">${conditions}</error>`;
    expect(sent(code)).toBe(`${start('message', 'm1')}${inside}</message>`);
    expect(sent(code, iq)).toBe(`${start('iq', 'q1')}${inside}</iq>`);
  });

  it.each([undefined, 'normal', 'chat'])('is sent to a message of type %s', (type) => {
    expect(sent('ERR_E2E_TIMESTAMP', message.withAttribute('type', type))).toBeDefined();
  });

  it.each(['get', 'set', 'result', '', 'Chat'])('is not sent to a message of type "%s"', (type) => {
    expect(sent('ERR_E2E_TIMESTAMP', message.withAttribute('type', type))).toBeUndefined();
  });

  it.each([
    ['get', true],
    ['set', true],
    ['result', false],
    ['error', false],
    ['', false],
  ])('is sent to an iq of type "%s": %s', (type, owed) => {
    expect(sent('ERR_E2E_TIMESTAMP', iq.withAttribute('type', type)) !== undefined).toBe(owed);
    expect(sent('ERR_E2E_STORE_FAILED', iq.withAttribute('type', type)) !== undefined).toBe(owed);
  });

  it('is sent to anybody by the letter, and to contacts alone otherwise', () => {
    for (const [mode, expected] of [
      ['off', false],
      ['safe', false],
      ['rfc3923', true],
    ] as const)
      expect(errorReply(message, error('ERR_E2E_TIMESTAMP'), { mode }) !== undefined).toBe(expected);
  });

  it('names the option that is wrong', () => {
    const mode = 'loud' as ReplyMode;
    expect(() => errorReply(message, error('ERR_E2E_TIMESTAMP'), { mode })).toThrow(
      'option mode must be one of off, safe, rfc3923',
    );
  });
});

describe('the limiter', () => {
  it('counts to the end of a minute, for each bare address', () => {
    let now = 0;
    const limiter = replyLimiter(1, () => now);
    expect([limiter.take('juliet@example.com/a'), limiter.take('juliet@example.com/b')]).toEqual([true, false]);
    expect(limiter.take('juliet@example.net')).toBe(true);
    now = 59_999;
    expect(limiter.take('juliet@example.com')).toBe(false);
    now = 60_000;
    expect(limiter.take('juliet@example.com')).toBe(true);
  });

  it('is of five, unless told otherwise', () => {
    const limiter = replyLimiter();
    expect([1, 2, 3, 4, 5, 6].map(() => limiter.take('a@b'))).toEqual([true, true, true, true, true, false]);
  });

  it('forgets the address that was silent longest beyond 10,000', () => {
    const limiter = replyLimiter(1, () => 0);
    for (let i = 0; i < 10_000; i++) limiter.take(`${i}@b`);
    expect([limiter.take('0@b'), limiter.take('1@b')]).toEqual([false, false]);
    expect(limiter.take('new@b')).toBe(true);
    // 0 and 1 were asked for since, so 2 was the oldest.
    expect([limiter.take('0@b'), limiter.take('1@b'), limiter.take('3@b')]).toEqual([false, false, false]);
    expect(limiter.take('2@b')).toBe(true);
  });
});
