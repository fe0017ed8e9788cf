import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Jid } from '../../../src/jid/jid.ts';
import { directoryStore } from '../../../src/stores/directory.ts';
import { checkHome, prepareHome } from '../../../src/stores/home.ts';
import { directoryName } from '../../../src/stores/jid-name.ts';
import { runs } from '../../shared-data.ts';
import { bundle, outputOf, refusal, removeDirectories, start, temporaryDirectory } from './fixtures.ts';

afterAll(removeDirectories);

const juliet = Jid.parse('juliet@example.com');
const romeo = Jid.parse('romeo@example.net');
const bytes = (text: string): Uint8Array => Buffer.from(text);
const pair = { keys: bytes('key\n'), certificates: bytes('certificate\n') };

/** Every entry below a directory, with what would show a change. */
function snapshot(path: string): string[] {
  return (readdirSync(path, { recursive: true }) as string[]).sort().map((name) => {
    const stats = lstatSync(join(path, name));
    return `${name} ${stats.mode} ${stats.size} ${stats.isFile() ? readFileSync(join(path, name), 'hex') : ''}`;
  });
}

async function filled(): Promise<string> {
  const path = join(temporaryDirectory(), 'home');
  const store = await directoryStore(path);
  await store.fileIdentity(juliet, 'smime', pair);
  await store.fileIdentity(juliet, 'openpgp', { keys: bytes('pgp'), certificates: bytes('') });
  await store.fileCertificate(romeo, 'smime', bytes('romeo'));
  return path;
}

