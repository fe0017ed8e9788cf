/** Keys and messages of rPGP and GopenPGP, with the verdicts that come with them. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeCertificate, openEntity, openpgp } from '../../../src/backends/openpgp/index.ts';
import { exportKeys } from '../../../src/backends/openpgp/export.ts';
import { utf8 } from '../../../src/bytes.ts';
import { bareEntity } from '../../../src/mime/entity.ts';
import { corpus, corpusJson, hasCorpus } from '../../shared-data.ts';
import { call, romeo as romeoJid, storeOf, text } from './scene.ts';

interface KeyCase {
  readonly directory: string;
  readonly key: {
    readonly file: string;
    readonly version: number;
    readonly accepted: boolean;
    readonly fingerprint?: string;
  };
  readonly messages: readonly {
    readonly file: string;
    readonly operation: 'decrypt' | 'verify';
    readonly ok: boolean;
    readonly plaintext?: string;
  }[];
}

const rpgp = 'openpgp-rfc9580';

/**
 * Where we are stricter: SEIPD version 1 with a version 3 session key packet to a version 6 key is fine, but the
 * cleartext signature framework is refused whatever its signature (RFC 3156 section 2).
 */
const cleartextRefused = /\/csf\.msg$/;

describe.skipIf(!hasCorpus(rpgp))('rPGP', () => {
  const { cases } = hasCorpus(rpgp)
    ? (corpusJson(`${rpgp}/expected.json`) as { cases: readonly KeyCase[] })
    : { cases: [] };

  it.each(cases)('$directory', async ({ key, messages }) => {
    const secret = new Uint8Array(corpus(`${rpgp}/${key.file}`));
    const at = new Date('2026-01-01T00:00:00Z');
    if (key.accepted) {
      const certificate = utf8(await exportKeys(secret));
      expect(await describeCertificate(certificate, { at })).toMatchObject({ fingerprint: key.fingerprint });
    } else {
      await expect(exportKeys(secret)).rejects.toMatchObject({ name: 'E2eError' });
    }
    const backend = openpgp({ store: storeOf({ jid: romeoJid, secret }, []) });
    for (const { file, operation, ok, plaintext } of messages) {
      const entity = bareEntity(new Uint8Array(corpus(`${rpgp}/${file}`)));
      const request = { ...call({ at }), entity, me: romeoJid, sender: undefined };
      if (operation === 'verify') {
        expect(file).toMatch(cleartextRefused);
        expect(backend.recognize(entity)).toBeUndefined();
        await expect(backend.verify(request)).rejects.toMatchObject({ code: 'ERR_E2E_UNSUPPORTED' });
        continue;
      }
      if (!ok) {
        await expect(backend.decrypt(request), file).rejects.toMatchObject({ name: 'E2eError' });
        continue;
      }
      const opened = await backend.decrypt(request);
      expect(text(opened.content), file).toBe(plaintext);
      expect(opened, file).toMatchObject({ signatures: undefined, encryption: { aead: true } });
      await expect(
        openEntity(entity, { at, keys: [{ keys: secret, certificates: new Uint8Array() }] }),
        file,
      ).rejects.toMatchObject({ code: 'ERR_E2E_UNSIGNED' });
    }
  });
});

interface MimeCase {
  readonly file: string;
  readonly outerSignature: string;
  readonly innerSignature: string;
  readonly everySignatureGood: boolean;
  readonly plaintextSha256: string;
}

const gopenpgp = 'pgp-mime';

const codes: Readonly<Record<string, string>> = {
  'unknown-key': 'ERR_E2E_SIGNER_UNKNOWN',
  bad: 'ERR_E2E_SIGNATURE_INVALID',
};

describe.skipIf(!hasCorpus(gopenpgp))('GopenPGP: a signature outside, inside, both or none', () => {
  const expected = (hasCorpus(gopenpgp) ? corpusJson(`${gopenpgp}/expected.json`) : { cases: [] }) as {
    readonly decryptionKey: { readonly file: string; readonly passphrase: string };
    readonly verificationKey: { readonly file: string; readonly userId: string };
    readonly evaluateAt: string;
    readonly cases: readonly MimeCase[];
  };

  it.each(expected.cases)('$file: outer $outerSignature, inner $innerSignature', async (one) => {
    const { file, outerSignature, innerSignature, everySignatureGood, plaintextSha256 } = one;
    const { decryptionKey, verificationKey, evaluateAt } = expected;
    const opened = openEntity(new Uint8Array(corpus(`${gopenpgp}/${file}`)), {
      at: new Date(evaluateAt),
      keys: [
        {
          keys: new Uint8Array(corpus(`${gopenpgp}/${decryptionKey.file}`)),
          certificates: new Uint8Array(),
          passphrase: () => Promise.resolve(decryptionKey.passphrase),
        },
      ],
      certificates: [new Uint8Array(corpus(`${gopenpgp}/${verificationKey.file}`))],
      // The inner entities start with a notice in front of their first part.
      policy: { surround: 'skip' },
      identity: (userIds) => userIds.includes(verificationKey.userId),
    });
    const unsigned = outerSignature === 'not-signed' && innerSignature === 'not-signed';
    const code = codes[outerSignature] ?? codes[innerSignature] ?? (unsigned ? 'ERR_E2E_UNSIGNED' : undefined);
    expect(everySignatureGood).toBe(code === undefined);
    if (code !== undefined) {
      await expect(opened).rejects.toMatchObject({ code });
      return;
    }
    const { content, signatures } = await opened;
    const inner = innerSignature === 'ok';
    expect(signatures).toHaveLength(Number(outerSignature === 'ok') + Number(inner));
    // An inner signature covers less than the plaintext of the whole.
    const digest = createHash('sha256').update(content).digest('hex');
    expect(digest === plaintextSha256).toBe(!inner);
  });

  it('text in front of a signed part is refused unless it is asked to be skipped', async () => {
    const { decryptionKey, verificationKey, evaluateAt } = expected;
    const keys = new Uint8Array(corpus(`${gopenpgp}/${decryptionKey.file}`));
    const passphrase = () => Promise.resolve(decryptionKey.passphrase);
    const options = {
      at: new Date(evaluateAt),
      keys: [{ keys, certificates: new Uint8Array(), passphrase }],
      certificates: [new Uint8Array(corpus(`${gopenpgp}/${verificationKey.file}`))],
    };
    for (const file of ['scenario_00.asc', 'scenario_10.asc']) {
      const message = new Uint8Array(corpus(`${gopenpgp}/${file}`));
      await expect(openEntity(message, options)).rejects.toMatchObject({ code: 'ERR_E2E_MALFORMED' });
    }
  });
});
