/**
 * A lock between processes on one machine, which a killed holder does not keep.
 *
 * The lock is a symbolic link that points nowhere: made and filled in one atomic step, its text names the holder. A
 * lock of a process that runs no longer is broken by whoever wins the claim for it: the claim is a link too, named
 * after the dead holder, so that no two processes can both break one lock and thereby remove a living third one.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, readlink, symlink, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs `work` while this process holds the lock.
 *
 * @param path the lock; its directory must exist
 * @param work what to do under the lock
 * @param patience milliseconds to wait for another holder
 * @throws whatever `work` throws; an Error of code `ELOCKED` when the lock was not to be had in time
 */
export async function withLock<T>(path: string, work: () => Promise<T>, patience = 10_000): Promise<T> {
  const me = `${process.pid} ${startOf(process.pid)} ${randomBytes(12).toString('hex')} ${here()}`;
  await acquire(path, me, patience);
  try {
    await sweepClaims(path);
    return await work();
  } finally {
    if ((await targetOf(path)) === me) await unlink(path);
  }
}

async function acquire(path: string, me: string, patience: number): Promise<void> {
  const deadline = Date.now() + patience;
  for (let pause = 1; !(await claim(path, me)); pause = Math.min(pause * 2, 40)) {
    await breakIfDead(path, me);
    if (Date.now() > deadline) throw Object.assign(new Error('the lock is held'), { code: 'ELOCKED' });
    await sleep(pause * (0.5 + Math.random()));
  }
}

/** Makes the link, unless it is there. */
async function claim(path: string, me: string): Promise<boolean> {
  try {
    await symlink(me, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function targetOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function breakIfDead(path: string, me: string): Promise<void> {
  const dead = await targetOf(path);
  if (dead === undefined || holds(dead)) return;
  const claims: string[] = [];
  // Whoever claimed the right to break may have died too: then that claim is claimed, and so on.
  for (let holder = dead; ;) {
    const name = `${path}.dead-${nonceOf(holder)}`;
    claims.unshift(name);
    if (await claim(name, me)) break;
    const claimant = await targetOf(name);
    if (claimant === undefined || holds(claimant)) return;
    holder = claimant;
  }
  // Read again under the claim: somebody may have broken this lock, and a third one have taken it, since we looked.
  if ((await targetOf(path)) === dead) await unlink(path);
  for (const name of claims) await unlink(name).catch(() => undefined);
}

const swept = new Set<string>();

/**
 * Removes claims that killed breakers left, once in a process. Only the holder of the lock may: while a living one
 * stands there, no claim to an earlier one means anything.
 */
async function sweepClaims(path: string): Promise<void> {
  if (swept.has(path)) return;
  swept.add(path);
  const directory = dirname(path);
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`${basename(path)}.dead-`)) continue;
    const claimant = await targetOf(join(directory, name));
    if (claimant !== undefined && !holds(claimant)) await unlink(join(directory, name)).catch(() => undefined);
  }
}

function nonceOf(holder: string): string {
  return /^[0-9a-f]{24}$/.exec(holder.split(' ')[2] ?? '')?.[0] ?? 'unreadable';
}

/** Whether the holder that a link names may still be at work. Holders elsewhere cannot be asked, so they count. */
function holds(holder: string): boolean {
  const [pid, start, , ...place] = holder.split(' ');
  if (place.join(' ') !== here()) return true;
  return isRunning(Number(pid), start);
}

/**
 * Whether a process runs.
 *
 * @param pid on this machine
 * @param start its start as {@link startOf} gave it, so that a number used again is not taken for the old process
 */
export function isRunning(pid: number, start?: string): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const now = startOf(pid);
  return now !== 'dead' && (start === undefined || now === start);
}

/**
 * When a process started, in clock ticks since boot; `-` where the system does not tell; `dead` for a zombie.
 */
export function startOf(pid: number): string {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return '-';
  }
  // The second field is the program's name in parentheses, which may itself hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : (fields[19] ?? '-');
}

let place: string | undefined;

/** Where process numbers mean the same: this machine, and on Linux this container. */
function here(): string {
  if (place === undefined) {
    try {
      place = `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
    } catch {
      place = hostname();
    }
  }
  return place;
}
