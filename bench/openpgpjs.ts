/** The same messages by openpgp.js itself, as its documentation shows: keys read once, octets in, armor out, and back. */
import * as openpgp from 'openpgp';
import type { Contender } from './contender.ts';
import type { Pair } from './people.ts';

export async function openpgpjsContender(pair: Pair, content: Uint8Array): Promise<Contender> {
  const { v6 } = pair.kind;
  const config: openpgp.PartialConfig = v6 ? { aeadProtect: true, preferredAEADAlgorithm: openpgp.enums.aead.gcm } : {};
  const { sender, recipient } = pair;
  const signingKeys = await openpgp.readPrivateKey({ armoredKey: sender.files.keys });
  const verificationKeys = signingKeys.toPublic();
  const decryptionKeys = await openpgp.readPrivateKey({ armoredKey: recipient.files.keys });
  const encryptionKeys = decryptionKeys.toPublic();
  const message = (): Promise<openpgp.Message<Uint8Array>> => openpgp.createMessage({ binary: content });

  const decryption = { decryptionKeys, format: 'binary', config } as const;

  const makeSignature = async (): Promise<string> =>
    openpgp.sign({ message: await message(), signingKeys, detached: true, config }) as Promise<string>;
  const encrypt = async (): Promise<string> =>
    openpgp.encrypt({ message: await message(), encryptionKeys, config }) as Promise<string>;
  const seal = async (): Promise<string> =>
    openpgp.encrypt({ message: await message(), encryptionKeys, signingKeys, config }) as Promise<string>;
  const signature = await makeSignature();
  const encrypted = await encrypt();
  const sealed = await seal();
  return {
    sign: makeSignature,
    encrypt,
    seal,
    verify: async () => {
      const read = await openpgp.readSignature({ armoredSignature: signature });
      await openpgp.verify({
        message: await message(),
        signature: read,
        verificationKeys,
        expectSigned: true,
        format: 'binary',
        config,
      });
    },
    decrypt: async () =>
      openpgp.decrypt({ message: await openpgp.readMessage({ armoredMessage: encrypted }), ...decryption }),
    open: async () => {
      const read = await openpgp.readMessage({ armoredMessage: sealed });
      await openpgp.decrypt({ message: read, verificationKeys, expectSigned: true, ...decryption });
    },
  };
}
