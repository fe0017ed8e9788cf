import { describe, expect, it } from 'vitest';
import { E2eError, errorCodes, escapeForDisplay, replyFor } from '../../src/errors.ts';
import { defaultLimits, limitsWith } from '../../src/limits.ts';

describe('E2eError', () => {
  it('has a fixed message per code, and one code per message', () => {
    const messages = errorCodes.map((code) => new E2eError(code, 'check').message);
    expect(new Set(messages).size).toBe(errorCodes.length);
    for (const message of messages) expect(message).toMatch(/^[a-z][^.]*$/);
  });

  it('never says why something could not be decrypted', () => {
    const error = new E2eError('ERR_E2E_DECRYPTION_FAILED', 'decrypt', { reason: 'bad padding', subject: 'secret' });
    expect(error.reason).toBeUndefined();
    expect(JSON.stringify(error)).toBe(
      '{"code":"ERR_E2E_DECRYPTION_FAILED","stage":"decrypt","message":"the message cannot be decrypted"}',
    );
  });

  it('shows at most 40 escaped characters of input', () => {
    const error = new E2eError('ERR_E2E_MALFORMED', 'parse', { reason: 'bad', subject: `\u001b[2J${'x'.repeat(100)}` });
    expect(error.reason).toMatch(/^bad: \\u\{1b\}\[2J/);
    expect(error.reason!.length).toBeLessThanOrEqual('bad: '.length + 41);
    expect(new E2eError('ERR_E2E_MALFORMED', 'parse', { subject: 'a' }).toJSON().reason).toBe('a');
  });

  it('pairs codes with the replies of RFC 3923 section 7', () => {
    expect(replyFor('ERR_E2E_DECRYPTION_FAILED')).toBe('decryption-failed');
    expect(replyFor('ERR_E2E_SIGNER_UNKNOWN')).toBe('unverified-signature');
    expect(replyFor('ERR_E2E_TIMESTAMP')).toBe('bad-timestamp');
    expect(replyFor('ERR_E2E_STORE_FAILED')).toBe('none');
  });
});

describe('text for a terminal', () => {
  it('holds no control, bidirectional or line-separating character', () => {
    const dangerous = [...Array(32).keys(), ...[...Array(33).keys()].map((i) => 0x7f + i)];
    dangerous.push(0x61c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff, 0xd800);
    for (const code of dangerous)
      expect(escapeForDisplay(String.fromCodePoint(code))).toBe(`\\u{${code.toString(16)}}`);
    expect(escapeForDisplay('Ἔρως 😀')).toBe('Ἔρως 😀');
  });
});

describe('limits', () => {
  it('can be replaced one by one', () => {
    expect(limitsWith({ xmlDepth: 3 })).toEqual({ ...defaultLimits, xmlDepth: 3 });
    expect(limitsWith()).toEqual(defaultLimits);
  });

  it('are positive integers with known names', () => {
    expect(() => limitsWith({ depth: 3 } as object)).toThrow(TypeError);
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5']) {
      expect(() => limitsWith({ xmlDepth: value as number })).toThrow(RangeError);
    }
  });
});
