/** The entry `xmpp-e2e/stores`: stores that work everywhere. */

export { type MemoryStore, memoryStore } from './memory.ts';
export { memoryReplayStore, type MemoryReplayOptions } from '../e2e/replay.ts';
export { memoryPinStore } from '../e2e/pins.ts';
