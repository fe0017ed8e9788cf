/** Keys that gpg-agent holds, asked over its own socket (Assuan), in the place of private keys at hand. */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateIdentity, openpgp } from '../../src/backends/openpgp/index.ts';
import type { ExternalPrivateKey } from '../../src/backends/backend.ts';
import { ecdsaDerFromFixed } from '../../src/crypto/ecdsa-signature.ts';
import { E2eError, Jid, openStanza, sealStanza, type SecurityBackend } from '../../src/index.ts';
import { memoryStore } from '../../src/stores/index.ts';
import { hasProgram } from '../shared-data.ts';

const hasAgent = hasProgram('gpg') && hasProgram('gpg-agent');
const jid = Jid.parse('romeo@example.net');
const julietJid = Jid.parse('juliet@example.com');

/** One conversation with an agent, one command at a time. */
class Agent {
  readonly #socket: Socket;
  #buffer = Buffer.alloc(0);
  #data: Buffer[] = [];
  #inquiry: Buffer | undefined;
  #waiting: { resolve: (data: Buffer) => void; reject: (error: Error) => void } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      for (let end = this.#buffer.indexOf(10); end !== -1; end = this.#buffer.indexOf(10)) {
        const line = this.#buffer.subarray(0, end);
        this.#buffer = this.#buffer.subarray(end + 1);
        this.#line(line);
      }
    });
  }

  static async connect(path: string): Promise<Agent> {
    const agent = new Agent(connect(path));
    await new Promise<Buffer>((resolve, reject) => (agent.#waiting = { resolve, reject }));
    return agent;
  }

  #line(line: Buffer): void {
    const start = line.toString('latin1');
    if (start.startsWith('D ')) this.#data.push(unescape(line.subarray(2)));
    else if (start.startsWith('INQUIRE ')) {
      this.#socket.write(Buffer.concat([Buffer.from('D '), escape(this.#inquiry!), Buffer.from('\nEND\n')]));
    } else if (start.startsWith('OK')) {
      const data = Buffer.concat(this.#data);
      this.#data = [];
      this.#waiting?.resolve(data);
    } else if (start.startsWith('ERR')) this.#waiting?.reject(new Error(start));
  }

  #send(command: string, inquiry?: Buffer): Promise<Buffer> {
    this.#inquiry = inquiry;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${command}\n`);
    });
  }

  /** Commands that belong together, with nobody else's in between. */
  commands(...commands: readonly (readonly [string, Buffer?])[]): Promise<Buffer> {
    const all = this.#turn.then(async () => {
      let answer = Buffer.alloc(0);
      for (const [command, inquiry] of commands) answer = Buffer.from(await this.#send(command, inquiry));
      return answer;
    });
    this.#turn = all.catch(() => undefined);
    return all;
  }

  close(): void {
    this.#socket.destroy();
  }
}

