import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@perennial/kernel';

/** Reads a state file; undefined when there is none. Throws `config_invalid` naming the file when it is not JSON. */
export function readStateFile<T>(path: string): T | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new AppError('config_invalid', `${path} is not JSON; remove it if you do not know what it is`, { cause });
  }
}

/** Writes a state file atomically, readable by its owner only: it may hold secrets. */
export function writeStateFile(path: string, state: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(partial, path);
}

/** Removes a state file; nothing happens when there is none. */
export function removeStateFile(path: string): void {
  rmSync(path, { force: true });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
