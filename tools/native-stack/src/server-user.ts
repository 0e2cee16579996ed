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

/** The first folder on the way to `path` that a user may not enter; undefined when they can reach all of it. */
export function findClosedFolder(path: string, user: ServerUser): string | undefined {
  const parent = dirname(path);
  const above = parent === path ? undefined : findClosedFolder(parent, user);
  if (above !== undefined) return above;
  return existsSync(path) && !mayEnter(path, user) ? path : undefined;
}

function mayEnter(folder: string, user: ServerUser): boolean {
  const { mode, uid, gid } = statSync(folder);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  return (mode & (gid === user.gid ? 0o010 : 0o001)) !== 0;
}
