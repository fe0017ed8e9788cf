/** The result of a run, as a table and as JSON. */
import { cpus, loadavg, release } from 'node:os';
import type { Kind, Operation } from './contender.ts';
import type { SpeedRow } from './openssl-speed.ts';
import { markdown } from './markdown.ts';
import type { PoolRow } from './pool.ts';
import { poolTable } from './pool-table.ts';
import type { ConcurrencyRow, MemoryRow, RecipientRow, StartRow } from './scale.ts';

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

/** How cost grows. */
export interface Growth {
  readonly recipients: readonly RecipientRow[];
  readonly concurrency: readonly ConcurrencyRow[];
  readonly memory: readonly MemoryRow[];
  readonly start: readonly StartRow[];
  /** Left out of a quick run. */
  readonly pool: readonly PoolRow[] | undefined;
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
export function table(result: Result & { readonly growth?: Growth | undefined }): string {
  const { rows, formats, opensslSpeed, machine: facts, versions, date, growth } = result;
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
  const formatCells = formats.map(({ size, map, reconstruct }) => {
    const beside = rows.find((row) => row.kind === 'S/MIME P-256' && row.size === size && row.operation === 'seal');
    const part = beside === undefined ? '' : (Math.max(map, reconstruct) / beside.raw).toFixed(2);
    return [sizeText(size), time(map), time(reconstruct), part];
  });
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
    ...slopes(rows),
    'Formats alone, in milliseconds, and the dearer of the two as a part of a raw sign and encrypt with P-256:',
    '',
    markdown(['body', 'stanza text to MIME entity', 'MIME entity to stanza text', 'part'], formatCells, 1),
    '',
    ...(speedCells === undefined
      ? ['`openssl speed` is not installed: raw was not checked.']
      : [
          'Raw beside `openssl speed`, in microseconds of processor time:',
          '',
          markdown(['key', 'operation', 'raw', 'openssl', 'raw / openssl'], speedCells, 2),
        ]),
    '',
    ...(growth === undefined ? [] : growthTables(growth)),
  ].join('\n');
}

/** How the cost of `ours` grows with the body: the slope between logarithms, 1 for twice the time for twice the size. */
function slopes(rows: readonly Row[]): readonly string[] {
  const at = (kind: string, operation: Operation, size: number): number | undefined =>
    rows.find((row) => row.kind === kind && row.operation === operation && row.size === size)?.ours;
  const cells = [...new Set(rows.map(({ kind }) => kind))].flatMap((kind) => {
    const of = (operation: Operation): string => {
      const [small, large] = [at(kind, operation, 1024), at(kind, operation, 1_048_576)];
      return small === undefined || large === undefined ? '' : slope(1024, small, 1_048_576, large).toFixed(2);
    };
    const [seal, open] = [of('seal'), of('open')];
    return seal === '' ? [] : [[kind, seal, open]];
  });
  if (cells.length === 0) return [];
  return [
    'How the cost of `ours` grows from 1 KB to 1 MB, as the slope of its logarithm over that of the size:',
    '',
    markdown(['keys', 'seal', 'open'], cells, 1),
    '',
  ];
}

function slope(x0: number, y0: number, x1: number, y1: number): number {
  return Math.log(y1 / y0) / Math.log(x1 / x0);
}

function growthTables({ recipients, concurrency, memory, start, pool }: Growth): readonly string[] {
  return [
    'Recipients of one message of 1 KB (P-256 with S/MIME, Curve25519 with OpenPGP), in milliseconds; above 64 with',
    'raised limits:',
    '',
    markdown(
      ['backend', 'recipients', 'seal', 'open, by one of them'],
      recipients.map((row) => [row.backend, String(row.recipients), time(row.seal), time(row.open)]),
      1,
    ),
    '',
    ...recipientSlopes(recipients),
    'Messages of 1 KB in a second, by calls under way at a time:',
    '',
    markdown(
      ['keys', 'operation', 'at a time', 'messages/s'],
      concurrency.map((row) => [row.kind, row.operation, String(row.concurrency), row.rate.toFixed(0)]),
      2,
    ),
    '',
    'The most memory of a process that seals and opens 200 messages one after the other, in MB:',
    '',
    markdown(
      ['keys', 'body', 'ready', 'most'],
      memory.map((row) => [row.kind, sizeText(row.size), row.ready.toFixed(0), row.most.toFixed(0)]),
      2,
    ),
    '',
    'From start to end of a process, in milliseconds:',
    '',
    markdown(
      ['command', 'taken'],
      start.map(({ what, taken }) => [what, taken.toFixed(0)]),
      1,
    ),
    '',
    ...(pool === undefined
      ? []
      : ['`openMany` and `sealMany` of messages of 1 KB, in one thread and on a worker pool:', '', poolTable(pool)]),
  ];
}

function recipientSlopes(recipients: readonly RecipientRow[]): readonly string[] {
  const of = (backend: string): string | undefined => {
    const at = (count: number): number | undefined =>
      recipients.find((row) => row.backend === backend && row.recipients === count)?.seal;
    const [few, many] = [at(10), at(1000)];
    return few === undefined || many === undefined ? undefined : slope(10, few, 1000, many).toFixed(2);
  };
  const [smime, openpgp] = [of('smime'), of('openpgp')];
  if (smime === undefined || openpgp === undefined) return [];
  return [`From 10 to 1,000 recipients the slope of seal is ${smime} with S/MIME and ${openpgp} with OpenPGP.`, ''];
}

function sizeText(size: number): string {
  return size >= 1_048_576 ? `${size / 1_048_576} MB` : size >= 1024 ? `${size / 1024} KB` : `${size} B`;
}

function time(value: number): string {
  return value < 10 ? value.toFixed(3) : value.toFixed(1);
}
