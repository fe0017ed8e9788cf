/** What Jazzer.js loads: the target that FUZZ_TARGET names. */
import { targets } from './targets.ts';

const target = targets[process.env['FUZZ_TARGET'] ?? ''];
if (target === undefined) throw new Error(`FUZZ_TARGET must be one of ${Object.keys(targets).join(', ')}`);

export const fuzz: (data: Uint8Array) => void | Promise<void> = (data) => target(new Uint8Array(data));
