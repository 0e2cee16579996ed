import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';

/**
 * Log time up to which a file of this content was backfilled by a version that kept progress by content in files, and no
 * ledger of rows; undefined when there is none. Throws `config_invalid` for a damaged file.
 */
export async function readLegacyProgress(folder: string, sha256: string): Promise<number | undefined> {
  const path = join(folder, `${sha256}.json`);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { reachedMs } = JSON.parse(text) as Record<string, unknown>;
    if (typeof reachedMs === 'number' && Number.isFinite(reachedMs)) return reachedMs;
  } catch {
    // Falls through to one error for everything that is not a valid progress file.
  }
  throw new AppError('config_invalid', `${path} is damaged; remove it to backfill the file from its beginning`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
