/** Backends of a group of vectors, made in a worker. */
import type { SecurityBackend } from '../../../src/index.ts';
import type { VectorGroup } from '../../../src/cli/vector-file.ts';
import { vectorScene } from '../../../src/cli/vector-run.ts';

export async function backends({
  group,
  root,
}: {
  group: VectorGroup;
  root: string;
}): Promise<readonly SecurityBackend[]> {
  return (await vectorScene(group, root)).backends;
}
