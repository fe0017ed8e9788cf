/** The files of test vectors (`vectors/README.md`), read strictly: a key that this reader does not know fails the run. */

import { type AlgorithmPolicy, type Policy, strictPolicy, type TimePolicy } from '../index.ts';

/** What a vector does with its input. */
export type VectorOperation =
  'open' | 'seal' | 'map' | 'reconstruct' | 'jid' | 'uri' | 'xml' | 'instant' | 'path' | 'entity';

/** A policy: one of the two by name, or one of them with some rules replaced. */
export type VectorPolicy = PolicyName | CustomPolicy;

type PolicyName = 'strict' | 'rfc3923';

interface CustomPolicy extends Partial<
  Pick<Policy, 'unsigned' | 'untrustedSigner' | 'unknownSigner' | 'unboundRecipient'>
> {
  readonly base: PolicyName;
  readonly time?: Partial<TimePolicy>;
  readonly algorithms?: Partial<AlgorithmPolicy>;
}

/** What must come out: a code and a stage, or facts. Only what is given is compared. */
export interface VectorExpectation {
  readonly code?: string;
  readonly stage?: string;
  /** The error reply of RFC 3923 section 7 to a contact; null where none may be sent. */
  readonly reply?: string | null;
  readonly output?: string;
  readonly stanza?: string;
  readonly form?: string;
  readonly backend?: string;
  readonly protection?: string;
  /** What the signature amounts to; of a refused stanza, as far as that had been found. */
  readonly level?: string;
  readonly sender?: string | null;
  /** Which name in the certificate speaks for the sender. */
  readonly identity?: string;
  readonly claimedFrom?: string;
  readonly time?: string;
  /** The signed time, and where it was found. */
  readonly signed?: string;
  readonly timeSource?: string;
  readonly replay?: string;
  /** How the signer stands to what is pinned for the sender. */
  readonly pin?: string;
  readonly recipientBound?: boolean;
  readonly recipients?: readonly string[];
  readonly authenticated?: boolean;
  /** Names of what stands beside the sealed object, and of what was dropped from inside: `{namespace}name`. */
  readonly outside?: readonly string[];
  readonly dropped?: readonly string[];
  readonly exceptions?: readonly string[];
  readonly outcome?: string;
  readonly trust?: string;
  /** The certificate at fault: 0 for the target, 1 for its issuer, and so on. */
  readonly failing?: number;
  /** Certificates of the path, the anchor included. */
  readonly chain?: number;
  readonly policies?: readonly string[];
}

/** A stanza opened before, with the same memory of what was accepted. */
export interface EarlierStanza {
  readonly input: string;
  readonly at?: string;
  readonly context?: VectorContext;
  /** Accepted unless `invalid`. */
  readonly result?: 'valid' | 'invalid';
}

/** As the contexts of `openStanza`; times are in text. */
export type VectorContext =
  | 'live'
  | 'offline'
  | 'archive'
  | 'sent'
  | 'sent-archive'
  | { readonly retry: string; readonly verify?: never }
  | { readonly verify: string; readonly retry?: never };

/** What came out. Facts with a `code` are a refusal. */
export type Facts = { readonly [name in keyof VectorExpectation]: VectorExpectation[name] | undefined };

/** One vector: one input, one fault at the most. */
export interface Vector {
  readonly id: string;
  readonly comment: string;
  readonly rfc: readonly string[];
  readonly flags?: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly input: string;
  readonly at?: string;
  readonly me?: string;
  readonly policy?: VectorPolicy;
  /** The foreign client whose stanza it is. */
  readonly profile?: 'kontalk' | undefined;
  readonly context?: VectorContext;
  /** What is expected of the sender. */
  readonly contact?: { readonly sealed?: boolean; readonly keys?: readonly string[] };
  readonly before?: readonly EarlierStanza[];
  /** Since when the memory of accepted stanzas is complete; 2020 unless given. */
  readonly since?: string;
  /** How many stanzas that memory holds. */
  readonly maxEntries?: number;
  /** How failures are answered: `safe` unless given. */
  readonly replies?: 'off' | 'safe' | 'rfc3923';
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
  /** Certificates that are believed themselves; this and the lists below are DER in base64. */
  readonly certificates?: readonly string[];
  readonly intermediates?: readonly string[];
  readonly anchors?: readonly string[];
  readonly crls?: readonly string[];
  readonly revocation?: 'if-available' | 'required';
  readonly purpose?: 'sign' | 'key-transport' | 'key-agreement' | 'sign-crls' | 'any';
  readonly extendedKeyUsages?: readonly string[];
  /** Policy inputs of path validation (RFC 5280 section 6.1.1). */
  readonly policies?: {
    readonly initialPolicies?: readonly string[];
    readonly requireExplicitPolicy?: boolean;
    readonly inhibitPolicyMapping?: boolean;
    readonly inhibitAnyPolicy?: boolean;
  };
  readonly expect?: VectorExpectation;
}

