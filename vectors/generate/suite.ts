/** Writing vector files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Vector, VectorGroup } from '../../src/cli/vector-file.ts';

/** A note that vectors point to by their flags. */
export interface Note {
  readonly kind: 'attack' | 'interop' | 'legacy' | 'defect';
  readonly description: string;
  readonly links?: readonly string[];
}

/** A file before it is written. */
export interface Suite {
  readonly suite: string;
  readonly description: string;
  readonly notes?: Readonly<Record<string, Note>>;
  readonly groups: readonly VectorGroup[];
}

/** Writes `vectors/SUITE.json`. */
export function writeSuite({ suite, description, notes, groups }: Suite): void {
  const file = fileURLToPath(new URL(`../${suite}.json`, import.meta.url));
  const count = groups.reduce((sum, group) => sum + group.tests.length, 0);
  mkdirSync(dirname(file), { recursive: true });
  const content = { schema: 'vectors.v1', suite, description, count, ...(notes && { notes }), groups };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** A vector that must be accepted. */
export function valid(
  id: string,
  comment: string,
  rfc: string,
  rest: Omit<Vector, 'id' | 'comment' | 'rfc' | 'result'>,
): Vector {
  return { id, comment, rfc: [rfc], result: 'valid', ...rest };
}

/** A vector that must be refused with this code at this stage. */
export function invalid(
  id: string,
  comment: string,
  rfc: string,
  code: string,
  stage: string,
  rest: Omit<Vector, 'id' | 'comment' | 'rfc' | 'result' | 'expect'>,
): Vector {
  return { id, comment, rfc: [rfc], result: 'invalid', ...rest, expect: { code: `ERR_E2E_${code}`, stage } };
}
