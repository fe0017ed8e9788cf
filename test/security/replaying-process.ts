/**
 * Opens one stanza again and again with a replay file: `node x.mjs SCENE STORE COUNT [START]`. A line for each opening:
 * `delivered` or the code. Nothing is opened before START, in milliseconds since 1970, so that several processes meet.
 */
import { readFileSync } from 'node:fs';
import { openpgp } from '../../src/backends/openpgp/index.ts';
import { smime } from '../../src/backends/smime/index.ts';
import { E2eError, Jid, openStanza, ReplayGuard } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { fileReplayStore } from '../../src/stores/node.ts';

/** What the test writes down for the process; octets in base64. */
export interface Scene {
  readonly backend: 'smime' | 'openpgp';
  readonly me: string;
  readonly keys: string;
  readonly certificates: string;
  readonly contact: string;
  readonly contactCertificates: string;
  readonly at: string;
  readonly stanza: string;
}

const [, , scenePath, storePath, count, begin = '0'] = process.argv;
const scene = JSON.parse(readFileSync(scenePath!, 'utf8')) as Scene;
const octets = (text: string): Uint8Array => Buffer.from(text, 'base64');

const store = memoryStore();
const me = Jid.parse(scene.me);
store.addIdentity(me, scene.backend, { keys: octets(scene.keys), certificates: octets(scene.certificates) });
store.fileCertificate(Jid.parse(scene.contact), scene.backend, octets(scene.contactCertificates));
const backends = [scene.backend === 'smime' ? smime({ store }) : openpgp({ store })];
const replay = new ReplayGuard(fileReplayStore(storePath!));

while (Date.now() < Number(begin)) await new Promise((resolve) => setTimeout(resolve, 1));
for (let i = 0; i < Number(count); i++) {
  const outcome = await openStanza(scene.stanza, { backends, me, at: new Date(scene.at), replay }).then(
    () => 'delivered',
    (error: unknown) => (error instanceof E2eError ? error.code : `raw ${String(error)}`),
  );
  process.stdout.write(`${outcome}\n`);
}
