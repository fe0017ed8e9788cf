/** The same messages by openpgp.js itself, as its documentation shows: keys read once, binary in and out. */
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
  const binary = { format: 'binary', config } as const;

  const makeSignature = async (): Promise<Uint8Array> =>
    openpgp.sign({ message: await message(), signingKeys, detached: true, ...binary }) as Promise<Uint8Array>;
  const encrypt = async (): Promise<Uint8Array> =>
    openpgp.encrypt({ message: await message(), encryptionKeys, ...binary }) as Promise<Uint8Array>;
  const seal = async (): Promise<Uint8Array> =>
    openpgp.encrypt({ message: await message(), encryptionKeys, signingKeys, ...binary }) as Promise<Uint8Array>;
  const signature = await makeSignature();
  const encrypted = await encrypt();
  const sealed = await seal();
  return {
    sign: makeSignature,
    encrypt,
    seal,
    verify: async () => {
      const read = await openpgp.readSignature({ binarySignature: signature });
      await openpgp.verify({
        message: await message(),
        signature: read,
        verificationKeys,
        expectSigned: true,
        ...binary,
      });
    },
    decrypt: async () =>
      openpgp.decrypt({ message: await openpgp.readMessage({ binaryMessage: encrypted }), decryptionKeys, ...binary }),
    open: async () => {
      const read = await openpgp.readMessage({ binaryMessage: sealed });
      await openpgp.decrypt({ message: read, decryptionKeys, verificationKeys, expectSigned: true, ...binary });
    },
  };
}
