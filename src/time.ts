/**
 * Instants as RFC 3339 date-times. `Date.parse` is unfit: it takes local times, 30 February and 24:00, and drops
 * digits beyond the millisecond, where the order of two stanzas is decided (RFC 3923 section 6.9).
 */

/** A point in time, in nanoseconds since 1970-01-01T00:00:00Z. */
export interface Instant {
  readonly nanoseconds: bigint;
  /** Whether it was written in UTC (`Z`, `+00:00`), as RFC 3923 section 6.9 asks. */
  readonly utc: boolean;
}

const shape = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,20}))?(?:([Zz])|([+-])(\d\d):(\d\d))$/;

/**
 * Parses an RFC 3339 date-time with years 0001 to 9999.
 *
 * A leap second is taken at 23:59:60 UTC only and reads as the second after it; digits beyond the nanosecond are cut.
 *
 * @returns undefined for anything else
 */
export function parseInstant(text: string): Instant | undefined {
  if (text.length > 64) return undefined;
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6])];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const offsetHour = Number(match[10] ?? 0);
  const offsetMinute = Number(match[11] ?? 0);
  if (offsetHour > 23 || offsetMinute > 59) return undefined;
  const offset = (match[9] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  const days = daysSinceEpoch(year, month, day);
  const minutes = days * 1440 + hour * 60 + minute - offset;
  if (second === 60 && ((minutes % 1440) + 1440) % 1440 !== 1439) return undefined;
  const fraction = BigInt((match[7] ?? '').slice(0, 9).padEnd(9, '0'));
  // "-00:00" says that the local offset is unknown (RFC 3339 section 4.3), so it is not UTC by intent.
  const utc = match[8] !== undefined || (offset === 0 && match[9] === '+');
  return { nanoseconds: BigInt(minutes * 60 + second) * 1_000_000_000n + fraction, utc };
}

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function daysSinceEpoch(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return Math.round(date.getTime() / 86_400_000);
}

/**
 * Writes an instant in UTC with `Z` and as many fraction digits as it needs: three, or six where microseconds count.
 *
 * @param nanoseconds since 1970-01-01T00:00:00Z, years 0001 to 9999
 */
export function formatInstant(nanoseconds: bigint): string {
  const microseconds = nanoseconds / 1000n - (nanoseconds % 1000n < 0n ? 1n : 0n);
  const rest = Number(((microseconds % 1000n) + 1000n) % 1000n);
  const date = new Date(Number((microseconds - BigInt(rest)) / 1000n));
  const text = date.toISOString();
  return rest === 0 ? text : `${text.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

/** The instant of a `Date`, which counts milliseconds. */
export function instantOf(date: Date): bigint {
  return BigInt(date.getTime()) * 1_000_000n;
}

/** The `Date` of an instant, cut to the millisecond. */
export function dateOf(nanoseconds: bigint): Date {
  return new Date(Number(nanoseconds / 1_000_000n));
}
