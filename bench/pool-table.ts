/** The rows of `pool.ts` as a table. */
import { markdown } from './markdown.ts';
import type { PoolRow } from './pool.ts';

/** The rows for people, in Markdown. */
export function poolTable(rows: readonly PoolRow[]): string {
  const cells = rows.map(({ backend, operation, threads, rate, processor }) => {
    const beside = (count: number): string => {
      const base = rows.find((one) => one.backend === backend && one.operation === operation && one.threads === count);
      return base === undefined || count >= threads ? '' : `${(rate / base.rate).toFixed(2)}x`;
    };
    const name = threads === 0 ? 'one thread' : `pool of ${threads}`;
    return [backend, operation, name, rate.toFixed(0), beside(0), beside(1), processor.toFixed(3)];
  });
  const head = ['backend', 'operation', 'how', 'stanzas/s', 'of one thread', 'of a pool of 1', 'processor ms/stanza'];
  return `${markdown(head, cells, 3)}\n`;
}
