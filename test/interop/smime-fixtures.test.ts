/**
 * Signatures and encrypted objects of OpenSSL 3.6 and of Bouncy Castle 1.86, which have what the programs of the system
 * lack: Ed25519 (RFC 8419), ML-DSA (RFC 9882), ML-KEM (RFC 9629, RFC 9936), X25519 (RFC 8418), and authenticated
 * attributes (RFC 5083 section 2.2). test/generate/smime-fixtures.sh makes them, and has both read what we write to and
 * for the same keys. Where the runtime lacks ML-DSA or ML-KEM, each is a refusal with UNSUPPORTED.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openEntity, type OpenEntityOptions, type OpenedEntity } from '../../src/backends/smime/index.ts';
import { equalBytes, indexOfBytes, utf8 } from '../../src/bytes.ts';
import { parseEnveloped } from '../../src/cms/enveloped-data.ts';
import { parseSignedData } from '../../src/cms/signed-data.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { CryptoProvider } from '../../src/crypto/provider.ts';
import { webCrypto } from '../../src/crypto/web.ts';
import { E2eError } from '../../src/errors.ts';
import { Jid } from '../../src/jid/jid.ts';
import { defaultLimits } from '../../src/limits.ts';
import { bareEntity } from '../../src/mime/entity.ts';
import { ci } from '../shared-data.ts';
import { multipartSigned } from '../unit/smime/forge.ts';
import { backendOf, entityOf, type Person, strict } from '../unit/smime/support.ts';

const folder = fileURLToPath(new URL('smime-fixtures', import.meta.url));
const providers: Readonly<Record<string, CryptoProvider>> = { 'node:crypto': nodeCrypto, WebCrypto: webCrypto() };

/** What each folder holds: without this list a fixture that went would be missed by nobody. */
const expected: Readonly<Record<string, { readonly signers: readonly string[]; readonly sealed: readonly string[] }>> =
  {
    bouncycastle: {
      signers: ['ed25519', 'ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'],
      sealed: [
        ...[
          'ml-kem-1024.cbc',
          'ml-kem-1024.gcm',
          'ml-kem-512.cbc',
          'ml-kem-512.gcm',
          'ml-kem-768.cbc',
          'ml-kem-768.gcm',
        ],
        ...['p-256.attributes', 'p-256.cbc', 'p-256.gcm', 'p-256.ukm', 'p-256.unauthenticated'],
        ...['p-384.cbc', 'p-384.gcm', 'p-384.ukm', 'p-521.cbc', 'p-521.gcm', 'p-521.ukm'],
        ...['rsa-2048.attributes', 'rsa-2048.cbc', 'rsa-2048.gcm', 'rsa-2048.unauthenticated'],
        ...['x25519.attributes', 'x25519.cbc', 'x25519.gcm', 'x25519.unauthenticated'],
      ],
    },
    openssl: {
      signers: ['ed25519', 'ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'],
      sealed: ['512', '768', '1024'].flatMap((set) => [`ml-kem-${set}.cbc`, `ml-kem-${set}.gcm`, `ml-kem-${set}.ukm`]),
    },
  };

const codeOf = async (operation: Promise<unknown>): Promise<string> =>
  operation.then(
    () => 'no error',
    (error: unknown) => (error instanceof E2eError ? error.code : String(error)),
  );

/** Whether a provider can use the key of a fixture: WebCrypto takes none that is there without its seed. */
function usable(name: string, crypto: CryptoProvider, expandedOnly: boolean): boolean {
  const feature = name.startsWith('ml-dsa') ? 'ml-dsa-verify' : name.startsWith('ml-kem') ? 'ml-kem' : undefined;
  return feature === undefined || (crypto.supports(feature) && !(expandedOnly && crypto.name === 'web'));
}

/** Rows for what the runtime has, and for what it lacks: none of them is left out without another in its place. */
function where(condition: boolean): (name: string, check: () => Promise<void>) => void {
  return (name, check) => {
    if (condition) it(name, check);
  };
}

