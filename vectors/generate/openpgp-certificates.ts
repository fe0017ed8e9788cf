/** Vectors of senders whose certificates have one peculiarity each. */
import * as library from 'openpgp';
import type { Vector } from '../../src/cli/vector-file.ts';
import {
  encryptPackets,
  inlineSigned,
  type KeyPacket,
  makeSignature,
  type SignatureFields,
} from '../../test/unit/openpgp/forge.ts';
import { born, cpim, file, generate, now, rfc, stanza } from './openpgp-cast.ts';
import { juliet } from './people.ts';
import { invalid, valid } from './suite.ts';

const { signature: types, reasonForRevocation: reasons, keyFlags, hash } = library.enums;

/**
 * Messages to a reader, each from a sender of its own.
 *
 * @param stranger a key that certifies what is not its own
 */
export async function certificateVectors(reader: library.PrivateKey, stranger: library.PrivateKey): Promise<Vector[]> {
  const certificates: Vector[] = [];
  /** A sender whose certificate has one peculiarity. */
  const sender = async (
    id: string,
    comment: string,
    section: string,
    verdict: readonly [code: string, stage: string] | undefined,
    spoil: (key: library.PrivateKey, jid: string) => Promise<KeyPacket | undefined>,
    { userId, options = {} }: { userId?: (jid: string) => string; options?: object } = {},
  ): Promise<void> => {
    const jid = `${id}@example.com`;
    const own = await generate(userId?.(jid) ?? `xmpp:${jid}`, options);
    const signer = (await spoil(own, jid)) ?? own.keyPacket;
    file(jid, own);
    const input = stanza(jid, await encryptPackets(await inlineSigned(cpim(jid), signer, { at: now }), [reader]));
    const name = `openpgp::certificate::${id}`;
    certificates.push(
      verdict === undefined
        ? valid(name, comment, rfc(section), { input, expect: { sender: jid } })
        : invalid(name, comment, rfc(section), verdict[0], verdict[1], { input }),
    );
  };
  const untrusted = ['SIGNER_UNTRUSTED', 'verify'] as const;
  const wrong = ['SIGNATURE_INVALID', 'verify'] as const;
  const weak = ['WEAK_ALGORITHM', 'verify'] as const;
  const nothing = (): Promise<undefined> => Promise.resolve(undefined);
  const certify = async (own: library.PrivateKey, fields: Partial<SignatureFields>): Promise<undefined> => {
    const over = { key: own.keyPacket, userID: own.users[0]!.userID };
    own.users[0]!.selfCertifications = [
      await makeSignature(own.keyPacket, over, { type: 0x13, at: born, flags: 3, ...fields }),
    ];
    return undefined;
  };
  const revoke = async (own: library.PrivateKey, fields: Partial<SignatureFields>): Promise<undefined> => {
    const fieldsOf = { type: types.keyRevocation, at: new Date('2026-06-01T00:00:00Z'), ...fields };
    own.revocationSignatures.push(await makeSignature(own.keyPacket, { key: own.keyPacket }, fieldsOf));
    return undefined;
  };
  const after = new Date('2026-12-01T00:00:00Z');
  await sender('named', 'a User ID in angle brackets after a name', '5.11', undefined, nothing, {
    userId: (jid) => `N <xmpp:${jid}>`,
  });
  await sender('mail', 'a mail address is no JID', '5.11', untrusted, nothing, { userId: (jid) => `M <${jid}>` });
  await sender('plain', 'a JID without xmpp:', '5.11', untrusted, nothing, { userId: (jid) => jid });
  await sender('upper', 'a JID that is not in enforced form', '5.11', untrusted, nothing, {
    userId: (jid) => `xmpp:${jid.toUpperCase()}`,
  });
  await sender('other', 'a certificate that names Juliet', '5.11', untrusted, nothing, {
    userId: () => `xmpp:${juliet}`,
  });
  await sender('uid-revoked', 'a revoked User ID', '5.2.1.14', untrusted, async (own) => {
    const over = { key: own.keyPacket, userID: own.users[0]!.userID };
    const fields = { type: types.certRevocation, at: born, reason: reasons.userIDInvalid };
    own.users[0]!.revocationSignatures.push(await makeSignature(own.keyPacket, over, fields));
    return undefined;
  });
  await sender('uid-foreign', 'a User ID certified by somebody else', '10.1', wrong, async (own) => {
    const over = { key: own.keyPacket, userID: own.users[0]!.userID };
    own.users[0]!.selfCertifications = [
      await makeSignature(stranger.keyPacket, over, { type: 0x13, at: born, flags: 3 }),
    ];
    return undefined;
  });
  await sender('expired', 'a key that has expired', '5.2.3.13', untrusted, nothing, { options: { lifetime: 3600 } });
  await sender('compromised', 'a key revoked as compromised', '5.2.3.31', untrusted, (own) =>
    revoke(own, { reason: reasons.keyCompromised }),
  );
  await sender('compromised-later', 'compromise has no time limit', '5.2.3.31', untrusted, (own) =>
    revoke(own, { reason: reasons.keyCompromised, at: after }),
  );
  await sender('superseded', 'a key superseded before', '5.2.3.31', untrusted, (own) =>
    revoke(own, { reason: reasons.keySuperseded }),
  );
  await sender('superseded-later', 'a key superseded afterwards', '5.2.3.31', undefined, (own) =>
    revoke(own, { reason: reasons.keySuperseded, at: after }),
  );
  await sender('no-flags', 'a key without flags', '5.2.3.29', wrong, (own) => certify(own, { flags: 0 }));
  await sender('certify-only', 'a key that may only certify', '5.2.3.29', wrong, (own) =>
    certify(own, { flags: keyFlags.certifyKeys }),
  );
  await sender('unhashed-flags', 'flags in the unhashed area', '5.2.3.29', wrong, (own) =>
    certify(own, { flags: 1, unhashed: [{ type: 27, body: Uint8Array.of(3) }] }),
  );
  await sender('sha1', 'a self-signature with SHA-1', '9.5', weak, (own) => certify(own, { hash: hash.sha1 }), {
    options: { rsa: true },
  });
  const bind = async (own: library.PrivateKey, back: 'none' | 'primary' | 'subkey'): Promise<KeyPacket> => {
    const subkey = own.subkeys[0]!;
    const over = { key: own.keyPacket, bind: subkey.keyPacket };
    const signer = back === 'subkey' ? subkey.keyPacket : own.keyPacket;
    const embedded =
      back === 'none' ? {} : { embedded: await makeSignature(signer, over, { type: types.keyBinding, at: born }) };
    subkey.bindingSignatures = [
      await makeSignature(own.keyPacket, over, {
        type: types.subkeyBinding,
        at: born,
        flags: keyFlags.signData,
        ...embedded,
      }),
    ];
    return subkey.keyPacket;
  };
  const signing = { options: { signing: true } };
  await sender(
    'subkey',
    'a signing subkey that signed back',
    '5.2.1.9',
    undefined,
    (own) => bind(own, 'subkey'),
    signing,
  );
  await sender(
    'subkey-alone',
    'a signing subkey without back-signature',
    '5.2.1.9',
    wrong,
    (own) => bind(own, 'none'),
    signing,
  );
  await sender(
    'subkey-primary',
    'a back-signature by the primary key',
    '5.2.1.9',
    wrong,
    (own) => bind(own, 'primary'),
    signing,
  );
  return certificates;
}
