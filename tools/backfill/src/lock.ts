import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';

const ATTEMPTS_MAX = 3;

/**
 * One backfill at a time in a namespace: two would both drive its time. Returns the release; throws
 * `dependency_unavailable` when another process holds the lock. The lock of a process that has ended is taken over.
 */
export async function lockFolder(
  folder: string,
  self: { pid: number; isAlive: (pid: number) => boolean },
): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'lock');
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      await writeFile(path, String(self.pid), { flag: 'wx' });
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => ''));
    if (Number.isInteger(holder) && holder > 0 && self.isAlive(holder)) {
      throw new AppError('dependency_unavailable', `a backfill into this namespace is running (process ${holder})`);
    }
    await rm(path, { force: true });
  }
  throw new AppError('dependency_unavailable', `cannot take ${path}: others keep taking it`);
}
