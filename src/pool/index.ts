/** The entry `xmpp-e2e/pool`: opening and sealing in bulk on several threads. */

export type { BackendsModule } from './job.ts';
export {
  type PoolOpenOptions,
  type PoolSealOptions,
  type WorkerPool,
  workerPool,
  type WorkerPoolOptions,
} from './pool.ts';
