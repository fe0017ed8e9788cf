/** The entry `xmpp-e2e/stores/node`: stores in files. */

export {
  type DirectoryStore,
  directoryStore,
  type DirectoryStoreOptions,
  type FileMode,
  type IdentityFiles,
} from './directory.ts';
export { checkHome, type Home, prepareHome } from './home.ts';
export { type FileReplayOptions, type FileReplayStore, fileReplayStore } from './replay-file.ts';
export { type FileClock, fileClock } from './clock-file.ts';
export { type FilePinStore, filePinStore } from './pin-file.ts';
export { type FileContactMemory, fileContactMemory } from './contact-file.ts';
