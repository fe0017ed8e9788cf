/** A process that files identities and contacts again and again until it is killed: `node x.mjs HOME`. */
import { Jid } from '../../../src/jid/jid.ts';
import { directoryStore } from '../../../src/stores/directory.ts';

const store = await directoryStore(process.argv[2]!);
const jid = Jid.parse('juliet@example.com');
process.stdout.write('ready\n');
for (let i = 0; ; i++) {
  // Key and certificate carry one number and their own length, so that a reader can tell a torn or mixed pair.
  const filler = 'x'.repeat((i * 7919) % 70_000);
  const text = (name: string): Uint8Array => Buffer.from(`[${name} ${i} ${filler.length} ${filler}]\n`);
  await store.fileIdentity(jid, 'smime', { keys: text('key'), certificates: text('certificate') }, true);
  await store.fileCertificate(jid, 'smime', text('contact'), 'replace');
}
