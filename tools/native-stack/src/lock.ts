import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError, must, systemClock } from '@perennial/kernel';
import { isRunning, type ProcessRef, readProcessRef } from './process-ref.js';
import { readStateFile } from './state-file.js';

const POLL_MS = 50;

/**
 * Runs `work` while holding a lock file; the lock of a dead holder is taken over. Throws `timeout` naming the holder.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { waitMsMax }: { waitMsMax: number },
): Promise<T> {
  const self = must(readProcessRef(process.pid), 'own process');
  mkdirSync(dirname(path), { recursive: true });
  const deadline = systemClock.steadyMs() + waitMsMax;
  while (!tryLock(path, self)) {
    const holder = readStateFile<ProcessRef>(path);
    if (holder !== undefined && !isRunning(holder)) removeStaleLock(path, holder);
    else if (systemClock.steadyMs() >= deadline) {
      throw new AppError('timeout', `${path} is held by process ${holder?.pid ?? '?'}; wait for it or end it`, {
        retriable: true,
      });
    } else await systemClock.wait(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** Linking a complete file is atomic: nobody ever reads a lock without its holder. */
function tryLock(path: string, self: ProcessRef): boolean {
  const mine = `${path}.${self.pid}`;
  writeFileSync(mine, JSON.stringify(self), { mode: 0o600 });
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Moves the stale lock aside and checks what was moved: a live lock of a faster process is put back. */
function removeStaleLock(path: string, stale: ProcessRef): void {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
    const moved = readStateFile<ProcessRef>(aside);
    if (moved !== undefined && moved.startedAt !== stale.startedAt) linkSync(aside, path);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