it('are all here', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(expected));
});

describe.each(Object.keys(expected))('%s', (writer) => {
  const { signers, sealed } = expected[writer]!;
  const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`${folder}/${writer}/${name}`));
  const at = new Date(Buffer.from(file('at')).toString().trim());
  const content = file('content');
  const anchors = ['root.pem', 'lattice-root.pem']
    .filter((name) => existsSync(`${folder}/${writer}/${name}`))
    .map(file);

  it('has what is listed', () => {
    const names = readdirSync(`${folder}/${writer}`);
    expect(names.filter((name) => name.endsWith('.signed')).sort()).toEqual(signers.map((name) => `${name}.signed`));
    const kinds = /\.(cbc|gcm|ukm|attributes|unauthenticated)$/;
    expect(names.filter((name) => kinds.test(name) && name !== 'everybody.gcm').sort()).toEqual([...sealed].sort());
  });

  describe.each(Object.entries(providers))('with %s', (_name, crypto) => {
    describe.each(signers)('signed with %s', (name) => {
      const forms: readonly [string, Uint8Array][] = [
        ['opaque', bareEntityBytes(file(`${name}.signed`))],
        ['detached', multipartSigned(content, file(`${name}.detached`))],
      ];
      const trusts: readonly [string, Partial<OpenEntityOptions>][] = [
        ['its certificate', { certificates: [file(`${name}.pem`)] }],
        ['its CA', { trust: { anchors } }],
      ];
      const able = usable(name, crypto, false);

      where(able)('opens, by its certificate and by its CA', async () => {
        for (const [form, entity] of forms) {
          for (const [trust, options] of trusts) {
            const opened = await openEntity(entity, { at, crypto, ...options });
            expect(opened.content, `${form} ${trust}`).toEqual(content);
            expect(opened.names?.jids).toEqual(['juliet@example.com']);
            expect(opened.signatures[0]?.algorithm).toBe(name);
          }
        }
      });

      where(able)('is refused by somebody else’s certificate, and with another content', async () => {
        for (const [, entity] of forms) {
          const other = signers.find((one) => one !== name)!;
          expect(await codeOf(openEntity(entity, { at, crypto, certificates: [file(`${other}.pem`)] }))).toBe(
            'ERR_E2E_SIGNER_UNTRUSTED',
          );
          const changed = entity.slice();
          changed[indexOfBytes(changed, utf8('Wherefore'))]! ^= 1;
          expect(await codeOf(openEntity(changed, { at, crypto, ...trusts[0]![1] }))).toBe('ERR_E2E_SIGNATURE_INVALID');
        }
      });

      where(able && crypto.name === 'node')('gives no other content for any changed octet', async () => {
        const signed = file(`${name}.signed`);
        const outcomes = await changeEach(signed, content, (changed) =>
          openEntity(bareEntity(changed), { at, crypto, ...trusts[0]![1] }),
        );
        // The certificate inside is not asked where one is filed; all of the signature is, and all of the content.
        const [signerInfo] = parseSignedData(signed, defaultLimits).signerInfos;
        expect(outcomes(signerInfo!.signature)).toEqual(new Set(['ERR_E2E_SIGNATURE_INVALID']));
        expect(outcomes(content)).toEqual(new Set(['ERR_E2E_SIGNATURE_INVALID']));
      });

      where(!able)('is refused with UNSUPPORTED', async () => {
        for (const [, entity] of forms) {
          for (const [, options] of trusts) {
            expect(await codeOf(openEntity(entity, { at, crypto, ...options }))).toBe('ERR_E2E_UNSUPPORTED');
          }
        }
      });
    });

    describe.each(sealed)('encrypted as %s', (name) => {
      const [key, form] = name.split('.') as [string, string];
      const cbc = form === 'cbc' || (form === 'ukm' && key.startsWith('p-'));
      const identity = { keys: file(`${key}.key`), certificates: file(`${key}.pem`) };
      const able = usable(key, crypto, key === 'ml-kem-768' && writer === 'openssl');
      const open = (object: Uint8Array): Promise<OpenedEntity> =>
        openEntity(bareEntity(object), { at, crypto, keys: [identity], policy: { unsigned: 'accept', cbc: true } });

      where(able)('opens', async () => {
        const opened = await open(file(name));
        expect(opened.content).toEqual(content);
        const transport = key.startsWith('p-') ? 'ecdh' : key === 'rsa-2048' ? 'rsa-oaep' : key;
        const cipher = cbc ? 'aes128-cbc' : 'aes256-gcm';
        expect(opened.encryption).toEqual({ cipher, aead: !cbc, keyTransport: [transport] });
      });

      // With CBC a changed octet changes the content: there is nothing that would tell.
      where(able && !cbc && crypto.name === 'node')('gives no other content for any changed octet', async () => {
        const object = file(name);
        const { ciphertext, tag, additionalData } = parseEnveloped(object, defaultLimits);
        const outcomes = await changeEach(object, content, open);
        const failed = new Set(['ERR_E2E_DECRYPTION_FAILED']);
        for (const part of [ciphertext, tag!]) expect(outcomes(part)).toEqual(failed);
        expect(additionalData?.[0]).toBe(form === 'attributes' ? 0x31 : undefined);
        if (form === 'attributes') expect(outcomes(utf8('a hint'))).toEqual(failed);
        // RFC 5083 section 2.1: unauthAttrs are what their name says.
        if (form === 'unauthenticated') expect(outcomes(utf8('a hint'))).toEqual(new Set(['no error']));
      });

      where(able)('is not opened by the key of somebody else', async () => {
        const other = sealed.map((one) => one.split('.')[0]!).find((one) => one !== key)!;
        const keys = [{ keys: file(`${other}.key`), certificates: file(`${other}.pem`) }];
        expect(await codeOf(openEntity(bareEntity(file(name)), { at, crypto, keys }))).toMatch(
          /^ERR_E2E_(NO_DECRYPTION_KEY|WEAK_ALGORITHM|KEY_UNAVAILABLE)$/,
        );
      });

      where(!able)('is refused with UNSUPPORTED', async () => {
        expect(await codeOf(open(file(name)))).toMatch(/^ERR_E2E_(UNSUPPORTED|KEY_UNAVAILABLE)$/);
        if (!crypto.supports('ml-kem')) expect(await codeOf(open(file(name)))).toBe('ERR_E2E_UNSUPPORTED');
      });

      where(!able && crypto.name === 'node')('gives nothing for any changed octet', async () => {
        await changeEach(file(name), new Uint8Array(), open);
      });
    });

    const everybody = ['x25519', 'ml-kem-512', 'ml-kem-768', 'ml-kem-1024', 'p-256', 'p-384', 'p-521', 'rsa-2048'];

    where(writer === 'bouncycastle')('one object for eight recipients is opened by each', async () => {
      for (const key of everybody) {
        const keys = [{ keys: file(`${key}.key`), certificates: file(`${key}.pem`) }];
        const options = { at, crypto, keys, policy: { unsigned: 'accept' } } as const;
        const opening = openEntity(bareEntity(file('everybody.gcm')), options);
        if (usable(key, crypto, false)) {
          const opened = await opening;
          expect(opened.content).toEqual(content);
          expect(opened.encryption?.keyTransport).toHaveLength(6);
        } else expect(await codeOf(opening)).toBe('ERR_E2E_UNSUPPORTED');
      }
    });

    const lattice = ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87', 'ml-kem-512', 'ml-kem-768', 'ml-kem-1024'];

    describe.each(lattice)('writing with %s', (name) => {
      where(!crypto.supports('ml-kem'))('is refused with UNSUPPORTED', async () => {
        const person: Person = {
          jid: Jid.parse('juliet@example.com'),
          identity: { keys: file(`${name}.key`), certificates: file(`${name}.pem`) },
        };
        const backend = backendOf({ own: [person], filed: [person] }, { crypto });
        const request = { ...strict, at, content, profile: 'modern' } as const;
        const operation = name.startsWith('ml-dsa')
          ? backend.sign({ ...request, signer: person.jid, recipients: [], includeCertificate: true })
          : backend.encrypt({ ...request, recipients: [person.jid], hidden: false });
        expect(await codeOf(operation)).toBe('ERR_E2E_UNSUPPORTED');
        expect(await backend.canSealTo(person.jid, at)).toBe(false);
      });

      where(crypto.supports('ml-kem'))('gives what we open', async () => {
        const expandedOnly = writer === 'openssl' && ['ml-dsa-65', 'ml-kem-768'].includes(name);
        if (!usable(name, crypto, expandedOnly)) return;
        const person: Person = {
          jid: Jid.parse('juliet@example.com'),
          identity: { keys: file(`${name}.key`), certificates: file(`${name}.pem`) },
        };
        const backend = backendOf({ own: [person], filed: [person] }, { crypto });
        const request = { ...strict, at, content, profile: 'modern' } as const;
        const options = { at, crypto, policy: { unsigned: 'accept' } } as const;
        if (name.startsWith('ml-dsa')) {
          const signed = await backend.sign({
            ...request,
            signer: person.jid,
            recipients: [],
            includeCertificate: true,
          });
          const opened = await openEntity(signed, { ...options, certificates: [person.identity.certificates] });
          expect(opened.signatures[0]?.algorithm).toBe(name);
          const { signatures } = await backend.verify({
            ...strict,
            at,
            entity: entityOf(signed),
            sender: person.jid,
            me: undefined,
          });
          expect(signatures[0]?.outcome).toBe('good');
        } else {
          expect(await backend.canSealTo(person.jid, at)).toBe(true);
          const encrypted = await backend.encrypt({ ...request, recipients: [person.jid], hidden: false });
          const opened = await openEntity(encrypted, { ...options, keys: [person.identity] });
          expect(opened.content).toEqual(content);
          expect(opened.encryption).toEqual({ cipher: 'aes256-gcm', aead: true, keyTransport: [name] });
        }
      });
    });
  });
});

