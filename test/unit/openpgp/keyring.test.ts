/** Own keys, locked or not, and the cache of what a store gives. */
import * as openpgpjs from 'openpgp';
import { beforeAll, describe, expect, it } from 'vitest';
import { openpgp } from '../../../src/backends/openpgp/index.ts';
import type { KeyStore, SecurityBackend, StoredIdentity } from '../../../src/backends/backend.ts';
import { utf8 } from '../../../src/bytes.ts';
import { limitsWith } from '../../../src/limits.ts';
import {
  backendOf,
  call,
  content,
  entity as entityOf,
  juliet as julietJid,
  at as noon,
  type KeyFiles,
  type Person,
  person,
  romeo as romeoJid,
  storeOf,
} from './scene.ts';

const empty = new Uint8Array();
const options = { includeCertificate: false, hidden: false, profile: 'modern' } as const;

let juliet: Person;
let romeo: Person;
let locked: Person;

beforeAll(async () => {
  juliet = await person(julietJid);
  romeo = await person(romeoJid);
  locked = await person(julietJid, 'ed25519', { passphrase: 'Capulet' });
});

function sign(backend: SecurityBackend, limits = call().limits): Promise<Uint8Array> {
  return backend.sign({ ...call(), ...options, limits, content, signer: julietJid, recipients: [] });
}

/** A backend whose only own key is this one. */
function backendFor(identity: StoredIdentity): SecurityBackend {
  return openpgp({ store: { identities: () => Promise.resolve([identity]), find: () => Promise.resolve([]) } });
}

const unavailable = { name: 'E2eError', code: 'ERR_E2E_KEY_UNAVAILABLE' };

describe('a locked key', () => {
  it('is unlocked once, however many ask at a time', async () => {
    let asked = 0;
    const passphrase = (): Promise<string> => {
      asked++;
      return Promise.resolve('Capulet');
    };
    const backend = backendFor({ keys: locked.secret.slice(), certificates: empty, passphrase });
    await Promise.all([sign(backend), sign(backend), sign(backend)]);
    await sign(backend);
    expect(asked).toBe(1);
  });

  it('without passphrase cannot be used, but still says what it is', async () => {
    const backend = backendFor({ keys: locked.secret.slice(), certificates: empty });
    await expect(sign(backend)).rejects.toMatchObject({
      ...unavailable,
      stage: 'sign',
      reason: 'the secret key is locked',
    });
    expect(await backend.certificates(julietJid)).toMatchObject([{ fingerprint: locked.fingerprint }]);
  });

  it('asks again after a wrong passphrase, and after none was given', async () => {
    const answers = ['Montague', new Error('cancelled'), 'Capulet'];
    const passphrase = (): Promise<string> => {
      const answer = answers.shift();
      return typeof answer === 'string' ? Promise.resolve(answer) : Promise.reject(answer!);
    };
    const backend = backendFor({ keys: locked.secret.slice(), certificates: empty, passphrase });
    await expect(sign(backend)).rejects.toMatchObject(unavailable);
    await expect(sign(backend)).rejects.toMatchObject(unavailable);
    expect(entityOf(await sign(backend)).contentType?.type).toBe('multipart/signed');
  });

  it('decrypts too, and says so before anything else where it cannot', async () => {
    const sealed = await backendOf(romeo, [locked]).encrypt({
      ...call(),
      ...options,
      content,
      recipients: [julietJid],
    });
    const request = { ...call(), entity: entityOf(sealed), me: julietJid, sender: romeoJid };
    expect((await backendOf(locked, [romeo]).decrypt(request)).content).toEqual(content);
    const backend = backendFor({ keys: locked.secret.slice(), certificates: empty });
    await expect(backend.decrypt(request)).rejects.toMatchObject({ ...unavailable, stage: 'decrypt' });
  });

  it('whose derivation takes more memory than the limit stays locked', async () => {
    const config = {
      v6Keys: true,
      aeadProtect: true,
      s2kType: openpgpjs.enums.s2k.argon2,
      s2kArgon2Params: { passes: 1, parallelism: 1, memoryExponent: 12 },
    } as openpgpjs.PartialConfig;
    const { privateKey } = await openpgpjs.generateKey({
      userIDs: { name: 'xmpp:juliet@example.com' },
      passphrase: 'Capulet',
      date: new Date(noon.getTime() - 1000),
      config,
    });
    const identity = { keys: utf8(privateKey), certificates: empty, passphrase: () => Promise.resolve('Capulet') };
    const backend = backendFor(identity);
    await expect(sign(backend, limitsWith({ argon2KiB: 2048 }))).rejects.toMatchObject(unavailable);
    expect(entityOf(await sign(backend, limitsWith({ argon2KiB: 4096 }))).contentType?.type).toBe('multipart/signed');
  });

  it('whose public half was exchanged is bound to nothing', async () => {
    const text = new TextDecoder();
    const key = await openpgpjs.readPrivateKey({ armoredKey: text.decode(locked.secret) });
    const other = await openpgpjs.readPrivateKey({ armoredKey: text.decode(juliet.secret) });
    const primary = key.keyPacket as unknown as { publicParams: object; computeFingerprintAndKeyID(): Promise<void> };
    primary.publicParams = other.keyPacket.publicParams;
    await primary.computeFingerprintAndKeyID();
    const bytes = key.write();
    const passphrase = () => Promise.resolve('Capulet');
    const backend = backendFor({ keys: bytes, certificates: empty, passphrase });
    // Nothing binds the strange key, so that it is not even asked for its secret.
    await expect(sign(backend)).rejects.toMatchObject({ code: 'ERR_E2E_NO_SIGNING_KEY' });
  });
});

