import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { AppError } from '@perennial/kernel';
import type { Layout } from './layout.js';
import { findServerUser, type ServerUser } from './server-user.js';

/*
 * Data, state, logs and sockets of an installation are for its owner alone: they hold personal data and secrets. The one
 * other user is PostgreSQL's, where the owner is root: it may enter the folders on the way to its own (0710, its group),
 * and read none of them.
 */

const OWNER_ONLY = 0o700;
const GROUP_ENTERS = 0o710;
const FILE_OWNER_ONLY = 0o600;
const OWNER_UMASK = 0o077;

/** Folders of a home that hold data or secrets, besides that of the stack's data. */
const CLOSED_FOLDERS: readonly string[] = ['state', 'logs', 'snapshots', 'artifacts', 'archive', 'backfills'];
/** Downloaded programs, no data; PostgreSQL's user runs its own from there. */
const OPEN_FOLDERS: readonly string[] = ['cache', 'tools'];

/** Creates a folder for its owner alone, and closes one that is there; `enter` may pass through it. */
export function closeFolder(folder: string, { enter }: { enter?: ServerUser | undefined } = {}): void {
  mkdirSync(folder, { recursive: true, mode: OWNER_ONLY });
  const { uid } = statSync(folder);
  // Somebody else's folder is not ours to close.
  if (uid !== process.getuid?.()) return;
  if (enter !== undefined) chownSync(folder, uid, enter.gid);
  chmodSync(folder, enter === undefined ? OWNER_ONLY : GROUP_ENTERS);
}

/**
 * The same below a folder that every user may write to. Throws `config_invalid` where somebody else was there first, with a
 * folder of theirs or a link: data would lie in their hands.
 */
export function closeOwnFolder(folder: string, options: { enter?: ServerUser | undefined } = {}): void {
  mkdirSync(folder, { recursive: true, mode: OWNER_ONLY });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new AppError('config_invalid', `${folder} is a link or belongs to another user: find out why, and remove it`);
  }
  closeFolder(folder, options);
}

/**
 * Closes an installation's folders, those of an earlier version too; called at every start. A home that holds folders of
 * somebody else (`PERENNIAL_HOME` may be a disk) stays as it is, and so do they.
 */
export function closeInstallation({ home, stateDir, dataDir }: Pick<Layout, 'home' | 'stateDir' | 'dataDir'>): void {
  const enter = findServerUser();
  const names = existsSync(home) ? listFolders(home) : [];
  const known = [...CLOSED_FOLDERS, ...OPEN_FOLDERS, basename(dataDir)];
  if (names.every((name) => known.includes(name))) closeFolder(home, { enter });
  closeFolder(dataDir, { enter });
  for (const name of CLOSED_FOLDERS) if (names.includes(name)) closeFolder(join(home, name));
  closeFolder(stateDir);
  closeFiles(stateDir);
}

/** Runs synchronous work, such as the start of a process, under a mask that keeps new files for their owner. */
export function withOwnerUmask<T>(work: () => T): T {
  // Threads have no mask of their own.
  if (!isMainThread) return work();
  const before = process.umask(OWNER_UMASK);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}

function listFolders(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function closeFiles(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) closeFolder(path);
    else if (entry.isFile()) closeFile(path);
  }
}

/** One that is gone by now was the unfinished file, or the lock, of a command that runs at the same time. */
function closeFile(path: string): void {
  try {
    chmodSync(path, FILE_OWNER_ONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
