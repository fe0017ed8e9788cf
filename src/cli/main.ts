#!/usr/bin/env node
/** The program `xmpp-e2e`. */

import { exitCodes } from './exit-codes.ts';
import { run } from './run.ts';

const { stdin, stdout, stderr, env } = process;
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader went away, as `head` does: that is its right, and no reason for noise.
    process.exit(error.code === 'EPIPE' ? exitCodes.BROKEN_PIPE : exitCodes.OTHER);
  });
}
process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, onInterrupt });
// An interrupted command may have left a read behind, which would keep the process.
stdin.destroy();

function onInterrupt(call: () => void): () => void {
  process.once('SIGINT', call);
  return () => process.off('SIGINT', call);
}
