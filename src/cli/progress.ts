/** How far a long run is: on a terminal, and only where it takes long enough for somebody to wonder. */

import type { Io } from './io.ts';

const patience = 1000;
const interval = 500;

/** Counts answers and shows the count. */
export interface Progress {
  readonly failed: number;
  count(ok: boolean): void;
  end(): void;
}

/** Begins a count. Where stderr is no terminal nothing is ever shown. */
export function progress(io: Io, name: string): Progress {
  const started = performance.now();
  let ok = 0;
  let failed = 0;
  let shown = false;
  const show = (): void => {
    const seconds = (performance.now() - started) / 1000;
    const rate = Math.round((ok + failed) / seconds);
    io.stderr.write(
      `\r\u001b[K${name}  ${ok.toLocaleString('en')} ok  ${failed.toLocaleString('en')} failed  ${rate}/s`,
    );
    shown = true;
  };
  let timer: NodeJS.Timeout | undefined;
  if (io.stderr.isTTY === true) {
    timer = setTimeout(() => {
      show();
      timer = setInterval(show, interval);
    }, patience);
  }
  return {
    get failed() {
      return failed;
    },
    count(good) {
      if (good) ok++;
      else failed++;
    },
    end() {
      clearTimeout(timer);
      if (!shown) return;
      show();
      io.stderr.write('\n');
    },
  };
}
