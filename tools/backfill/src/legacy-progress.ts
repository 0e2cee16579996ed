import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { History } from '@perennial/history';
import { AppError } from '@perennial/kernel';
import { SENT, toSentOrders, UNSENT } from './find-sent.js';
import type { SentRow } from './ledger-codec.js';
import { findFirstAfter } from './schedule.js';

/**
 * Marks as sent what a version without a ledger has sent of the file, and gives its rows. That version kept no list of
 * what was rejected: these rows are among them.
 */
export async function takeLegacyProgress(
  history: History,
  flags: Uint8Array,
  { folder, logTimeMs }: { readonly folder: string; readonly logTimeMs: number },
): Promise<SentRow[]> {
  const reachedMs = await readLegacyProgress(folder, history.sha256);
  if (reachedMs === undefined || logTimeMs < reachedMs) return [];
  const rows: SentRow[] = [];
  for (let index = 0; index < findFirstAfter(history, reachedMs); index++) {
    if (flags[index] !== UNSENT) continue;
    flags[index] = SENT;
    rows.push({ id: history.rowId(index), orders: toSentOrders(history, index) });
  }
  return rows;
}

/**
 * Log time up to which a file of this content was backfilled by a version that kept progress by content in files, and no
 * ledger of rows; undefined when there is none. Throws `config_invalid` for a damaged file.
 */
async function readLegacyProgress(folder: string, sha256: string): Promise<number | undefined> {
  const path = join(folder, `${sha256}.json`);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { reachedMs } = JSON.parse(text) as Record<string, unknown>;
    if (typeof reachedMs === 'number' && Number.isFinite(reachedMs)) return reachedMs;
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
