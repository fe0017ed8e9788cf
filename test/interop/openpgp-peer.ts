/** Other OpenPGP programs, driven through files in a folder of their own, and the tests that all of them share. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bareEntity } from '../../src/mime/entity.ts';
import { parseMultipart, serializeMultipart } from '../../src/mime/multipart.ts';
import { defaultLimits } from '../../src/limits.ts';
import { utf8 } from '../../src/bytes.ts';
import { type IdentityAlgorithm, openEntity, openpgp } from '../../src/backends/openpgp/index.ts';
import { hasProgram } from '../shared-data.ts';
import {
  backendOf,
  call,
  content,
  entity as entityOf,
  juliet as julietJid,
  type KeyFiles,
  person,
  romeo as romeoJid,
  storeOf,
} from '../unit/openpgp/scene.ts';

export { julietJid, romeoJid, openEntity };

/** One program, for one pair of people: everything it is told is files. */
export interface Peer {
  /** Makes a person's keys known. */
  import(files: Files, person: PeerPerson): void;
  /** Throws unless a detached signature by the signer is good. */
  verify(files: Files, signature: string, data: string, signer: PeerPerson): void;
  /** Signs detached and armored. */
  sign(files: Files, data: string, signer: PeerPerson): string;
  encrypt(files: Files, data: string, to: PeerPerson, signer: PeerPerson | undefined): string;
  /** @returns the plaintext; throws unless a signature by `signer` is good, if one is asked for */
  decrypt(files: Files, message: string, me: PeerPerson, signer: PeerPerson | undefined): Uint8Array;
}

export interface PeerPerson {
  readonly name: string;
  readonly uid: string;
  readonly fingerprint: string;
  readonly secretFile: string;
  readonly certificateFile: string;
}

