import { Readable } from 'node:stream';
import { type History, type ReadOptions, readOrders, toWarnings } from '@perennial/history';
import { type CsvDialect, drawDialect, writeCsv, writeNumber } from '@perennial/history/testing';
import { isAppError } from '@perennial/kernel';
import { Draw } from '../draw.js';
import type { CaseResult, FuzzTarget } from '../target.js';

const HEADER = ['user_id', 'ts', 'event_type', 'item_id', 'quantity', 'value'];
const FIRST_MS = Date.UTC(2024, 0, 1);
const ROWS_MAX = 40;
const DAMAGES_MAX = 6;
/** Errors about a file name what to pass, or the line. */
const NAMED = /--\w|line \d|column|header|empty|not text|gzip|encoding|byte order mark/i;

interface Row {
  readonly user: string;
  readonly minute: number;
  readonly quantity: number;
  readonly value: number;
}

/** A file as some shop, spreadsheet or database writes it, whole or damaged: the sums of its rows, or what is wrong with it. */
export const csv: FuzzTarget = {
  description: 'history files in any dialect: encodings, separators, decimal commas, quotes, damage',
  async run(seed): Promise<CaseResult> {
    const draw = new Draw(seed);
    const dialect = drawDialect(draw.random);
    const rows = draw.list(draw.whole(1, ROWS_MAX), (index) => drawRow(draw, index));
    const bytes = writeCsv([HEADER, ...rows.map((row) => toFields(row, dialect))], dialect);
    if (bytes === undefined) return { results: ['not writable in its encoding'] };
    const options = dialect.encoding.startsWith('utf') ? {} : { encoding: dialect.encoding };
    if (draw.chance(0.3)) return readDamaged(damage(bytes, draw), options);
    const history = await readOrName(bytes, options, dialect);
    const found = [history.length, history.badRows.count, sumOf(history)];
    const wanted = [rows.length, 0, Math.round(rows.reduce((sum, { value }) => sum + value * 100, 0))];
    if (found.join() === wanted.join()) return { results: ['read'] };
    const what = `[rows, bad rows, cents] are ${found}, and must be ${wanted}`;
    return { results: ['wrong'], problem: `${what}: ${JSON.stringify({ dialect, rows, bad: history.badRows.first })}` };
  },
};

function drawRow(draw: Draw, index: number): Row {
  const user = `u${draw.list(draw.whole(0, 5), () => draw.pick([...'ab7 ",;|\n'])).join('')}x`;
  return { user, minute: index, quantity: draw.whole(1, 3000), value: draw.whole(0, 10_000_00) / 100 };
}

function toFields({ user, minute, quantity, value }: Row, dialect: CsvDialect): string[] {
  const ts = new Date(FIRST_MS + minute * 60_000).toISOString();
  return [user, ts, 'purchase', 'p', writeNumber(quantity, dialect), writeNumber(value, dialect)];
}

/** An error that names an option is right where a file can be read in two ways; with that option it must be read. */
async function readOrName(bytes: Buffer, options: ReadOptions, dialect: CsvDialect): Promise<History> {
  const { separator, decimal } = dialect;
  try {
    const history = await read(bytes, options);
    return toWarnings(history).some((warning) => warning.includes('--decimal'))
      ? await read(bytes, { ...options, decimal })
      : history;
  } catch (error) {
    if (!isAppError(error, 'config_invalid') || !/--(decimal|separator) /.test(error.message)) throw error;
    return read(bytes, { ...options, separator, decimal });
  }
}

async function readDamaged(bytes: Buffer, options: ReadOptions): Promise<CaseResult> {
  try {
    const history = await read(bytes, options);
    return { results: [history.badRows.count > 0 ? 'damaged: bad rows named' : 'damaged: read'] };
  } catch (error) {
    if (!isAppError(error, 'config_invalid')) throw error;
    if (NAMED.test(error.message)) return { results: ['damaged: named'] };
    return { results: ['wrong'], problem: `the error does not say where or what: ${error.message}` };
  }
}

function damage(bytes: Buffer, draw: Draw): Buffer {
  const damaged = Buffer.from(bytes);
  for (let count = draw.whole(0, DAMAGES_MAX); count > 0; count--)
    damaged[draw.whole(0, damaged.length - 1)] = draw.whole(0, 255);
  return draw.chance(0.5) ? damaged.subarray(0, draw.whole(0, damaged.length)) : damaged;
}

/** Hundredths of all values. */
function sumOf(history: History): number {
  let sum = 0;
  for (let index = 0; index < history.length; index++)
    for (const { value = 0 } of history.order(index).items) sum += Math.round(value * 100);
  return sum;
}

function read(bytes: Buffer, options: ReadOptions): Promise<History> {
  return readOrders(() => Readable.from([bytes]), { fileName: 'drawn.csv', ...options });
}
