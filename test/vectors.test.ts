/** The shipped test vectors: their schema, their verdicts, and that the runner would notice a wrong one. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parseVectorFile, type Vector } from '../src/cli/vector-file.ts';
import { runVector, vectorScene } from '../src/cli/vector-run.ts';
import { vectorFiles } from '../src/cli/vectors.ts';
import { errorCodes } from '../src/errors.ts';

const root = fileURLToPath(new URL('../vectors/', import.meta.url));
const schema: unknown = JSON.parse(readFileSync(`${root}schema/vectors.v1.json`, 'utf8'));
const isVectorFile = new Ajv({ formats: { 'date-time': true }, allowUnionTypes: true }).compile(schema as object);
const files = vectorFiles(root);
const parsed = files.map((path) => parseVectorFile(readFileSync(path, 'utf8')));
const vectors = parsed.flatMap((file) => file.groups.flatMap((group) => group.tests));

/** No stanza can show these: they belong to keys that are locked, stores that fail, and sessions. */
const notInVectors = ['ERR_E2E_KEY_UNAVAILABLE', 'ERR_E2E_STORE_FAILED'];

function firstTest(file: Record<string, unknown>): Record<string, unknown> {
  return (file as unknown as { groups: { tests: Record<string, unknown>[] }[] }).groups[0]!.tests[0]!;
}

describe('the vectors as data', () => {
  it.each(files)('%s fits the schema', (path) => {
    isVectorFile(JSON.parse(readFileSync(path, 'utf8')));
    expect(isVectorFile.errors).toBeNull();
  });

  it('are at least 80, each with an id of its own', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(80);
    expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length);
  });

  it('have a refusal for every error code, and no code that does not exist', () => {
    const used = new Set(vectors.flatMap(({ expect: { code } = {} }) => (code === undefined ? [] : [code])));
    expect([...used].filter((code) => !(errorCodes as readonly string[]).includes(code))).toEqual([]);
    expect(errorCodes.filter((code) => !used.has(code))).toEqual(notInVectors);
  });

  it('say code and stage of every refusal', () => {
    const vague = vectors.filter((one) => one.result === 'invalid' && !(one.expect?.code && one.expect.stage));
    expect(vague.map(({ id }) => id)).toEqual([]);
  });

  it('have flags that point to notes', () => {
    for (const path of files) {
      const file = JSON.parse(readFileSync(path, 'utf8')) as { notes?: object; groups: { tests: Vector[] }[] };
      const flags = file.groups.flatMap(({ tests }) => tests.flatMap((one) => one.flags ?? []));
      for (const flag of flags) expect(Object.keys(file.notes ?? {}), relative(root, path)).toContain(flag);
    }
  });
});

describe.each(parsed)('$suite', ({ groups }) => {
  for (const group of groups) {
    const scene = vectorScene(group, root);
    it.each(group.tests)('$id', async (vector) => {
      expect(await runVector(vector, await scene)).toBeUndefined();
    });
  }
});

describe('the runner', () => {
  it('notices every expectation that is not met', async () => {
    for (const group of parsed.flatMap((file) => file.groups)) {
      const scene = await vectorScene(group, root);
      for (const vector of group.tests.filter(({ result }) => result !== 'acceptable')) {
        const turned = vector.result === 'valid' ? 'invalid' : 'valid';
        expect(await runVector({ ...vector, result: turned }, scene), vector.id).toBeDefined();
        for (const name of Object.keys(vector.expect ?? {})) {
          const wrong = { ...vector.expect, [name]: name === 'stanza' || name === 'reply' ? '<message/>' : 'wrong' };
          expect(await runVector({ ...vector, expect: wrong }, scene), `${vector.id} ${name}`).toBeDefined();
        }
      }
    }
  });

  it.each([
    ['another schema', (file: Record<string, unknown>) => (file['schema'] = 'vectors.v2')],
    ['an unknown key', (file: Record<string, unknown>) => (file['surprise'] = 1)],
    ['a rule that no policy has', (file: Record<string, unknown>) => (firstTest(file)['policy'] = { time: { w: 1 } })],
    ['a context that is none', (file: Record<string, unknown>) => (firstTest(file)['context'] = { retried: '' })],
    ['a stanza before that is none', (file: Record<string, unknown>) => (firstTest(file)['before'] = [{ stanza: '' }])],
    ['a wrong count', (file: Record<string, unknown>) => (file['count'] = 0)],
    ['no groups', (file: Record<string, unknown>) => delete file['groups']],
  ])('refuses a file with %s', (_, spoil) => {
    const file = JSON.parse(readFileSync(files[0]!, 'utf8')) as Record<string, unknown>;
    spoil(file);
    expect(() => parseVectorFile(JSON.stringify(file))).toThrow();
  });
});
