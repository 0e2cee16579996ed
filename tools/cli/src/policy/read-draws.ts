import { createReadStream } from 'node:fs';
import { CsvReader } from '@perennial/history';
import { AppError, toMessage } from '@perennial/kernel';
import type { LoggedRow } from '@perennial/learning';

const ROWS_MAX = 1_000_000;
const LINE_CHARS_MAX = 1 << 20;
const COLUMNS = ['option', 'propensity', 'reward'];

interface ReadDraws {
  readonly rows: readonly LoggedRow[];
  /** What could not be read at all, each with its place; numbers out of range are for the evaluation to find. */
  readonly problems: readonly string[];
}

/**
 * Reads logged draws: CSV with a header, or JSON lines where the name ends with .jsonl. Each has `option`, `propensity` and
 * `reward` (0 or 1, or an amount), and the `context` columns, which are numbers. Throws `config_invalid` when the file cannot be read.
 */
export async function readDraws(file: string, context: readonly string[]): Promise<ReadDraws> {
  const found = new FoundDraws(file, context);
  try {
    await (file.endsWith('.jsonl') ? readJsonLines(file, found) : readCsv(file, found));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('config_invalid', `cannot read ${file}: ${toMessage(cause)}`, { cause });
  }
  return found;
}

class FoundDraws implements ReadDraws {
  readonly rows: LoggedRow[] = [];
  readonly problems: string[] = [];
  /** Of the columns that a file must have. */
  readonly names: readonly string[];
  readonly #file: string;
  readonly #context: readonly string[];

  constructor(file: string, context: readonly string[]) {
    this.names = [...COLUMNS, ...context];
    this.#file = file;
    this.#context = context;
  }

  add(line: number, get: (name: string) => unknown): void {
    if (this.rows.length === ROWS_MAX)
      throw new AppError('config_invalid', `${this.#file} has more than ${ROWS_MAX} rows`);
    this.rows.push({
      option: String(get('option') ?? ''),
      propensity: toNumber(get('propensity')),
      reward: toNumber(get('reward')),
      features: this.#context.map((name) => toNumber(get(name))),
      place: `${this.#file}:${line}`,
    });
  }

  report(line: number, problem: string): void {
    this.problems.push(`${this.#file}:${line}: ${problem}`);
  }
}

async function readCsv(file: string, found: FoundDraws): Promise<void> {
  let header: readonly string[] | undefined;
  let isUsable = true;
  const reader = new CsvReader({
    toSeparator: (first) => [';', '\t', ','].find((separator) => first.includes(separator)) ?? ',',
    onRecord(fields, line) {
      if (header === undefined) {
        header = fields.map((field) => field.trim());
        const missing = found.names.filter((name) => !header?.includes(name));
        isUsable = missing.length === 0;
        for (const name of missing) found.report(line, `the column ${name} is missing`);
      } else if (fields.length !== header.length) {
        found.report(line, `it has ${fields.length} fields, and the header ${header.length}`);
      } else if (isUsable) {
        const columns = header;
        found.add(line, (name) => fields[columns.indexOf(name)]?.trim());
      }
    },
    onBadLine: (line, reason) => found.report(line, `the line ${reason}`),
  });
  for await (const chunk of readChunks(file)) reader.push(chunk);
  reader.end();
  if (header === undefined) found.report(1, 'the file is empty: its first line names the columns');
}

async function readJsonLines(file: string, found: FoundDraws): Promise<void> {
  let line = 0;
  const take = (text: string) => {
    line += 1;
    if (text.trim() === '') return;
    const value = parseObject(text);
    if (value === undefined) found.report(line, 'it is no JSON object');
    else found.add(line, (name) => value.get(name));
  };
  let rest = '';
  for await (const chunk of readChunks(file)) {
    const texts = (rest + chunk).split('\n');
    rest = texts.pop() ?? '';
    for (const text of texts) take(text);
    if (rest.length > LINE_CHARS_MAX) {
      throw new AppError('config_invalid', `${file}:${line + 1}: it is longer than ${LINE_CHARS_MAX} characters`);
    }
  }
  take(rest);
}

/** The text of a file, piece by piece, without a byte order mark. */
async function* readChunks(file: string): AsyncGenerator<string> {
  let isFirst = true;
  for await (const chunk of createReadStream(file, 'utf8')) {
    yield isFirst ? String(chunk).replace(/^\uFEFF/, '') : String(chunk);
    isFirst = false;
  }
}

function parseObject(text: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new Map(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
}

/** NaN for what is no number, which the evaluation reports. */
function toNumber(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}
