import { closeSync, openSync, readSync } from 'node:fs';
import { AppError, toMessage } from '@perennial/kernel';

/** A plan, spec or corrected event has a few KB; a pipe or device may never end. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;

/** The text of a file that a command was given; throws `config_invalid` when it cannot be read. */
export function readText(file: string): string {
  return readBytes(file).toString('utf8');
}

/** The bytes of a file, a pipe too; throws `config_invalid` when they cannot be read, or are more than 8 MiB. */
export function readBytes(file: string): Buffer {
  try {
    const fd = openSync(file, 'r');
    try {
      return readAll(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw new AppError('config_invalid', `cannot read ${file}: ${toMessage(cause)}`, { cause });
  }
}

function readAll(fd: number): Buffer {
  const pieces: Buffer[] = [];
  let length = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(64 * 1024);
    const read = readSync(fd, piece);
    if (read === 0) return Buffer.concat(pieces, length);
    length += read;
    if (length > FILE_BYTES_MAX) throw new Error(`it has more than ${FILE_BYTES_MAX} bytes`);
    pieces.push(piece.subarray(0, read));
  }
}
