import { readFile, stat } from 'node:fs/promises';
import { AppError, toMessage } from '@perennial/kernel';

/** Largest file that is read whole, as of documents written by people in the artifact store. */
const FILE_BYTES_MAX = 4 * 1_048_576;

/**
 * Reads a file that the user named on the command line; one that cannot be read, is no file (a device never ends) or is
 * too large is wrong usage (`config_invalid`).
 */
export async function readGivenFile(path: string): Promise<Buffer> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error('it is not a file');
    if (found.size > FILE_BYTES_MAX) throw new Error(`it has ${found.size} bytes, ${FILE_BYTES_MAX} at most are read`);
    return await readFile(path);
  } catch (cause) {
    throw new AppError('config_invalid', `cannot read ${path}: ${toMessage(cause)}`, { cause });
  }
}
