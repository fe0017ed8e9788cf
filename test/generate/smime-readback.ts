/**
 * Writes, for smime-fixtures.sh, a signature by every key of a folder that signs and objects encrypted to every one that
 * can be encrypted to: `ours-NAME.signed`, `ours-NAME.gcm` and `ours-NAME.cbc` beside `NAME.pem` and `NAME.key`.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { encryptContent } from '../../src/cms/encrypt.ts';
import { signData } from '../../src/cms/sign.ts';
import { canEncryptTo, canSign } from '../../src/backends/smime/key-material.ts';
import { nodeCrypto as crypto } from '../../src/crypto/node.ts';
import { parsePrivateKey } from '../../src/crypto/private-key.ts';
import { defaultLimits } from '../../src/limits.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import { parsePem } from '../../src/x509/pem.ts';

const folder = process.argv[2]!;
const load = (name: string): Uint8Array => parsePem(readFileSync(`${folder}/${name}`)).at(-1)!.der;
const content = new Uint8Array(readFileSync(`${folder}/content`));

for (const file of readdirSync(folder)) {
  if (!file.endsWith('.key') || file.includes('root')) continue;
  const name = file.slice(0, -4);
  const certificate = parseCertificate(load(`${name}.pem`), defaultLimits);
  const identifier = { kind: 'issuer-and-serial', issuer: certificate.issuer.raw, serial: certificate.serial } as const;
  if (canSign(certificate)) {
    const signer = { privateKey: parsePrivateKey(load(file)), identifier };
    const certificates = [certificate.der];
    const signed = await signData({ content, detached: false, signer, certificates, signingTime: new Date(), crypto });
    writeFileSync(`${folder}/ours-${name}.signed`, signed);
  }
  if (canEncryptTo(certificate)) {
    const recipients = [{ publicKey: certificate.publicKey, identifier }];
    for (const cipher of ['aes256-gcm', 'aes128-cbc'] as const) {
      const sealed = await encryptContent({ content, recipients, cipher, crypto });
      writeFileSync(`${folder}/ours-${name}.${cipher.slice(-3)}`, sealed);
    }
  }
}