/** A bare CMS object in the octets of an entity. */
function bareEntityBytes(cms: Uint8Array): Uint8Array {
  const head =
    'Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: binary\r\n\r\n';
  return new Uint8Array(Buffer.concat([Buffer.from(head), cms]));
}

/** Every octet with CI=true, else every third: a step that leaves no part of a message out. */
const step = ci ? 1 : 3;

/**
 * The outcomes with each octet changed by one bit, another bit from octet to octet, as a question about a part of the
 * object. Any outcome but an error of ours or the very content fails.
 */
async function changeEach(
  object: Uint8Array,
  content: Uint8Array,
  open: (changed: Uint8Array) => Promise<OpenedEntity>,
): Promise<(part: Uint8Array) => ReadonlySet<string>> {
  const outcomes: (string | undefined)[] = [];
  for (let index = 0; index < object.length; index += step) {
    const changed = object.slice();
    changed[index]! ^= 1 << (index & 7);
    let outcome = 'no error';
    try {
      const opened = await open(changed);
      expect(equalBytes(opened.content, content), `octet ${index}`).toBe(true);
    } catch (error) {
      if (!(error instanceof E2eError)) throw error;
      outcome = error.code;
    }
    outcomes[index] = outcome;
  }
  return (part) => {
    const start = indexOfBytes(object, part);
    expect(start).toBeGreaterThan(0);
    return new Set(outcomes.slice(start, start + part.length).filter((one) => one !== undefined));
  };
}
