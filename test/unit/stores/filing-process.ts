/** A process that files one identity: `node x.mjs HOME`. */
import { Jid } from '../../../src/jid/jid.ts';
import { directoryStore } from '../../../src/stores/directory.ts';

const store = await directoryStore(process.argv[2]!);
const files = { keys: Buffer.from('key'), certificates: Buffer.from('certificate') };
await store.fileIdentity(Jid.parse('juliet@example.com'), 'smime', files);
