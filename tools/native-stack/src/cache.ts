import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.js';

const FETCH_WAIT_MS_MAX = 600_000;

/**
 * A folder of the cache, filled once: `fill` works in a temporary folder beside it, which is renamed when it is
 * complete. All under a lock, so a partial download never counts and two stacks never fetch the same artifact.
 */
export async function ensureCached(
  cacheDir: string,
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheDir, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cacheDir, { recursive: true });
  return withLock(
    join(cacheDir, `${name}.lock`),
    async () => {
      if (existsSync(folder)) return folder;
      removePartials(cacheDir, name);
      // A unique name: processes of a killed run may still be writing into its folder.
      const partial = join(cacheDir, `${name}.partial-${process.pid}`);
      mkdirSync(partial);
      await fill(partial);
      renameSync(partial, folder);
      return folder;
    },
    { waitMsMax: FETCH_WAIT_MS_MAX },
  );
}

function removePartials(cacheDir: string, name: string): void {
  for (const entry of readdirSync(cacheDir)) {
    if (entry.startsWith(`${name}.partial`))
      rmSync(join(cacheDir, entry), { recursive: true, force: true, maxRetries: 5 });
  }
}
