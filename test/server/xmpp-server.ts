/**
 * Real servers for one test run: unprivileged, on loopback, in a temporary folder, with a certificate authority of
 * their own. Where a server is not installed its tests are skipped visibly, and fail with CI=true.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { ci } from '../shared-data.ts';

/** A running server with accounts whose passwords are their names and `pw`. */
export interface XmppServer {
  readonly name: string;
  readonly domain: string;
  readonly starttlsPort: number;
  readonly tlsPort: number;
  /** Secure WebSocket. */
  readonly websocket: string;
  readonly componentPort: number;
  /** PEM file of the authority. */
  readonly authority: string;
  /** What the server wrote. */
  log(): string;
  stop(): Promise<void>;
}

/** What a server's starter is given. */
export interface ServerSetup {
  readonly folder: string;
  readonly ports: Readonly<Record<'starttls' | 'tls' | 'https' | 'component', number>>;
  readonly accounts: readonly string[];
}

/** Nobody, where the tests run as root: neither server wants to. */
const dropTo: { uid?: number; gid?: number } = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Starts a server from its command line, and waits until it listens. */
export async function startServer(
  name: string,
  accounts: readonly string[],
  command: (setup: ServerSetup) => { file: string; args: readonly string[]; env?: Record<string, string> },
  ready: (log: string) => boolean = () => true,
): Promise<XmppServer> {
  const folder = mkdtempSync(join(tmpdir(), `xmpp-e2e-${name}-`));
  const [starttls, tlsPort, https, component] = (await freePorts(4)) as [number, number, number, number];
  makeCertificates(folder);
  const {
    file,
    args,
    env = {},
  } = command({
    folder,
    ports: { starttls, tls: tlsPort, https, component },
    accounts,
  });
  giveAway(folder);
  const child = spawn(file, args, {
    cwd: folder,
    env: { ...process.env, HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...dropTo,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const log = (): string => output;
  const stop = async (): Promise<void> => {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listening([starttls, tlsPort, https], child, log, ready);
  } catch (error) {
    await stop();
    throw error;
  }
  const authority = join(folder, 'ca.crt');
  trustAuthority(readFileSync(authority, 'utf8'));
  return {
    name,
    domain: 'localhost',
    starttlsPort: starttls,
    tlsPort,
    websocket: `wss://localhost:${https}/xmpp-websocket`,
    componentPort: component,
    authority,
    log,
    stop,
  };
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as { port: number }).port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}

function makeCertificates(folder: string): void {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    ...['req', '-x509', ...key, '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=Test CA'],
    ...['-addext', 'keyUsage=critical,keyCertSign'],
  );
  openssl('req', ...key, '-keyout', 'localhost.key', '-out', 'leaf.csr', '-subj', '/CN=localhost');
  writeFileSync(join(folder, 'leaf.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl(
    ...['x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'],
    ...['-out', 'localhost.crt', '-extfile', 'leaf.ext'],
  );
  writeFileSync(
    join(folder, 'localhost.pem'),
    readFileSync(join(folder, 'localhost.crt'), 'utf8') + readFileSync(join(folder, 'localhost.key'), 'utf8'),
  );
}

function giveAway(folder: string): void {
  chmodSync(folder, 0o755);
  const { uid, gid } = dropTo;
  if (uid === undefined || gid === undefined) return;
  for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]) {
    chownSync(join(folder, name), uid, gid);
  }
}

async function listening(
  ports: readonly number[],
  child: ChildProcess,
  log: () => string,
  ready: (log: string) => boolean,
): Promise<void> {
  const until = Date.now() + 60_000;
  const open = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  while (!((await Promise.all(ports.map(open))).every(Boolean) && ready(log()))) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`the server did not start:\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exit;
  clearTimeout(timer);
}

const authorities: string[] = [];
const createSecureContext = tls.createSecureContext.bind(tls);

/**
 * Makes this process trust the test authority beside the usual ones. Node reads NODE_EXTRA_CA_CERTS only when it
 * starts, and none of the SDKs takes an authority.
 */
function trustAuthority(pem: string): void {
  authorities.push(pem);
  tls.createSecureContext = (options) => {
    const context = createSecureContext(options);
    for (const authority of authorities) {
      (context.context as { addCACert(pem: string): void }).addCACert(authority);
    }
    return context;
  };
}

/** Makes a folder inside the server's. */
export function folderIn(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Whether a program is in the usual places, without running it. With CI=true its absence is an error. */
export function installed(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  const found = folders.some((folder) => existsSync(join(folder, program)));
  if (!found && ci) throw new Error(`a program is missing: ${program}`);
  return found;
}
