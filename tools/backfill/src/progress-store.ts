import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';

/** Progress of the backfill of one file content into one namespace. */
export interface Progress {
  readonly sha256: string;
  /**
   * Name under which the file was first backfilled. It is part of the message ids, and kept when the file is renamed.
   */
  readonly fileName: string;
  /** Log time reached, ms: everything up to it is sent and acknowledged. */
  readonly reachedMs: number;
}

/** Progress by file content, one file each, replaced atomically: a kill at any point leaves the old or the new one. */
export interface ProgressStore {
  load(sha256: string): Promise<Progress | undefined>;
  save(progress: Progress): Promise<void>;
}

export function createProgressStore(folder: string): ProgressStore {
  const toPath = (sha256: string) => join(folder, `${sha256}.json`);
  return {
    load: async (sha256) => {
      const text = await readIfThere(toPath(sha256));
      return text === undefined ? undefined : parseProgress(text, toPath(sha256));
    },
    save: async (progress) => {
      const path = toPath(progress.sha256);
      await mkdir(folder, { recursive: true });
      const content = { ...progress, reached: new Date(progress.reachedMs).toISOString() };
      const file = await open(`${path}.new`, 'w');
      try {
        await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
    },
  };
}

function parseProgress(text: string, path: string): Progress {
  try {
    const { sha256, fileName, reachedMs } = JSON.parse(text) as Record<string, unknown>;
    if (typeof sha256 === 'string' && typeof fileName === 'string' && Number.isFinite(reachedMs)) {
      return { sha256, fileName, reachedMs: reachedMs as number };
    }
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
