/** The page: runs everything itself, then in a worker. */
import { type Report, run } from './in-browser.ts';

declare global {
  interface Window {
    report?: { page: Report; worker: Report };
    failure?: string;
  }
}

const worker = new Worker('/worker.js', { type: 'module' });
const fromWorker = new Promise<Report>((resolve, reject) => {
  worker.addEventListener('message', ({ data }) => resolve(data as Report));
  worker.addEventListener('error', ({ message }) => reject(new Error(message)));
});

Promise.all([run('page'), fromWorker]).then(
  ([page, inWorker]) => (window.report = { page, worker: inWorker }),
  (error: unknown) => (window.failure = String((error as Error).stack)),
);
