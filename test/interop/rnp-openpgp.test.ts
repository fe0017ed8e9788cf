/** RNP and openpgp, both ways. It compresses, and writes partial lengths. */
import { expect } from 'vitest';
import { type Files, type Peer, testPeer } from './openpgp-peer.ts';

function home(files: Files): readonly string[] {
  return ['--homedir', files.folder];
}

const rnp: Peer = {
  import(files, { secretFile, certificateFile }) {
    files.run('rnpkeys', [...home(files), '--import', secretFile]);
    files.run('rnpkeys', [...home(files), '--import', certificateFile]);
  },
  verify(files, signature, data) {
    files.run('rnp', [...home(files), '--source', data, '--verify', signature]);
  },
  sign(files, data, { fingerprint }) {
    const out = `${data}.asc`;
    const how = ['--armor', '--detach', '--userid', fingerprint, '--output', out];
    files.run('rnp', [...home(files), '--password', '', ...how, '--sign', data]);
    return out;
  },
  encrypt(files, data, { fingerprint }, signer) {
    const out = `${data}.asc`;
    const sign = signer === undefined ? [] : ['--sign', '--userid', signer.fingerprint];
    const how = ['--password', '', '--armor', '--recipient', fingerprint, '--output', out];
    files.run('rnp', [...home(files), ...how, ...sign, '--encrypt', data]);
    return out;
  },
  decrypt(files, message, _me, signer) {
    const out = `${message}.out`;
    const args = [...home(files), '--password', '', '--output', out, '--decrypt', message];
    const words = files.words('rnp', args);
    if (signer !== undefined) expect(words).toMatch(/^Good signature made /m);
    return files.read(out);
  },
};

testPeer('rnp', '--version', () => rnp);
