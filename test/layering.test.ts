/** The rooms of src/ and the only ways the arrows between them may point: imports go down. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

const ground = ['errors', 'limits', 'bytes', 'time'];
/** What each room may import besides its own files. */
const below: Record<string, readonly string[]> = {
  errors: [],
  limits: [],
  octets: [],
  bytes: ['errors', 'octets'],
  time: [],
  xml: ground,
  jid: ground,
  mime: ground,
  payload: [...ground, 'xml', 'jid', 'mime'],
  asn1: ground,
  crypto: [...ground, 'asn1'],
  cms: [...ground, 'crypto', 'asn1'],
  x509: [...ground, 'crypto', 'asn1', 'jid'],
  'backends/backend': [...ground, 'jid', 'mime'],
  'backends/backend-contract': [...ground, 'backends/backend', 'jid', 'mime'],
  'backends/smime': [...ground, 'backends/backend', 'jid', 'mime', 'crypto', 'asn1', 'cms', 'x509'],
  'backends/openpgp': [...ground, 'backends/backend', 'jid', 'mime', 'crypto'],
  e2e: [...ground, 'backends/backend', 'xml', 'jid', 'mime', 'payload', 'crypto'],
  profiles: [...ground, 'backends/backend', 'xml', 'jid', 'payload', 'e2e'],
  stores: [...ground, 'backends/backend', 'jid', 'e2e'],
  formats: [...ground, 'xml', 'jid', 'mime', 'payload'],
  index: [...ground, 'backends/backend', 'xml', 'jid', 'payload', 'e2e'],
  adapters: ['index'],
  pool: ['index', 'e2e'],
  cli: ['index', 'formats', 'profiles', 'backends/smime', 'backends/openpgp', 'stores', 'pool', 'adapters'],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function room(file: string): string {
  const path = relative(src, file).split('\\').join(posix.sep).replace(/\.ts$/, '');
  const parts = path.split('/');
  if (parts[0] === 'backends') return parts.slice(0, 2).join('/');
  return parts[0]!;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(src, name));

const imports: Import[] = files.flatMap((from) => {
  const text = readFileSync(from, 'utf8');
  const found = text.matchAll(
    /^(import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm,
  );
  return [...found].flatMap((match) => {
    const target = match[3] ?? match[4] ?? match[5]!;
    if (target.startsWith('#')) return [{ from, to: join(src, target.slice(1), 'node.ts'), typeOnly: false }];
    if (!target.startsWith('.')) return [];
    return [{ from, to: resolve(dirname(from), target), typeOnly: match[2] !== undefined }];
  });
});

describe('layering', () => {
  it('knows every room', () => {
    expect([...new Set(files.map(room))].filter((name) => !Object.hasOwn(below, name))).toEqual([]);
  });

  it('imports only rooms below', () => {
    const breaches = imports
      .filter(({ from, to }) => room(from) !== room(to) && !below[room(from)]?.includes(room(to)))
      .map(({ from, to }) => `${relative(src, from)} imports ${relative(src, to)}`);
    expect(breaches).toEqual([]);
  });

  it('has no cycle of files', () => {
    const edges = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) if (!typeOnly) edges.set(from, [...(edges.get(from) ?? []), to]);
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file))
        cycles.push([...path.slice(path.indexOf(file)), file].map((f) => relative(src, f)).join(' > '));
      if (done.has(file) || path.includes(file)) return;
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });
});
