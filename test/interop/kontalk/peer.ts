/** The Kontalk test peer: one Java process that answers one request a line. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ci, hasProgram } from '../../shared-data.ts';

const jars = ['/usr/share/java/bcpg.jar', '/usr/share/java/bcprov.jar'];
const source = fileURLToPath(new URL('KontalkPeer.java', import.meta.url));

/** Whether Java and Bouncy Castle are installed. With CI=true their absence is an error. */
export function hasKontalkPeer(): boolean {
  const missing = jars.find((jar) => !existsSync(jar));
  if (missing !== undefined && ci) throw new Error(`a library is missing: ${missing}`);
  return missing === undefined && hasProgram('javac', '-version');
}

/** Keys of the peer's kind. */
export interface KontalkKeys {
  readonly userId: string;
  readonly secret: Uint8Array;
  readonly certificate: Uint8Array;
}

/** What the peer made of a message. */
export interface KontalkReading {
  /** What that client would flag on the message that it shows. */
  readonly flags: readonly string[];
  readonly payload: string;
}

/** How the peer seals. */
export interface KontalkSealing {
  readonly cipher?: 'aes192' | 'aes256';
  readonly compress?: boolean;
  /** Octets of each partial length: 256 in that client, less than the standard allows for the first. */
  readonly part?: 256 | 512;
}

/** A running peer. */
export interface KontalkPeer {
  /** @param back what the signing subkey's back-signature covers */
  keygen(userId: string, at: Date, back?: 'right' | 'primary-only'): Promise<KontalkKeys>;
  /** @returns the text of `<e2e/>` */
  seal(
    sender: KontalkKeys,
    recipients: readonly KontalkKeys[],
    payload: string,
    at: Date,
    how?: KontalkSealing,
  ): Promise<string>;
  /** @throws {Error} with the peer's words for what it shows nothing of */
  open(me: KontalkKeys, sender: Pick<KontalkKeys, 'certificate'>, text: string, now: Date): Promise<KontalkReading>;
  stop(): void;
}

/** Compiles and starts the peer. */
export function startKontalkPeer(): KontalkPeer {
  const classes = mkdtempSync(join(tmpdir(), 'kontalk-peer-'));
  const compiled = spawnSync('javac', ['-cp', jars.join(':'), '-d', classes, source], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`javac: ${compiled.stderr}`);
  const child = spawn('java', ['-cp', [...jars, classes].join(':'), 'KontalkPeer'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.(line));
  const ask = async (...words: readonly string[]): Promise<readonly string[]> => {
    const answer = await new Promise<string>((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${words.join(' ')}\n`);
    });
    if (answer.startsWith('error ')) throw new Error(answer.slice(6));
    return answer.split(' ').slice(1);
  };
  const base64 = (octets: Uint8Array | string): string => Buffer.from(octets).toString('base64');
  const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
  const seconds = (at: Date): string => String(Math.floor(at.getTime() / 1000));
  return {
    async keygen(userId, at, back = 'primary-only') {
      const [secret, certificate] = await ask('keygen', base64(userId), seconds(at), back);
      return { userId, secret: octets(secret!), certificate: octets(certificate!) };
    },
    async seal(sender, recipients, payload, at, { cipher = 'aes192', compress = true, part = 256 } = {}) {
      const how = [cipher, compress ? 'zip' : 'none', String(part)];
      const certificates = recipients.map(({ certificate }) => base64(certificate));
      const who = [base64(sender.secret), base64(sender.userId), seconds(at)];
      return (await ask('seal', ...who, ...how, base64(payload), ...certificates))[0]!;
    },
    async open(me, sender, text, now) {
      const who = [base64(me.secret), base64(sender.certificate), base64(me.userId), seconds(now)];
      const [flags, payload] = await ask('open', ...who, text);
      return {
        flags: flags === 'none' ? [] : flags!.split(','),
        payload: Buffer.from(payload!, 'base64').toString('utf8'),
      };
    },
    stop() {
      child.kill();
      rmSync(classes, { recursive: true, force: true });
    },
  };
}
