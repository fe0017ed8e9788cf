/**
 * Time ::= CHOICE { utcTime UTCTime, generalizedTime GeneralizedTime }, in the forms that RFC 5280 section 4.1.2.5 and
 * RFC 5652 section 11.3 leave: UTC, with seconds, without fractions.
 */

import { type Asn1Node, tags } from './reader.ts';
import { type DerPart, der } from './writer.ts';

/**
 * Reads a Time.
 *
 * @throws {E2eError} MALFORMED for any other tag or form, and for dates that do not exist
 */
export function timeValue(node: Asn1Node): Date {
  const digits = node.tag === tags.utcTime ? 12 : node.tag === tags.generalizedTime ? 14 : 0;
  const content = node.content;
  if (digits === 0 || node.constructed || content.length !== digits + 1 || content[digits] !== 0x5a) {
    throw node.malformed('time is not in the UTC form');
  }
  const pairs: number[] = [];
  for (let i = 0; i < digits; i += 2) {
    const tens = content[i]! - 0x30;
    const ones = content[i + 1]! - 0x30;
    if (tens < 0 || tens > 9 || ones < 0 || ones > 9) throw node.malformed('time is not in the UTC form');
    pairs.push(tens * 10 + ones);
  }
  const [month, day, hour, minute, second] = pairs.slice(-5) as [number, number, number, number, number];
  // RFC 5280 section 4.1.2.5.1: a two-digit year of 50 or more lies in the twentieth century.
  const year = digits === 14 ? pairs[0]! * 100 + pairs[1]! : pairs[0]! + (pairs[0]! >= 50 ? 1900 : 2000);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const exists =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!exists) throw node.malformed('time does not exist');
  return date;
}

/**
 * Writes a Time: UTCTime from 1950 to 2049, GeneralizedTime otherwise (RFC 5652 section 11.3), cut to the second.
 *
 * @param date years 0 to 9999
 * @throws {RangeError} for an invalid date or another year
 */
export function timeElement(date: Date): DerPart {
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) throw new RangeError('date out of range');
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const utc = year >= 1950 && year < 2050;
  const text = `${utc ? digits.slice(2) : digits}Z`;
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
  return der(utc ? tags.utcTime : tags.generalizedTime, octets);
}
