import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { AppError, toMessage } from '@perennial/kernel';
import type { History } from './history.js';
import { HistoryBuilder } from './history-builder.js';
import { type HistorySource, openBytes } from './open-bytes.js';
import type { ReadOptions } from './read-options.js';
import { createFileDecoder } from './text-decoder.js';

/**
 * Reads a history file, gzip or not; throws AppError when it is not a history file. Bad rows do not stop it. A file
 * whose numbers turn out to have decimal commas is read a second time.
 */
export async function readOrders(source: HistorySource, options: ReadOptions = {}): Promise<History> {
  const fileName = options.fileName ?? (typeof source === 'string' ? basename(source) : 'stdin');
  try {
    const history = await readOnce(source, fileName, options);
    return history ?? (await readAgain(source, fileName, options));
  } catch (error) {
    if (error instanceof AppError) throw nameFile(error, fileName);
    const { code = '' } = error as NodeJS.ErrnoException;
    const what = code.startsWith('Z_')
      ? `its gzip data are damaged or cut off (${toMessage(error)})`
      : toMessage(error);
    throw new AppError(code === 'ENOENT' ? 'not_found' : 'config_invalid', `cannot read ${fileName}: ${what}`, {
      cause: error,
    });
  }
}

async function readAgain(source: HistorySource, fileName: string, options: ReadOptions): Promise<History> {
  // Opening a pipe again would wait for another writer, for ever.
  if (typeof source === 'string' && !(await stat(source)).isFile()) {
    const message = 'its numbers have decimal commas, and it cannot be read a second time: pass --decimal ,';
    throw new AppError('config_invalid', message);
  }
  const history = await readOnce(source, fileName, options, ',');
  if (history === undefined) throw new Error('assertion failed: the second reading ends');
  return history;
}

/** Undefined when the file has to be read again, with decimal commas. */
async function readOnce(
  source: HistorySource,
  fileName: string,
  options: ReadOptions,
  assumed?: ',',
): Promise<History | undefined> {
  const hash = createHash('sha256');
  const { head, chunks } = await openBytes(source);
  const decoder = createFileDecoder(head, options.encoding);
  const builder = new HistoryBuilder({ fileName, options, encoding: decoder.encoding, assumed });
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    builder.push(decoder.decode(chunk));
    if (builder.hasDecimalCommas) return undefined;
  }
  builder.push(decoder.end());
  builder.end();
  if (builder.hasDecimalCommas) return undefined;
  return builder.finish({ sha256: hash.digest('hex'), bytes });
}

function nameFile(error: AppError, fileName: string): AppError {
  if (error.message.startsWith(fileName)) return error;
  return new AppError(error.code, `${fileName}: ${error.message}`, { cause: error });
}