/** Vectors that share an operation and its surroundings. */
export interface VectorGroup {
  readonly operation: VectorOperation;
  readonly backends?: readonly ('smime' | 'openpgp')[];
  /** Folder below `keys/`, laid out like a home. */
  readonly keys?: string;
  readonly me?: string;
  readonly policy?: VectorPolicy;
  readonly at?: string;
  /** Of every vector that has none of its own, as are the extended key usages. */
  readonly anchors?: readonly string[];
  readonly extendedKeyUsages?: readonly string[];
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
  group: ['operation', 'backends', 'keys', 'me', 'policy', 'at', 'anchors', 'extendedKeyUsages', 'tests'],
  test: [
    'id',
    'comment',
    'rfc',
    'flags',
    'result',
    'input',
    'at',
    'me',
    'policy',
    'profile',
    'context',
    'contact',
    'before',
    'since',
    'maxEntries',
    'replies',
    'repeat',
    'from',
    'to',
    'type',
    'messageId',
    'form',
    'bare',
    'protection',
    'backend',
    'certificates',
    'intermediates',
    'anchors',
    'crls',
    'revocation',
    'purpose',
    'extendedKeyUsages',
    'policies',
    'expect',
  ],
  expect: [
    'code',
    'stage',
    'reply',
    'output',
    'stanza',
    'form',
    'backend',
    'protection',
    'level',
    'sender',
    'identity',
    'claimedFrom',
    'time',
    'signed',
    'timeSource',
    'replay',
    'pin',
    'recipientBound',
    'recipients',
    'authenticated',
    'outside',
    'dropped',
    'exceptions',
    'outcome',
    'trust',
    'failing',
    'chain',
    'policies',
  ],
  policy: ['base', 'unsigned', 'untrustedSigner', 'unknownSigner', 'unboundRecipient', 'time', 'algorithms'],
  time: Object.keys(strictPolicy.time),
  algorithms: Object.keys(strictPolicy.algorithms),
  before: ['input', 'at', 'context', 'result'],
  context: ['retry', 'verify'],
  contact: ['sealed', 'keys'],
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
    knownPolicy(group['policy'], 'a group');
    for (const test of list(group['tests'])) {
      const id = String(test['id']);
      known(test, keys.test, id);
      if (typeof test['input'] !== 'string') throw new Error(`${id}: no input`);
      knownInside(test['expect'], keys.expect, id);
      knownPolicy(test['policy'], id);
      knownInside(test['context'], keys.context, id);
      knownInside(test['contact'], keys.contact, id);
      for (const earlier of list(test['before'] ?? [])) {
        known(earlier, keys.before, id);
        knownInside(earlier['context'], keys.context, id);
      }
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

function knownInside(value: unknown, names: readonly string[], where: string): void {
  if (typeof value === 'object' && value !== null) known(value as Record<string, unknown>, names, where);
}

function knownPolicy(value: unknown, where: string): void {
  if (typeof value !== 'object' || value === null) return;
  const policy = value as Record<string, unknown>;
  known(policy, keys.policy, where);
  knownInside(policy['time'], keys.time, where);
  knownInside(policy['algorithms'], keys.algorithms, where);
}

function list(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) throw new Error('a list is missing');
  return value as Record<string, unknown>[];
}