function escape(octets: Buffer): Buffer {
  const text = octets
    .toString('latin1')
    .replace(/[%\r\n]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
  return Buffer.from(text, 'latin1');
}

function unescape(octets: Buffer): Buffer {
  const text = octets
    .toString('latin1')
    .replace(/%([0-9A-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return Buffer.from(text, 'latin1');
}

/** The value after a name in a canonical S-expression, as in `(1:r32:...)`. */
function valueOf(expression: Buffer, name: string): Buffer {
  const text = expression.toString('latin1');
  const mark = `(${name.length}:${name}`;
  const at = text.indexOf(mark) + mark.length;
  const colon = text.indexOf(':', at);
  const length = Number(text.slice(at, colon));
  return expression.subarray(colon + 1, colon + 1 + length);
}

function expressionOf(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (part === '(' || part === ')') return Buffer.from(part);
      const octets = Buffer.from(part as string, 'latin1');
      return Buffer.concat([Buffer.from(`${octets.length}:`), typeof part === 'string' ? octets : part]);
    }),
  );
}

/** An integer in a fixed length. */
function fixed(integer: Buffer, length: number): Buffer {
  const digits = integer.subarray(Math.max(0, integer.length - length));
  return Buffer.concat([Buffer.alloc(length - digits.length), digits]);
}

/** A key of an agent as a private key of ours: what an application would write. */
function keyOf(agent: Agent, grips: { readonly sign: string; readonly decrypt: string }): ExternalPrivateKey {
  const decrypt = async (...encrypted: readonly (string | Buffer)[]): Promise<Buffer> => {
    const ciphertext = expressionOf('(', 'enc-val', '(', ...encrypted, ')', ')');
    const answer = await agent.commands([`SETKEY ${grips.decrypt}`], ['PKDECRYPT', ciphertext]);
    return valueOf(answer, 'value');
  };
  return {
    async sign(data, hash, scheme) {
      // OpenPGP's EdDSA is over a digest, which the agent knows too.
      const digest = scheme === 'ed25519' ? Buffer.from(data) : createHash(hash).update(data).digest();
      const setHash = `SETHASH --hash=${hash} ${digest.toString('hex').toUpperCase()}`;
      const answer = await agent.commands(['RESET'], [`SIGKEY ${grips.sign}`], [setHash], ['PKSIGN']);
      if (scheme === 'rsa-pkcs1v15') return Uint8Array.from(valueOf(answer, 's'));
      const both = Buffer.concat([fixed(valueOf(answer, 'r'), 32), fixed(valueOf(answer, 's'), 32)]);
      return scheme === 'ecdsa' ? ecdsaDerFromFixed(both) : Uint8Array.from(both);
    },
    async agree(point) {
      const whole = point.length === 32 ? Buffer.concat([Buffer.of(0x40), point]) : Buffer.from(point);
      const shared = await decrypt('ecdh', '(', 's', Buffer.of(0), ')', '(', 'e', whole, ')');
      // The x-coordinate, behind a prefix.
      return Uint8Array.from(shared.length === 32 ? shared : shared.subarray(1, 33));
    },
    async decryptKey(encrypted) {
      const block = await decrypt('rsa', '(', 'a', Buffer.from(encrypted), ')');
      const start = block[0] === 0 ? 1 : 0;
      if (block[start] !== 2) throw new Error('padding');
      return Uint8Array.from(block.subarray(block.indexOf(0, start + 1) + 1));
    },
  };
}

describe.skipIf(!hasAgent)('a key that gpg-agent holds', () => {
  let home: string;
  const gpg = (...parameters: readonly string[]): Buffer =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--passphrase', '', ...parameters], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'agent-'));
  });
  afterAll(() => {
    execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
    rmSync(home, { recursive: true, force: true });
  });

  it.each([
    ['ed25519', 'cv25519', 'ed25519 sha512'],
    ['nistp256', 'nistp256', 'p256 sha256'],
    ['rsa2048', 'rsa2048', 'rsa2048 sha512'],
  ])('signs and decrypts with %s and %s', async (signing, encryption, algorithm) => {
    gpg('--quick-gen-key', `xmpp:${jid.toString()}`, signing, 'sign', 'never');
    const listed = (): string[] => gpg('--list-keys', '--with-colons', '--with-keygrip').toString().split('\n');
    const fields = (tag: string): string[] =>
      listed()
        .filter((line) => line.startsWith(`${tag}:`))
        .map((line) => line.split(':')[9]!);
    const [fingerprint] = fields('fpr');
    gpg('--quick-add-key', fingerprint!, encryption, 'encr', 'never');
    const [sign, decrypt] = fields('grp');
    const certificates = Uint8Array.from(gpg('--export', fingerprint!));
    const socket = execFileSync('gpgconf', ['--homedir', home, '--list-dirs', 'agent-socket']).toString().trim();
    const agent = await Agent.connect(socket);
    try {
      const store = memoryStore();
      store.addIdentity(jid, 'openpgp', { keys: keyOf(agent, { sign: sign!, decrypt: decrypt! }), certificates });
      const juliet = await generateIdentity({ jid: julietJid, at: new Date(Date.now() - 60_000) });
      const hers = memoryStore();
      const none = new Uint8Array();
      hers.addIdentity(julietJid, 'openpgp', { keys: Buffer.from(juliet.secretKeyArmored), certificates: none });
      hers.fileCertificate(jid, 'openpgp', certificates);
      store.fileCertificate(julietJid, 'openpgp', Buffer.from(juliet.certificateArmored));
      const his: SecurityBackend = openpgp({ store });
      const her: SecurityBackend = openpgp({ store: hers });

      const out = `<message xmlns='jabber:client' from='${jid.toString()}/o' to='${julietJid.toString()}'><body>Hi</body></message>`;
      const sealed = await sealStanza(out, { backend: his });
      const { verdict } = await openStanza(sealed, { backends: [her], me: julietJid, replay: false });
      expect(verdict.sender).toMatchObject({ jid: jid.toString(), algorithm, fingerprint: fingerprint!.toLowerCase() });

      const back = `<message xmlns='jabber:client' from='${julietJid.toString()}/b' to='${jid.toString()}'><body>Ay me</body></message>`;
      const answer = await sealStanza(back, { backend: her });
      const opened = await openStanza(answer, { backends: [his], me: jid, replay: false });
      expect(opened.stanza.first('body')!.text).toBe('Ay me');
      // What I sent myself, the same way.
      const mine = await openStanza(sealed, { backends: [his], me: jid, replay: false, context: 'sent' });
      expect(mine.stanza.first('body')!.text).toBe('Hi');

      gpg('--yes', '--delete-secret-keys', fingerprint!);
      await expect(sealStanza(out, { backend: his })).rejects.toMatchObject({ code: 'ERR_E2E_KEY_UNAVAILABLE' });
      const gone = openStanza(answer, { backends: [his], me: jid, replay: false });
      await expect(gone).rejects.toBeInstanceOf(E2eError);
      await expect(gone).rejects.toMatchObject({ code: 'ERR_E2E_DECRYPTION_FAILED' });
      gpg('--yes', '--delete-keys', fingerprint!);
    } finally {
      agent.close();
    }
  });
});