describe('own keys', () => {
  it.each([
    ['no key', utf8('hello')],
    ['nothing', empty],
    ['damaged', utf8('-----BEGIN PGP PRIVATE KEY BLOCK-----\r\n\r\nAAAA\r\n-----END PGP PRIVATE KEY BLOCK-----\r\n')],
  ])('%s is KEY_UNAVAILABLE', async (_, keys) => {
    await expect(sign(backendFor({ keys, certificates: empty }))).rejects.toMatchObject(unavailable);
  });

  it('that work elsewhere need a certificate', async () => {
    const backend = backendFor({ keys: { sign: () => Promise.resolve(empty) }, certificates: empty });
    await expect(sign(backend)).rejects.toMatchObject(unavailable);
  });

  it('a certificate is no secret key', async () => {
    const backend = backendFor({ keys: juliet.certificate, certificates: empty });
    await expect(sign(backend)).rejects.toMatchObject({ code: 'ERR_E2E_NO_SIGNING_KEY', stage: 'sign' });
  });

  it('with the secret part of the primary key kept offline sign and decrypt by their subkeys', async () => {
    const { privateKey } = await openpgpjs.generateKey({
      userIDs: { name: 'xmpp:juliet@example.com' },
      subkeys: [{ sign: true }, {}],
      date: new Date(noon.getTime() - 1000),
      format: 'object',
    });
    const certificate = privateKey.toPublic().write();
    (privateKey.keyPacket as unknown as { makeDummy(): void }).makeDummy();
    const offline: KeyFiles = {
      jid: julietJid,
      secret: privateKey.write(),
      certificate,
      fingerprint: privateKey.getFingerprint(),
    };
    const request = { ...call(), ...options, content, signer: julietJid, recipients: [romeoJid, julietJid] };
    const sealed = entityOf(await backendOf(offline, [romeo]).signAndEncrypt!(request));
    const atRomeo = { ...call(), entity: sealed, me: romeoJid, sender: julietJid };
    const opened = await backendOf(romeo, [offline]).decrypt(atRomeo);
    expect(opened.signatures).toMatchObject([{ outcome: 'good', fingerprint: offline.fingerprint }]);
    const again = await backendOf(offline, []).decrypt({ ...atRomeo, me: julietJid });
    expect(again.content).toEqual(content);
  });
});

describe('the cache', () => {
  it('parses a file once, as long as the store gives the same array', async () => {
    const store = storeOf(romeo, [juliet]);
    let given = 0;
    const counting: KeyStore = {
      identities: (jid, name) => store.identities(jid, name),
      find: async (jid, name) => {
        given++;
        return store.find(jid, name);
      },
    };
    const backend = openpgp({ store: counting });
    const first = performance.now();
    expect(await backend.canSealTo(julietJid, noon)).toBe(true);
    const cold = performance.now() - first;
    const start = performance.now();
    for (let i = 0; i < 50; i++) await backend.canSealTo(julietJid, noon);
    const warm = (performance.now() - start) / 50;
    expect(given).toBe(51);
    expect(warm).toBeLessThan(Math.max(cold, 1));
  });

  it('follows a new array, other limits and another set of arrays', async () => {
    let files = [{ certificates: juliet.certificate, filed: true }];
    const backend = openpgp({
      store: { identities: () => Promise.resolve([]), find: () => Promise.resolve(files) },
    });
    const fingerprints = async (): Promise<readonly string[]> =>
      (await backend.certificates(julietJid)).map(({ fingerprint }) => fingerprint);
    expect(await fingerprints()).toEqual([juliet.fingerprint]);
    files = [...files, { certificates: locked.certificate, filed: true }];
    expect(await fingerprints()).toEqual([juliet.fingerprint, locked.fingerprint]);
    files = files.slice(1);
    expect(await fingerprints()).toEqual([locked.fingerprint]);
    files = [{ certificates: locked.certificate, filed: false }];
    expect(await backend.canSealTo(julietJid, noon)).toBe(false);
    files = [];
    expect(await fingerprints()).toEqual([]);
  });
});