describe('a directory store', () => {
  it('lays down the files for openssl and gpg, all of them private', async () => {
    const path = await filled();
    expect(snapshot(path).map((line) => line.split(' ')[0])).toEqual([
      'contacts',
      'contacts/romeo@example.net',
      'contacts/romeo@example.net/smime.cert.pem',
      'identities',
      'identities/juliet@example.com',
      'identities/juliet@example.com/openpgp.key.asc',
      'identities/juliet@example.com/smime.cert.pem',
      'identities/juliet@example.com/smime.key.pem',
      'xmpp-e2e-home',
    ]);
    for (const name of ['.', ...(readdirSync(path, { recursive: true }) as string[])]) {
      const stats = statSync(join(path, name));
      expect(stats.mode & 0o777, name).toBe(stats.isDirectory() ? 0o700 : 0o600);
    }
  });

  it('makes private files under any umask', () => {
    const script = bundle('filing-process.ts');
    for (const umask of ['0', '077', '0277', '0777']) {
      const home = join(temporaryDirectory(), 'home');
      expect(
        spawnSync('sh', ['-c', `umask ${umask}; exec "$0" "$@"`, process.execPath, script, home]).status,
        umask,
      ).toBe(0);
      expect(statSync(join(home, 'identities/juliet@example.com/smime.key.pem')).mode & 0o777).toBe(0o600);
      expect(statSync(join(home, 'identities')).mode & 0o777).toBe(0o700);
    }
  });

  it('gives back what was filed, by bare JID, filed by an explicit act', async () => {
    const store = await directoryStore(await filled());
    const [identity] = await store.identities(juliet.withResource('balcony'), 'smime');
    expect(Buffer.from(identity!.keys as Uint8Array).toString()).toBe('key\n');
    expect(Buffer.from(identity!.certificates).toString()).toBe('certificate\n');
    expect((await store.identities(juliet, 'openpgp'))[0]!.certificates).toHaveLength(0);
    const found = await store.find(romeo.withResource('orchard'), 'smime');
    expect(found.map(({ certificates, filed }) => [Buffer.from(certificates).toString(), filed])).toEqual([
      ['romeo', true],
    ]);
    expect(await store.identities(romeo, 'smime')).toEqual([]);
    expect(await store.find(romeo, 'openpgp')).toEqual([]);
    expect(await store.find(juliet, 'smime')).toEqual([]);
    expect(await store.find(romeo, 'unknown')).toEqual([]);
    await expect(store.fileCertificate(romeo, 'unknown', bytes(''))).rejects.toThrow(TypeError);
  });

  it('hands the passphrase question on, with the JID', async () => {
    const asked: string[] = [];
    const path = await filled();
    const store = await directoryStore(path, {
      passphrase: (jid) => {
        asked.push(jid.toString());
        return Promise.resolve('secret');
      },
    });
    const [identity] = await store.identities(juliet.withResource('balcony'), 'smime');
    expect(await identity!.passphrase!()).toBe('secret');
    expect(asked).toEqual(['juliet@example.com']);
  });

  it('returns the very same arrays until a file changes', async () => {
    const path = await filled();
    const store = await directoryStore(path);
    const first = await store.find(romeo, 'smime');
    const identity = await store.identities(juliet, 'smime');
    expect(await store.find(romeo, 'smime')).toBe(first);
    expect((await store.identities(juliet, 'smime'))[0]!.keys).toBe(identity[0]!.keys);
    const file = join(path, 'contacts/romeo@example.net/smime.cert.pem');
    writeFileSync(file, 'ROMEO');
    expect(Buffer.from((await store.find(romeo, 'smime'))[0]!.certificates).toString(), 'same size').toBe('ROMEO');
    renameSync(file, `${file}.gone`);
    expect(await store.find(romeo, 'smime')).toEqual([]);
    writeFileSync(join(path, 'identities/juliet@example.com/smime.cert.pem'), 'CERTIFICATE\n');
    const changed = await store.identities(juliet, 'smime');
    expect(Buffer.from(changed[0]!.certificates).toString(), 'the second file counts too').toBe('CERTIFICATE\n');
  });

  it('adds certificates of a contact or replaces them', async () => {
    const store = await directoryStore(join(temporaryDirectory(), 'home'));
    const text = async (backend: string): Promise<string[]> =>
      (await store.find(romeo, backend)).map(({ certificates }) => Buffer.from(certificates).toString());
    for (const backend of ['smime', 'openpgp']) {
      await store.fileCertificate(romeo, backend, bytes('one\n'));
      await store.fileCertificate(romeo, backend, bytes('two\n'));
      expect(await text(backend)).toEqual(['one\n\ntwo\n']);
      await store.fileCertificate(romeo, backend, bytes('one\n'));
      expect(await text(backend), 'the same one again').toEqual(['one\n\ntwo\n']);
      await store.fileCertificate(romeo, backend, bytes('three\n'), 'replace');
      expect(await text(backend)).toEqual(['three\n']);
    }
  });

  it('loses no certificate when many are filed at once', async () => {
    const store = await directoryStore(join(temporaryDirectory(), 'home'));
    await Promise.all(Array.from({ length: 20 }, (_, i) => store.fileCertificate(romeo, 'smime', bytes(`<${i}>`))));
    const text = Buffer.from((await store.find(romeo, 'smime'))[0]!.certificates).toString();
    for (let i = 0; i < 20; i++) expect(text).toContain(`<${i}>`);
  });

  it('does not replace an identity unasked', async () => {
    const path = await filled();
    const store = await directoryStore(path);
    const before = snapshot(path);
    const other = { keys: bytes('other'), certificates: bytes('other') };
    expect(await store.fileIdentity(juliet, 'smime', other)).toBe(false);
    expect(await store.fileIdentity(juliet, 'openpgp', other)).toBe(false);
    expect(snapshot(path)).toEqual(before);
    expect(await store.fileIdentity(juliet, 'smime', other, true)).toBe(true);
    expect(Buffer.from((await store.identities(juliet, 'smime'))[0]!.keys as Uint8Array).toString()).toBe('other');
  });

  it('reads anchors and revocation lists put there by hand', async () => {
    const path = await filled();
    const store = await directoryStore(path);
    expect(await store.trust()).toEqual({ anchors: [], crls: [] });
    for (const part of ['anchors', 'crls']) mkdirSync(join(path, part), { mode: 0o755 });
    writeFileSync(join(path, 'anchors/b.pem'), 'B', { mode: 0o644 });
    writeFileSync(join(path, 'anchors/a.pem'), 'A', { mode: 0o644 });
    writeFileSync(join(path, 'anchors/.hidden'), 'H');
    writeFileSync(join(path, 'crls/x.crl'), 'X');
    const { anchors, crls } = await store.trust();
    expect(anchors.map((anchor) => Buffer.from(anchor).toString())).toEqual(['A', 'B']);
    expect(crls!.map((crl) => Buffer.from(crl).toString())).toEqual(['X']);
    expect((await store.trust()).anchors[0]).toBe(anchors[0]);
    chmodSync(join(path, 'anchors/a.pem'), 0o666);
    await refusal(store.trust(), 'ERR_E2E_STORE_FAILED');
  });
});

