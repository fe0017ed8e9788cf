/** The files of test vectors (`vectors/README.md`), read strictly: a key that this reader does not know fails the run. */

/** What a vector does with its input. */
export type VectorOperation = 'open' | 'seal' | 'map' | 'reconstruct' | 'jid' | 'uri' | 'xml' | 'instant';

/** What must come out: a code and a stage, or facts. Only what is given is compared. */
export interface VectorExpectation {
  readonly code?: string;
  readonly stage?: string;
  readonly output?: string;
  readonly stanza?: string;
  readonly form?: string;
  readonly backend?: string;
  readonly protection?: string;
  readonly sender?: string | null;
  readonly time?: string;
  readonly recipientBound?: boolean;
  readonly authenticated?: boolean;
}

/** One vector: one input, one fault at the most. */
export interface Vector {
  readonly id: string;
  readonly comment: string;
  readonly rfc: readonly string[];
  readonly flags?: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly input: string;
  readonly at?: string;
  readonly context?: 'live' | 'offline' | 'archive' | 'sent';
  /** How often the same input is opened; the expectation is about the last time. */
  readonly repeat?: number;
  readonly from?: string;
  readonly to?: string;
  readonly type?: string;
  readonly messageId?: string;
  readonly form?: 'auto' | 'cpim' | 'pidf' | 'xmpp+xml';
  readonly bare?: boolean;
  readonly protection?: 'sign' | 'encrypt' | 'sign+encrypt';
  readonly backend?: 'smime' | 'openpgp';
  readonly expect?: VectorExpectation;
}

/** Vectors that share an operation and its surroundings. */
export interface VectorGroup {
  readonly operation: VectorOperation;
  readonly backends?: readonly ('smime' | 'openpgp')[];
  /** Folder below `keys/`, laid out like a home. */
  readonly keys?: string;
  readonly me?: string;
  readonly policy?: 'strict' | 'rfc3923';
  readonly at?: string;
  readonly tests: readonly Vector[];
}

/** One file. */
export interface VectorFile {
  readonly suite: string;
  readonly count: number;
  readonly groups: readonly VectorGroup[];
}

const keys = {
  file: ['schema', 'suite', 'description', 'count', 'notes', 'groups'],
  group: ['operation', 'backends', 'keys', 'me', 'policy', 'at', 'tests'],
  test: [
    'id',
    'comment',
    'rfc',
    'flags',
    'result',
    'input',
    'at',
    'context',
    'repeat',
    'from',
    'to',
    'type',
    'messageId',
    'form',
    'bare',
    'protection',
    'backend',
    'expect',
  ],
  expect: [
    'code',
    'stage',
    'output',
    'stanza',
    'form',
    'backend',
    'protection',
    'sender',
    'time',
    'recipientBound',
    'authenticated',
  ],
} as const;

/**
 * Parses a file of vectors.
 *
 * @throws {Error} saying what is wrong with the file: no JSON, another schema, an unknown key, a wrong count, an id twice
 */
export function parseVectorFile(text: string): VectorFile {
  const file = JSON.parse(text) as Record<string, unknown>;
  known(file, keys.file, 'the file');
  if (file['schema'] !== 'vectors.v1') throw new Error('the schema is not vectors.v1');
  const ids = new Set<string>();
  for (const group of list(file['groups'])) {
    known(group, keys.group, 'a group');
    for (const test of list(group['tests'])) {
      const id = String(test['id']);
      known(test, keys.test, id);
      if (typeof test['input'] !== 'string') throw new Error(`${id}: no input`);
      if (test['expect'] !== undefined) known(test['expect'] as Record<string, unknown>, keys.expect, id);
      if (ids.has(id)) throw new Error(`${id} is there twice`);
      ids.add(id);
    }
  }
  if (file['count'] !== ids.size)
    throw new Error(`count is ${String(file['count'])}, but there are ${ids.size} vectors`);
  return file as unknown as VectorFile;
}

function known(object: Record<string, unknown>, names: readonly string[], where: string): void {
  const unknown = Object.keys(object).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`unknown key ${JSON.stringify(unknown)} in ${where}`);
}

function list(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) throw new Error('a list is missing');
  return value as Record<string, unknown>[];
}
