import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError, toMessage } from '@perennial/kernel';
import { checkKey, checkPrefix, type StreamingBlobStore } from './blob-store.js';

/** Names of unfinished files begin with a dot, which no segment of a key does. */
const UNFINISHED = '.';
/** Piece size when a file is read in pieces. */
const PIECE_BYTES = 1_048_576;

/** Snapshots and archives hold personal data: for the process's own user alone. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Objects as files below a folder, which is created when it does not exist. */
export function createFolderBlobStore(folder: string): StreamingBlobStore {
  const pathOf = (key: string) => {
    checkKey(key);
    return join(folder, key);
  };
  return {
    put: (key, bytes) => run(`write ${key}`, () => writeDurably(pathOf(key), bytes)),
    read: (key) =>
      run(`read ${key}`, async () => {
        const file = await unlessAbsent(() => open(pathOf(key)), undefined);
        return file && readPieces(file, key);
      }),
    get: (key) => run(`read ${key}`, () => unlessAbsent(() => readFile(pathOf(key)), undefined)),
    list(prefix) {
      checkPrefix(prefix);
      return run(`list ${prefix}`, async () => (await listKeys(join(folder, prefix), prefix)).sort());
    },
    delete: (key) => run(`delete ${key}`, () => removeWithFolder(pathOf(key))),
  };
}

/** Closes the file when it has been read, or when the reader stops early. */
async function* readPieces(file: FileHandle, key: string): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      const { bytesRead, buffer } = await run(`read ${key}`, () =>
        file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES),
      );
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function run<T>(what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('dependency_unavailable', `blob folder, ${what}: ${toMessage(error)}`, {
      retriable: true,
      cause: error,
    });
  }
}

/** Temporary name, fsync, rename, fsync of the folder: a crash at any point leaves all of the object or none. */
async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  const unfinished = join(folder, `${UNFINISHED}${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(unfinished, 'wx', FILE_MODE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** A new folder is durable only when its parent folder is synced. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

/** A folder is removed with its last object, so that removed snapshots leave no empty folders. */
async function removeWithFolder(path: string): Promise<void> {
  await rm(path, { force: true });
  try {
    await rmdir(dirname(path));
  } catch (error) {
    if (!FOLDER_STAYS.has(codeOf(error))) throw error;
  }
}

const FOLDER_STAYS: ReadonlySet<unknown> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT']);

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function listKeys(folder: string, prefix: string): Promise<string[]> {
  const entries = await unlessAbsent(() => readdir(folder, { withFileTypes: true }), []);
  const keys: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith(UNFINISHED)) continue;
    if (entry.isDirectory()) keys.push(...(await listKeys(join(folder, entry.name), `${prefix}${entry.name}/`)));
    else keys.push(`${prefix}${entry.name}`);
  }
  return keys;
}

async function unlessAbsent<T>(operation: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return otherwise;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