/** A folder that goes away with the test. */
export class Files {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'pgp-'));
  #count = 0;

  path(name: string): string {
    return join(this.folder, name);
  }

  write(data: Uint8Array | string, suffix = 'bin'): string {
    const file = this.path(`${this.#count++}.${suffix}`);
    writeFileSync(file, data);
    return file;
  }

  /** Runs a program; throws with its words unless it exits with 0. */
  run(program: string, args: readonly string[], input?: Uint8Array | string): Uint8Array {
    const env = { ...process.env, GNUPGHOME: this.folder, HOME: this.folder };
    const done = spawnSync(program, args, { input: input ?? '', env, maxBuffer: 1 << 26, timeout: 60_000 });
    if (done.error !== undefined) throw done.error;
    if (done.status !== 0) {
      throw new Error(`${program} ${args.join(' ')}: exit ${String(done.status)}\n${done.stderr.toString()}`);
    }
    return new Uint8Array(done.stdout);
  }

  /** What a program says on both channels, whatever its exit code. */
  words(program: string, args: readonly string[]): string {
    const done = spawnSync(program, args, { env: { ...process.env, HOME: this.folder }, timeout: 60_000 });
    return `${done.stdout.toString()}${done.stderr.toString()}`;
  }

  read(file: string): Uint8Array {
    return new Uint8Array(readFileSync(file));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const kinds: readonly IdentityAlgorithm[] = ['rsa2048', 'rsa3072', 'p256', 'ed25519'];

function peerPerson(files: Files, name: string, { secret, certificate, fingerprint, jid }: KeyFiles): PeerPerson {
  return {
    name,
    uid: `xmpp:${jid.toString()}`,
    fingerprint,
    secretFile: files.write(secret, 'sec.asc'),
    certificateFile: files.write(certificate, 'pub.asc'),
  };
}

/** The detached signature and the signed octets of a multipart/signed. */
export function partsOf(signed: Uint8Array): { readonly data: Uint8Array; readonly signature: Uint8Array } {
  const [data, signature] = parseMultipart(entityOf(signed), { limits: defaultLimits, parts: 2 });
  return { data: data!, signature: entityOf(signature!).body };
}

/** The armored message of a multipart/encrypted. */
export function armorOf(encrypted: Uint8Array): Uint8Array {
  const parts = parseMultipart(entityOf(encrypted), { limits: defaultLimits, parts: 2 });
  return entityOf(parts[1]!).body;
}

/** A multipart/signed as another program's user would build it. */
export function signedMail(data: Uint8Array, armored: Uint8Array, micalg = 'pgp-sha512'): Uint8Array {
  const part = utf8(`Content-Type: application/pgp-signature\r\n\r\n${Buffer.from(armored).toString()}`);
  return serializeMultipart('signed', { protocol: 'application/pgp-signature', micalg }, [data, part]);
}

/** A multipart/encrypted likewise. */
export function encryptedMail(armored: Uint8Array): Uint8Array {
  return serializeMultipart('encrypted', { protocol: 'application/pgp-encrypted' }, [
    utf8('Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n'),
    utf8(`Content-Type: application/octet-stream\r\n\r\n${Buffer.from(armored).toString().replace(/\r?\n/g, '\r\n')}`),
  ]);
}

/** Sign, encrypt and both, in both directions, for every kind of key. */
export function testPeer(program: string, versionFlag: string, makePeer: () => Peer): void {
  describe.skipIf(!hasProgram(program, versionFlag)).each(kinds)(`${program} with %s`, (algorithm) => {
    const peer = makePeer();
    let files: Files;
    let juliet: KeyFiles;
    let romeo: KeyFiles;
    let hers: PeerPerson;
    let his: PeerPerson;
    beforeAll(async () => {
      files = new Files();
      juliet = await person(julietJid, algorithm);
      romeo = await person(romeoJid, algorithm);
      hers = peerPerson(files, 'juliet', juliet);
      his = peerPerson(files, 'romeo', romeo);
      peer.import(files, hers);
      peer.import(files, his);
    });
    afterAll(() => files.remove());

    const requests = () => ({
      ...call({ at: new Date() }),
      content,
      signer: julietJid,
      recipients: [romeoJid],
      includeCertificate: false,
      hidden: false,
      profile: 'modern' as const,
    });

    it('verifies what we sign', async () => {
      const { data, signature } = partsOf(await backendOf(juliet, [romeo]).sign(requests()));
      const [signatureFile, dataFile] = [files.write(signature, 'sig'), files.write(data)];
      peer.verify(files, signatureFile, dataFile, hers);
      const changed = files.write(Buffer.from(data).toString('latin1').replace('Romeo', 'Tybalt'));
      expect(() => peer.verify(files, signatureFile, changed, hers)).toThrow();
    });

    it('decrypts what we encrypt', async () => {
      const sealed = armorOf(await backendOf(juliet, [romeo]).encrypt(requests()));
      expect(peer.decrypt(files, files.write(sealed, 'asc'), his, undefined)).toEqual(content);
    });

    it('decrypts and verifies what we sign and encrypt', async () => {
      const sealed = armorOf(await backendOf(juliet, [romeo]).signAndEncrypt!(requests()));
      expect(peer.decrypt(files, files.write(sealed, 'asc'), his, hers)).toEqual(content);
    });

    it('signs what we verify', async () => {
      const signature = files.read(peer.sign(files, files.write(content), hers));
      const entity = entityOf(signedMail(content, signature));
      const request = { ...call({ at: new Date() }), entity, sender: julietJid, me: romeoJid };
      const verified = await backendOf(romeo, [juliet]).verify(request);
      expect(verified.signatures).toMatchObject([{ outcome: 'good', fingerprint: juliet.fingerprint }]);
      expect(verified.content).toEqual(content);
    });

    it('encrypts what we decrypt', async () => {
      const sealed = files.read(peer.encrypt(files, files.write(content), his, undefined));
      const entity = entityOf(encryptedMail(sealed));
      const request = { ...call({ at: new Date() }), entity, sender: julietJid, me: romeoJid };
      const opened = await backendOf(romeo, [juliet]).decrypt(request);
      expect(opened).toMatchObject({ content, signatures: undefined, encryption: { aead: true } });
    });

    it('signs and encrypts what we open, PGP/MIME or bare', async () => {
      const sealed = files.read(peer.encrypt(files, files.write(content), his, hers));
      const backend = openpgp({ store: storeOf(romeo, [juliet]) });
      for (const entity of [entityOf(encryptedMail(sealed)), bareEntity(sealed)]) {
        expect(backend.recognize(entity)).toBe('encrypted');
        const opened = await backend.decrypt({ ...call({ at: new Date() }), entity, sender: julietJid, me: romeoJid });
        expect(opened.content).toEqual(content);
        expect(opened.signatures).toMatchObject([{ outcome: 'good', fingerprint: juliet.fingerprint }]);
      }
    });
  });
}
