/** Forgeries of CMS signatures that other verifiers have taken, made from signatures of somebody else. */
import { beforeAll, describe, expect, it } from 'vitest';
import { oids } from '../../src/asn1/oids.ts';
import { derContext, derOctetString, derOid, derSequence } from '../../src/asn1/writer.ts';
import { utf8 } from '../../src/bytes.ts';
import { signData } from '../../src/cms/sign.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { defaultLimits } from '../../src/limits.ts';
import type { KeyPair } from '../../src/crypto/provider.ts';
import { runs } from '../shared-data.ts';
import {
  attribute,
  byIssuer,
  codeOf,
  contentTypeAttribute,
  crypto,
  digestAttribute,
  keyPair,
  lax,
  signedMessage,
  strict,
  verdictOf,
} from '../unit/cms/support.ts';

const scheme = { scheme: 'ecdsa', hash: 'sha256' } as const;
let keys: KeyPair;

beforeAll(async () => {
  keys = await keyPair('p256');
});

const textOf = (i: number): Uint8Array => utf8(`Content-Type: text/plain\r\n\r\nmessage ${i}\r\n`);

async function sign(content: Uint8Array, signingTime?: Date): Promise<Uint8Array> {
  return signData({
    content,
    detached: true,
    signer: { privateKey: keys.privateKey, identifier: byIssuer },
    signingTime,
    crypto,
  });
}

describe('signed attributes presented as the content of a signature without them (RFC 5652 section 5.4)', () => {
  it('are taken under no policy', async () => {
    for (let i = 0; i < runs(100); i++) {
      const victim = parseSignedData(await sign(textOf(i), new Date(i * 1e9)), defaultLimits);
      const [signerInfo] = victim.signerInfos;
      const forged = signerInfo!.signedAttributes!.raw.slice();
      forged[0] = 0x31;
      // The signature fits these octets: a verifier that takes them has been deceived.
      expect(await crypto.verify(keys.publicKey, scheme, forged, signerInfo!.signature)).toBe(true);
      for (const inside of [true, false]) {
        const message = await signedMessage({
          keys,
          scheme,
          digest: 'sha256',
          attributes: null,
          signature: () => signerInfo!.signature,
          eContent: inside ? derOctetString(forged) : undefined,
        });
        const detached = inside ? undefined : forged;
        for (const policy of [strict, lax]) {
          expect(await verdictOf(message, keys.publicKey, { detached, policy })).toMatchObject({ outcome: 'bad' });
        }
      }
    }
  });
});

describe('content inside and beside (CVE-2018-18509)', () => {
  it('is bad, whichever of the two was signed', async () => {
    const right = textOf(1);
    const wrong = utf8('Content-Type: text/plain\r\n\r\nEVIL\r\n');
    const good = {
      keys,
      scheme,
      digest: 'sha256',
      attributes: [contentTypeAttribute, digestAttribute(right)],
    } as const;
    for (const [inside, beside] of [
      [right, wrong],
      [wrong, right],
      [right, right],
    ] as const) {
      const message = await signedMessage({ ...good, eContent: derOctetString(inside) });
      for (const policy of [strict, lax]) {
        expect(await verdictOf(message, keys.publicKey, { detached: beside, policy })).toMatchObject({
          outcome: 'bad',
        });
      }
    }
    const opaque = await signedMessage({ ...good, eContent: derOctetString(right) });
    expect(await verdictOf(opaque, keys.publicKey)).toMatchObject({ outcome: 'good' });
    expect(await verdictOf(await signedMessage(good), keys.publicKey, { detached: right })).toMatchObject({
      outcome: 'good',
    });
    // An empty one inside counts as one inside.
    const empty = await signedMessage({ ...good, eContent: derOctetString(new Uint8Array()) });
    expect(await verdictOf(empty, keys.publicKey, { detached: right })).toMatchObject({ outcome: 'bad' });
  });
});

describe('another type of content (a TSTInfo has had its own time believed)', () => {
  const types = [
    oids.tstInfo,
    oids.signedData,
    oids.envelopedData,
    oids.authEnvelopedData,
    oids.compressedData,
    oids.encryptedData,
    oids.authData,
    oids.digestedData,
    '1.2.840.113549.1.9.16.1.1',
    '1.3.6.1.4.1.311.2.1.4',
  ];

  it.each(types)('%s is bad', async (type) => {
    const content = textOf(1);
    for (const attributeType of [type, oids.data]) {
      const attributes = [attribute(oids.contentType, derOid(attributeType)), digestAttribute(content)];
      const message = await signedMessage({
        keys,
        scheme,
        digest: 'sha256',
        attributes,
        eContentType: type,
        eContent: derOctetString(content),
      });
      for (const policy of [strict, lax]) {
        expect(await verdictOf(message, keys.publicKey, { policy })).toMatchObject({ outcome: 'bad' });
      }
    }
    const bare = {
      keys,
      scheme,
      digest: 'sha256',
      attributes: null,
      signedOctets: content,
      eContentType: type,
    } as const;
    const message = await signedMessage({ ...bare, eContent: derOctetString(content) });
    expect(await verdictOf(message, keys.publicKey, { policy: lax })).toMatchObject({ outcome: 'bad' });
  });
});

describe('several signers, and none', () => {
  it('more than the limit are refused before anything is verified', async () => {
    const content = textOf(1);
    const attributes = [contentTypeAttribute, digestAttribute(content)];
    for (const signers of [2, 3, 1000]) {
      const message = await signedMessage({ keys, scheme, digest: 'sha256', attributes, signers });
      expect(await codeOf(() => verdictOf(message, keys.publicKey, { detached: content }))).toBe('LIMIT');
    }
    const none = await signedMessage({ keys, scheme, digest: 'sha256', signers: 0 });
    expect(parseSignedData(none, defaultLimits).signerInfos).toEqual([]);
  });
});

describe('the algorithms of a signature replaced', () => {
  it('are noticed by what the signer wrote about them (RFC 6211)', async () => {
    const content = textOf(1);
    const protection = derSequence(derSequence(derOid(oids.sha256)), derContext(1, derOid(oids.ecdsaWithSha256)));
    const attributes = [
      contentTypeAttribute,
      digestAttribute(content),
      attribute(oids.cmsAlgorithmProtect, protection),
    ];
    const message = await signedMessage({ keys, scheme, digest: 'sha256', attributes });
    expect(await verdictOf(message, keys.publicKey, { detached: content })).toMatchObject({ outcome: 'good' });
    // SHA-512 in both places is consistent in itself; the protection still says SHA-256.
    const swapped = await signedMessage({
      keys,
      scheme: { scheme: 'ecdsa', hash: 'sha512' },
      digest: 'sha512',
      attributes: [
        contentTypeAttribute,
        digestAttribute(content, 'sha512'),
        attribute(oids.cmsAlgorithmProtect, protection),
      ],
    });
    expect(await verdictOf(swapped, keys.publicKey, { detached: content })).toMatchObject({ outcome: 'bad' });
  });
});

describe('one signature, one message', () => {
  it('no signature fits another message or another key', async () => {
    const other = await keyPair('p256', 'somebody else');
    for (let i = 0; i < runs(50); i++) {
      const message = await sign(textOf(i));
      expect(await verdictOf(message, keys.publicKey, { detached: textOf(i) })).toMatchObject({ outcome: 'good' });
      expect(await verdictOf(message, keys.publicKey, { detached: textOf(i + 1) })).toMatchObject({ outcome: 'bad' });
      expect(await verdictOf(message, other.publicKey, { detached: textOf(i) })).toMatchObject({ outcome: 'bad' });
    }
  });
});
