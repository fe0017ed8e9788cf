import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Jid, roster } from '../../../src/index.ts';
import { lookAlikeOf, skeletonOf } from '../../../src/jid/look-alike.ts';
import { ci } from '../../shared-data.ts';
import { lookAlikePairs } from '../../../src/jid/look-alikes.generated.ts';

const contacts = ['paypal@example.com', 'juliet@example.com', 'admin@example.com', 'office@xn--bcher-kva.example'];

describe('a roster', () => {
  it.each([
    ['p\u0430ypal@example.com', 'paypal@example.com'], // Cyrillic a
    ['\u0440\u0430\u0443\u0440\u0430l@example.com', 'paypal@example.com'], // Cyrillic but for the l
    ['paypa1@example.com', 'paypal@example.com'],
    ['paypa\u01c0@example.com', 'paypal@example.com'], // dental click
    ['\u0458uliet@example.com', 'juliet@example.com'],
    ['jul\u0131et@example.com', 'juliet@example.com'], // dotless i
    ['juliet@ex\u0430mple.com', 'juliet@example.com'],
    ['juliet@example.c\u03bfm', 'juliet@example.com'], // Greek omicron
    ['adrnin@example.com', 'admin@example.com'],
    ['office@b\u00fccher.ex\u0430mple', 'office@xn--bcher-kva.example'],
    ['0ffice@b\u00fccher.example', 'office@xn--bcher-kva.example'],
  ])('%s resembles %s', (address, contact) => {
    expect(roster(contacts).resembling(Jid.parse(`${address}/x`))).toEqual([contact]);
  });

  it.each([
    'paypal@example.com',
    'paypol@example.com',
    'julia@example.com',
    'juliet@example.org',
    'p\u00e1ypal@example.com',
  ])('%s resembles nobody else', (address) => {
    expect(roster(contacts).resembling(Jid.parse(address))).toEqual([]);
  });

  it('names each contact once, however often it was added, and grows', () => {
    const mine = roster(['juliet@example.com/a', 'juliet@example.com/b', Jid.parse('JULIET@example.com')]);
    const stranger = Jid.parse('ju1iet@example.com');
    expect(mine.resembling(stranger)).toEqual(['juliet@example.com']);
    mine.add('jul\u0456et@example.com');
    expect(mine.resembling(stranger)).toEqual(['juliet@example.com', 'jul\u0456et@example.com']);
    expect(() => mine.add('a@b@c')).toThrow(TypeError);
  });
});

describe('scripts in one label (TR39 section 5.2)', () => {
  it.each([
    ['p\u0430ypal@example.com', ['Latin', 'Cyrillic']],
    ['\u03c1aypal@example.com', ['Greek', 'Latin']],
    ['juliet@ex\u0430mple.com', ['Latin', 'Cyrillic']],
    ['\u043f\u0440\u0438\u0432\u03b5\u0442@example.com', ['Cyrillic', 'Greek']],
    ['\u0570a@example.com', ['Armenian', 'Latin']],
    ['a\u{10400}@example.com'.normalize(), ['Latin', 'other']],
  ])('are mixed in %s', (address, scripts) => {
    expect(lookAlikeOf(Jid.parse(address).bare()).scripts).toEqual(scripts);
  });

  it.each([
    'juliet@example.com',
    'j\u00falia-2_x.y@example.com',
    '\u043f\u0440\u0438\u0432\u0435\u0442@example.com', // Cyrillic before a Latin domain
    '\u043f\u0440\u0438\u0432\u0435\u0442123@\u043f\u0440\u0438\u043c\u0435\u0440.example',
    '\u6771\u4eactower\u30bf\u30ef@example.com', // Han, Latin, Katakana
    '\ud55c\uae00abc\u6f22@example.com', // Hangul, Latin, Han
    '\u05e9\u05dc\u05d5\u05dd@example.com',
    'e\u0301t\u00e9@example.com',
    'example.com',
    '[::1]',
  ])('are not mixed in %s', (address) => {
    expect(lookAlikeOf(Jid.parse(address).bare()).scripts).toEqual([]);
  });

  it('of Han with Greek, or Hangul with Hiragana, are mixed', () => {
    expect(lookAlikeOf(Jid.parse('\u6771\u03b1@example.com')).scripts).toEqual(['Han', 'Greek']);
    expect(lookAlikeOf(Jid.parse('\ud55c\u3042@example.com')).scripts).toEqual(['Hangul', 'Hiragana']);
  });
});

const program = fileURLToPath(new URL('../../generate/skeletons.py', import.meta.url));
const hasIcu = spawnSync('python3', [program], { input: '' }).status === 0;
if (!hasIcu && ci) throw new Error('a program is missing: python3 with ICU');

describe.skipIf(!hasIcu)('the skeleton, against ICU', () => {
  /** The two places where ours says more: zero is round, and what is no letter or digit in ASCII stays. */
  const icu = (texts: readonly string[]): string[] =>
    execFileSync('python3', [program], { input: `${texts.join('\n')}\n`, encoding: 'utf8' })
      .trimEnd()
      .split('\n')
      .map((shape) => shape.replaceAll('O', 'o'));

  it('of every character of the table, and of ASCII', () => {
    const characters = Array.from(`${lookAlikePairs.replace(/[a-z0-9]/g, '')}abcdefghijklmnopqrstuvwxyz0123456789-_.`);
    expect(characters.length).toBeGreaterThan(150);
    const jids = characters.map((character) => ({ local: `a${character}`, domain: 'b' }));
    expect(jids.map(skeletonOf)).toEqual(icu(characters.map((character) => `a${character}@b`)));
  });

  it('of 2000 words of Latin, Cyrillic and Greek letters: what ICU finds alike and ASCII, ours does too', () => {
    const letters = 'abceilmnopsuxy0123'.concat(
      '\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443',
      '\u03b1\u03bf\u03c1\u03bd\u03b9',
    );
    let seed = 7;
    const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648);
    const words = Array.from({ length: 2000 }, () =>
      Array.from({ length: 1 + ((next() >> 8) % 8) }, () => letters[(next() >> 8) % letters.length]).join(''),
    );
    const shapes = icu(words.map((word) => `${word}@b`));
    expect(words.map((word) => skeletonOf({ local: word, domain: 'b' }))).toEqual(shapes);
  });
});

it('takes time in proportion to the address', () => {
  const long = Jid.parse(`${'\u0430'.repeat(500)}@${'a.'.repeat(300)}example`);
  const start = performance.now();
  for (let i = 0; i < 100; i++) lookAlikeOf(long, [skeletonOf(long)]);
  expect(performance.now() - start).toBeLessThan(2000);
});
