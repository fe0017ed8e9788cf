/** Preloaded into a child: writes its peak resident set, in KiB, to file descriptor 3 when it ends. */
import { writeSync } from 'node:fs';
import process from 'node:process';

process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)));
