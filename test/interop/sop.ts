/** Programs with the Stateless OpenPGP command line (draft-dkg-openpgp-stateless-cli). */
import { writeFileSync } from 'node:fs';
import type { Peer } from './openpgp-peer.ts';

export function sop(program: string): Peer {
  return {
    import: () => undefined,
    verify(files, signature, data, { certificateFile }) {
      files.run(program, ['verify', signature, certificateFile], files.read(data));
    },
    sign(files, data, { secretFile }) {
      const out = `${data}.asc`;
      writeFileSync(out, files.run(program, ['sign', secretFile], files.read(data)));
      return out;
    },
    encrypt(files, data, { certificateFile }, signer) {
      const out = `${data}.asc`;
      const sign = signer === undefined ? [] : [`--sign-with=${signer.secretFile}`];
      writeFileSync(out, files.run(program, ['encrypt', ...sign, certificateFile], files.read(data)));
      return out;
    },
    decrypt(files, message, { secretFile }, signer) {
      if (signer === undefined) return files.run(program, ['decrypt', secretFile], files.read(message));
      const report = `${message}.verifications`;
      const verify = [`--verify-with=${signer.certificateFile}`, `--verify-out=${report}`];
      const plain = files.run(program, ['decrypt', ...verify, secretFile], files.read(message));
      const verified = Buffer.from(files.read(report)).toString().toLowerCase();
      if (!verified.includes(signer.fingerprint)) throw new Error(`${program} verified nothing: ${verified}`);
      return plain;
    },
  };
}
