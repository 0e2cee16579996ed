import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: ServerUser = { uid: 65_534, gid: 65_534 };

/** User for PostgreSQL, which does not run as root; undefined when this process is not root. */
export function findServerUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = existsSync('/etc/passwd')
    ? /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))
    : null;
  return line === null ? NOBODY : { uid: Number(line[1]), gid: Number(line[2]) };
}

/** The first folder on the way to `path` that other users may not enter; undefined when they can reach all of it. */
export function findClosedFolder(path: string): string | undefined {
  const OTHERS_ENTER = 0o001;
  const parent = dirname(path);
  const above = parent === path ? undefined : findClosedFolder(parent);
  if (above !== undefined) return above;
  return existsSync(path) && (statSync(path).mode & OTHERS_ENTER) === 0 ? path : undefined;
}
