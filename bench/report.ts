/** The result of a run, as a table and as JSON. */
import { cpus, loadavg, release } from 'node:os';
import type { Kind, Operation } from './contender.ts';
import type { SpeedRow } from './openssl-speed.ts';

/** Medians in milliseconds of one operation. */
export interface Row {
  readonly backend: Kind['backend'];
  readonly kind: string;
  /** Octets of the message body. */
  readonly size: number;
  readonly operation: Operation;
  readonly ours: number;
  readonly raw: number;
  /** pkijs or openpgp.js. */
  readonly library: number | undefined;
  /** openssl or gpg. */
  readonly process: number | undefined;
}

/** Medians in milliseconds of the formats without cryptography. */
export interface FormatRow {
  readonly size: number;
  readonly map: number;
  readonly reconstruct: number;
}

export interface Result {
  readonly date: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
  readonly formats: readonly FormatRow[];
  readonly opensslSpeed: readonly SpeedRow[] | undefined;
}

export function machine(): Result['machine'] {
  return {
    processor: `${cpus().length} x ${cpus()[0]!.model.trim()}`,
    system: `${process.platform} ${process.arch} ${release()}`,
    load: loadavg()
      .map((value) => value.toFixed(1))
      .join(' '),
  };
}

const columns = ['keys', 'body', 'operation', 'ours', 'raw', 'ours / raw', 'library', 'library / ours', 'process'];

/** A table for people, in Markdown: it is read as it stands on a terminal too. */
export function table({ rows, formats, opensslSpeed, machine: facts, versions, date }: Result): string {
  const cells = rows.map((row) => [
    row.kind,
    sizeText(row.size),
    row.operation,
    time(row.ours),
    time(row.raw),
    (row.ours / row.raw).toFixed(2),
    row.library === undefined ? '' : time(row.library),
    row.library === undefined ? '' : `${(row.library / row.ours).toFixed(1)}x`,
    row.process === undefined ? '' : time(row.process),
  ]);
  const formatCells = formats.map(({ size, map, reconstruct }) => [sizeText(size), time(map), time(reconstruct)]);
  const speedCells = opensslSpeed?.map(({ key, operation, raw, openssl }) => [
    key,
    operation,
    raw.toFixed(1),
    openssl.toFixed(1),
    (raw / openssl).toFixed(2),
  ]);
  const facts_ = Object.entries({ ...facts, ...versions }).map(([name, value]) => `${name} ${value}`);
  return [
    `${date}. ${facts_.join('; ')}. Medians in milliseconds.`,
    '',
    markdown(columns, cells, 3),
    '',
    'Formats alone, in milliseconds:',
    '',
    markdown(['body', 'stanza text to MIME entity', 'MIME entity to stanza text'], formatCells, 1),
    '',
    ...(speedCells === undefined
      ? ['`openssl speed` is not installed: raw was not checked.']
      : [
          'Raw beside `openssl speed`, in microseconds of processor time:',
          '',
          markdown(['key', 'operation', 'raw', 'openssl', 'raw / openssl'], speedCells, 2),
        ]),
    '',
  ].join('\n');
}

function sizeText(size: number): string {
  return size >= 1_048_576 ? `${size / 1_048_576} MB` : size >= 1024 ? `${size / 1024} KB` : `${size} B`;
}

function time(value: number): string {
  return value < 10 ? value.toFixed(3) : value.toFixed(1);
}

/** @param left columns that are aligned left; the others are numbers */
function markdown(head: readonly string[], rows: readonly (readonly string[])[], left: number): string {
  const widths = head.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i < left ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