describe('what other local users could do', () => {
  it('a private key that others can read is refused, and stays refused', async () => {
    for (const mode of [0o640, 0o604, 0o644, 0o660, 0o611]) {
      const path = await filled();
      chmodSync(join(path, 'identities/juliet@example.com/smime.key.pem'), mode);
      const store = await directoryStore(path);
      for (let i = 0; i < 2; i++) {
        const error = await refusal(store.identities(juliet, 'smime'), 'ERR_E2E_KEY_UNAVAILABLE');
        expect(error.reason).toContain('600');
      }
      expect(await store.identities(juliet, 'openpgp'), 'the other key is usable').toHaveLength(1);
    }
  });

  it('a mode opened after the key was cached is noticed', async () => {
    const path = await filled();
    const store = await directoryStore(path);
    await store.identities(juliet, 'smime');
    chmodSync(join(path, 'identities/juliet@example.com/smime.key.pem'), 0o644);
    await refusal(store.identities(juliet, 'smime'), 'ERR_E2E_KEY_UNAVAILABLE');
  });

  it('symbolic links are refused, wherever they stand, and never written through', async () => {
    for (const name of [
      'identities',
      'identities/juliet@example.com',
      'identities/juliet@example.com/smime.key.pem',
      'identities/juliet@example.com/smime.cert.pem',
      'contacts',
      'contacts/romeo@example.net',
      'contacts/romeo@example.net/smime.cert.pem',
    ]) {
      const path = await filled();
      const elsewhere = join(temporaryDirectory(), 'elsewhere');
      renameSync(join(path, name), elsewhere);
      symlinkSync(elsewhere, join(path, name));
      const before =
        existsSync(join(elsewhere, 'x')) || statSync(elsewhere).isFile()
          ? readFileSync(elsewhere, 'hex')
          : snapshot(elsewhere);
      const store = await directoryStore(path);
      const read = name.startsWith('contacts') ? store.find(romeo, 'smime') : store.identities(juliet, 'smime');
      await refusal(read, 'ERR_E2E_STORE_FAILED');
      const write = name.startsWith('contacts')
        ? store.fileCertificate(romeo, 'smime', bytes('evil'))
        : store.fileIdentity(juliet, 'smime', { keys: bytes('evil'), certificates: bytes('evil') }, true);
      await refusal(write, 'ERR_E2E_STORE_FAILED');
      expect(statSync(elsewhere).isFile() ? readFileSync(elsewhere, 'hex') : snapshot(elsewhere)).toEqual(before);
    }
  });

  it('a FIFO, a directory or an oversized file in the place of a key is refused without hanging', async () => {
    const path = await filled();
    const key = join(path, 'identities/juliet@example.com/smime.key.pem');
    unlinkSync(key);
    expect(spawnSync('mkfifo', ['-m', '600', key]).status).toBe(0);
    await refusal((await directoryStore(path)).identities(juliet, 'smime'), 'ERR_E2E_STORE_FAILED');
    unlinkSync(key);
    mkdirSync(key, { mode: 0o700 });
    await refusal((await directoryStore(path)).identities(juliet, 'smime'), 'ERR_E2E_STORE_FAILED');
    rmSync(key, { recursive: true });
    writeFileSync(key, Buffer.alloc(5_000_000), { mode: 0o600 });
    await refusal((await directoryStore(path)).identities(juliet, 'smime'), 'ERR_E2E_STORE_FAILED');
  });

  it('directories that others can write are refused', async () => {
    for (const name of ['', 'identities', 'identities/juliet@example.com']) {
      const path = await filled();
      chmodSync(join(path, name), 0o770);
      const open = directoryStore(path).then((store) => store.identities(juliet, 'smime'));
      await refusal(open, 'ERR_E2E_STORE_FAILED');
    }
  });

  it.skipIf(process.getuid?.() !== 0)('files and homes of another user are refused', async () => {
    const path = await filled();
    chownSync(join(path, 'identities/juliet@example.com/smime.key.pem'), 12345, 12345);
    await refusal((await directoryStore(path)).identities(juliet, 'smime'), 'ERR_E2E_STORE_FAILED');
    chownSync(path, 12345, 12345);
    await refusal(directoryStore(path), 'ERR_E2E_STORE_FAILED');
  });
});

