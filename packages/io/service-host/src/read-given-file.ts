import { readFile } from 'node:fs/promises';
import { AppError, toMessage } from '@perennial/kernel';

/** Reads a file that the user named on the command line; one that cannot be read is wrong usage (`config_invalid`). */
export async function readGivenFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new AppError('config_invalid', `cannot read ${path}: ${toMessage(cause)}`, { cause });
  }
}
