/** Where each target starts from: the test vectors, and what the fuzzer found before. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vector, VectorFile } from '../../src/cli/vector-file.ts';

const root = new URL('../../', import.meta.url).pathname;

/** The name and the octets of a file that a target is run on. */
export type Seed = readonly [name: string, octets: Uint8Array];

function files(folder: string): readonly Seed[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .sort()
    .map((name) => [name, readFileSync(join(path, name))] as const);
}

/** What the fuzzer found for a target and was kept. */
export function corpusOf(target: string): readonly Seed[] {
  return files(`test/fuzz/corpus/${target}`);
}

function vectorFiles(): readonly VectorFile[] {
  return ['formats', 'stanzas', 'smime', 'openpgp', 'x509'].flatMap((folder) =>
    files(`vectors/${folder}`).map(([, octets]) => JSON.parse(Buffer.from(octets).toString('utf8')) as VectorFile),
  );
}

function inputs(operations: readonly string[], only: (test: Vector) => boolean = () => true): Buffer[] {
  return vectorFiles()
    .flatMap(({ groups }) => groups.filter(({ operation }) => operations.includes(operation)))
    .flatMap(({ tests }) => tests.filter(only).map(({ input }) => Buffer.from(input)));
}

/** The inside of `<e2e/>`, as text. */
function sealed(): string[] {
  return inputs(['open']).flatMap((input) => {
    const inside = />([^<]*)<\/e2e>/.exec(input.toString('utf8'))?.[1];
    return inside === undefined ? [] : [inside.replaceAll('&#xD;', '').replaceAll('\n', '\r\n')];
  });
}

/** The octets of base64 in sealed objects. */
function binaries(): Buffer[] {
  return sealed().flatMap((entity) => {
    const body = /\r\n\r\n([A-Za-z0-9+/=\r\n]{100,})/.exec(entity)?.[1];
    return body === undefined ? [] : [Buffer.from(body, 'base64')];
  });
}

const starting: Readonly<Record<string, () => readonly Buffer[]>> = {
  xml: () => inputs(['xml', 'open', 'seal', 'map']),
  cpim: () => inputs(['reconstruct']).map((input) => input.subarray(Math.max(0, input.indexOf('\r\n\r\n') + 4))),
  mime: () => [...inputs(['reconstruct']), ...sealed().map((one) => Buffer.from(one))],
  pidf: () => inputs(['reconstruct']).map((input) => input.subarray(Math.max(0, input.indexOf('<?xml')))),
  payload: () => inputs(['reconstruct']),
  jid: () => inputs(['jid', 'uri', 'instant']),
  certificate: () => inputs(['path']).map((input) => Buffer.from(input.toString('latin1'), 'base64')),
  cms: () => [...binaries(), ...inputs(['entity']).map((input) => Buffer.from(input.toString('latin1'), 'base64'))],
  openpgp: () => sealed().flatMap((one) => (one.includes('BEGIN PGP') ? [Buffer.from(one)] : [])),
  stanza: () => inputs(['open']),
  vectors: () => files('vectors/stanzas').map(([, octets]) => Buffer.from(octets.subarray(0, 20_000))),
};

/** Every start of a target that is not longer than so many octets. */
export function seedsOf(target: string, maxLength = 8192): readonly Seed[] {
  const own = starting[target]?.() ?? [];
  const short = own.filter(({ length }) => length <= maxLength);
  return [...corpusOf(target), ...short.map((octets, i) => [`seed-${i}`, octets] as const)];
}
