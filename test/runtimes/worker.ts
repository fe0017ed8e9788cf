/** The worker: no document, no DOMParser. */
import { run } from './in-browser.ts';

run('worker').then(
  (report) => postMessage(report),
  (error: unknown) => postMessage({ failure: String((error as Error).stack) }),
);
