/** Signed times judged by the clock and the context alone (RFC 3923 section 6.9), at every edge. */
import { describe, expect, it } from 'vitest';
import {
  distance,
  isArchive,
  isArriving,
  isSent,
  isVerifiedAgain,
  judgeTime,
  latestDelay,
  type OpenContext,
  readContext,
  secondsToNanoseconds,
  type TimeFacts,
} from '../../../src/e2e/timeliness.ts';
import { parseXml, strictPolicy } from '../../../src/index.ts';

const second = 1_000_000_000n;
const now = 1_800_000_000n * second;
const window = 300n * second;
const day = 86_400n * second;
const date = new Date(Number(now / 1_000_000n));

const facts = (more: Partial<TimeFacts>): TimeFacts => ({
  ...{ signed: now, now, delay: undefined, context: 'live', storeSince: undefined },
  ...more,
});
const judge = (more: Partial<TimeFacts>): string => judgeTime(facts(more), strictPolicy.time);

const again: OpenContext = { retry: date };
const verified: OpenContext = { verify: date };
const all: readonly OpenContext[] = ['live', 'offline', 'archive', 'sent', 'sent-archive', again, verified];

describe('contexts', () => {
  it.each(all)('%j is one', (context) => {
    expect(readContext(context)).toBe(context);
  });

  it.each([
    ['now'],
    [''],
    [null],
    [undefined],
    [{}],
    [{ retry: '2026-11-22T12:00:00Z' }],
    [{ retry: new Date(Number.NaN) }],
    [{ verify: 5 }],
    [{ retry: date, verify: date }],
    [{ retry: date, more: 1 }],
    [date],
  ])('%j is none', (context) => {
    expect(() => readContext(context as unknown as OpenContext)).toThrow(
      new TypeError(
        'option context must be one of live, offline, archive, sent, sent-archive, { retry: Date } or { verify: Date }',
      ),
    );
  });

  it('differ in what they are about', () => {
    expect(all.filter(isArriving)).toEqual(['live', 'offline']);
    expect(all.filter(isSent)).toEqual(['sent', 'sent-archive']);
    expect(all.filter(isArchive)).toEqual(['archive', 'sent-archive']);
    expect(all.filter(isVerifiedAgain)).toEqual([verified]);
  });
});

describe('the window', () => {
  it.each<[bigint, string]>([
    [0n, 'ok'],
    [window, 'ok'],
    [window + 1n, 'future'],
    [-window, 'ok'],
    [-window - 1n, 'old'],
  ])('%d ns from now is %s', (offset, expected) => {
    for (const context of ['live', 'sent'] as const) expect(judge({ signed: now + offset, context })).toBe(expected);
  });

  it('has the seconds that the policy says, to the millisecond', () => {
    const policy = { ...strictPolicy.time, windowSeconds: 1.5 };
    expect(judgeTime(facts({ signed: now - 1_500_000_000n }), policy)).toBe('ok');
    expect(judgeTime(facts({ signed: now - 1_500_000_001n }), policy)).toBe('old');
  });

  it('is judged at the time of first receipt, where that is given', () => {
    for (const context of [again, verified]) {
      expect(judge({ context, now: now + day })).toBe('ok');
      expect(judge({ context, now: now + day, signed: now + window + 1n })).toBe('future');
      expect(judge({ context, now: now + day, signed: now - window - 1n })).toBe('old');
    }
  });

  it('does not matter where there is no time', () => {
    for (const context of all) expect(judge({ signed: undefined, context })).toBe('absent');
  });
});

describe('a late stanza', () => {
  const signed = now - day;

  it.each<[OpenContext, string]>([
    ['live', 'old'],
    ['sent', 'old'],
    ['offline', 'delayed'],
    ['archive', 'delayed'],
    ['sent-archive', 'delayed'],
  ])('is judged by its context: %s', (context, expected) => {
    expect(judge({ signed, context })).toBe(expected);
  });

  it('is excused by a delay stamp near the signed time, before or after', () => {
    for (const delay of [signed, signed + window, signed - window]) expect(judge({ signed, delay })).toBe('delayed');
    for (const delay of [signed + window + 1n, signed - window - 1n, now]) expect(judge({ signed, delay })).toBe('old');
  });

  it('is not excused where the store is younger, but in an archive', () => {
    for (const context of ['live', 'offline'] as const) {
      expect(judge({ signed, delay: signed, context, storeSince: signed })).toBe('delayed');
      expect(judge({ signed, delay: signed, context, storeSince: signed + 1n })).toBe('old');
    }
    expect(judge({ signed, context: 'archive', storeSince: now })).toBe('delayed');
  });
});

describe('delay stamps', () => {
  const of = (...children: readonly string[]): bigint | undefined =>
    latestDelay(parseXml(`<message xmlns='jabber:client'>${children.join('')}</message>`));
  const stamp = (text: string): string => `<delay xmlns='urn:xmpp:delay' stamp='${text}'/>`;

  it('are the latest that can be read, wherever it stands', () => {
    const early = '1970-01-01T00:00:01Z';
    const late = '1970-01-01T00:00:02Z';
    expect(of()).toBeUndefined();
    expect(of(stamp(early))).toBe(second);
    expect(of(stamp(early), stamp(late))).toBe(2n * second);
    expect(of(stamp(late), stamp(early))).toBe(2n * second);
    expect(of(stamp('yesterday'), stamp(early))).toBe(second);
    expect(of(stamp('yesterday'), `<delay xmlns='urn:xmpp:delay'/>`)).toBeUndefined();
    expect(
      of(`<delay xmlns='jabber:x:delay' stamp='${late}'/>`, `<x xmlns='urn:xmpp:delay' stamp='${late}'/>`),
    ).toBeUndefined();
  });
});

it('distances and seconds', () => {
  expect([distance(5n, 3n), distance(3n, 5n), distance(3n, 3n)]).toEqual([2n, 2n, 0n]);
  expect([1, 0.001, 1.5, 300].map(secondsToNanoseconds)).toEqual([second, 1_000_000n, 1_500_000_000n, window]);
});