describe('a home', () => {
  it('is made at the first filing, not before', async () => {
    const path = join(temporaryDirectory(), 'a', 'b', 'home');
    const store = await directoryStore(path);
    expect(await store.identities(juliet, 'smime')).toEqual([]);
    expect((await store.trust()).anchors).toEqual([]);
    expect(existsSync(path)).toBe(false);
    expect(await checkHome(path)).toEqual({ path, exists: false });
    await store.fileCertificate(romeo, 'smime', bytes('x'));
    expect(await checkHome(path)).toEqual({ path, exists: true });
    expect(readFileSync(join(path, 'xmpp-e2e-home'), 'utf8')).toBe('xmpp-e2e home 1\n');
  });

  it('takes an empty directory, and what a killed maker left', async () => {
    const path = temporaryDirectory();
    chmodSync(path, 0o755);
    writeFileSync(join(path, '.tmp.999999999.1.000000000000000000000000'), 'half');
    expect(await prepareHome(path)).toBe(path);
    expect(readdirSync(path)).toEqual(['xmpp-e2e-home']);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('of somebody else is refused and not changed by a bit', async () => {
    const gnupg = temporaryDirectory();
    writeFileSync(join(gnupg, 'pubring.kbx'), 'not ours');
    const newer = temporaryDirectory();
    writeFileSync(join(newer, 'xmpp-e2e-home'), 'xmpp-e2e home 2\n');
    const damaged = temporaryDirectory();
    writeFileSync(join(damaged, 'xmpp-e2e-home'), 'xmpp-e2e home');
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(newer, link);
    for (const path of [gnupg, newer, damaged, link]) {
      const before = snapshot(path);
      await refusal(directoryStore(path), 'ERR_E2E_STORE_FAILED');
      await refusal(prepareHome(path), 'ERR_E2E_STORE_FAILED');
      expect(snapshot(path)).toEqual(before);
    }
    await refusal(directoryStore(file), 'ERR_E2E_STORE_FAILED');
    await refusal(prepareHome(join(file, 'below')), 'ERR_E2E_STORE_FAILED');
  });

  it('that became another one after it was opened is not written', async () => {
    const path = temporaryDirectory();
    const store = await directoryStore(path);
    writeFileSync(join(path, 'README'), 'somebody else was faster');
    await refusal(store.fileCertificate(romeo, 'smime', bytes('x')), 'ERR_E2E_STORE_FAILED');
    expect(readdirSync(path)).toEqual(['README']);
  });
});

describe('directory names of JIDs', () => {
  it('cannot leave the directory, hide, or differ by case alone', () => {
    expect(directoryName(juliet)).toBe('juliet@example.com');
    expect(directoryName(Jid.parse('juliet@example.com/balcony'))).toBe('juliet@example.com');
    expect(directoryName(Jid.parse('example.com'))).toBe('example.com');
    expect(directoryName(Jid.parse('.hidden@example.com'))).toBe('%2ehidden@example.com');
    expect(directoryName(Jid.parse('..@example.com'))).toBe('%2e.@example.com');
    expect(directoryName(Jid.parse('a%2fb@example.com'))).toBe('a%252fb@example.com');
    expect(directoryName(Jid.parse('é@example.com'))).toBe('%c3%a9@example.com');
    expect(directoryName(Jid.parse('[::1]'))).toBe('%5b%3a%3a1%5d');
  });

  it('are safe and different for every JID', () => {
    const local = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 });
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(local, fc.constantFrom('example.com', 'EXAMPLE.com', 'xn--9ca.example', '[::1]'), (name, domain) => {
        let jid: Jid;
        try {
          jid = Jid.of(name, domain);
        } catch {
          return;
        }
        const directory = directoryName(jid);
        expect(directory).toMatch(/^[a-z0-9@_%-][a-z0-9@_.%-]{0,199}$/);
        expect(seen.get(directory) ?? jid.toString()).toBe(jid.toString());
        seen.set(directory, jid.toString());
      }),
      { numRuns: runs(5000), seed: 41 },
    );
    const long = 'a'.repeat(1000);
    expect(directoryName(Jid.of(long, 'example.com'))).not.toBe(directoryName(Jid.of(`${long}b`, 'example.com')));
    expect(directoryName(Jid.of(long, 'example.com')).length).toBeLessThanOrEqual(200);
  });
});

describe('kill -9 while writing', () => {
  it('leaves every file whole, each key with its certificate, and no temporary file for long', async () => {
    const script = bundle('writing-process.ts');
    const home = join(temporaryDirectory(), 'home');
    for (let round = 0; round < runs(40) * 3; round++) {
      const child = start(script, home);
      const done = outputOf(child);
      await new Promise((resolve) => child.stdout!.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, 2 + ((round * 13) % 50)));
      child.kill('SIGKILL');
      await done;
      expect(child.signalCode).toBe('SIGKILL');
      const store = await directoryStore(home);
      const [identity] = await store.identities(juliet, 'smime');
      const [contact] = await store.find(juliet, 'smime');
      if (identity === undefined || contact === undefined) continue;
      const key = numberOf(identity.keys as Uint8Array, 'key');
      expect(Buffer.from(identity.certificates).toString(), 'the certificate of the key').toContain(
        `[certificate ${key} `,
      );
      for (const part of Buffer.from(identity.certificates)
        .toString()
        .match(/\[[^\]]*\]/g)!)
        numberOf(Buffer.from(part), 'certificate');
      numberOf(contact.certificates, 'contact');
    }
    const store = await directoryStore(home);
    await store.fileIdentity(juliet, 'smime', pair, true);
    await store.fileCertificate(juliet, 'smime', bytes('end'), 'replace');
    const left = (readdirSync(home, { recursive: true }) as string[]).filter((name) => /\.tmp\.|lock/.test(name));
    expect(left).toEqual([]);
  });
});

/** The number in a file of the writing process, which must be whole. */
function numberOf(content: Uint8Array, name: string): number {
  const [, found, number, length, filler] = /^\[(\w+) (\d+) (\d+) (x*)\]\n*$/.exec(Buffer.from(content).toString())!;
  expect([found, filler!.length]).toEqual([name, Number(length)]);
  return Number(number);
}
