import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { drawDialect, encodeText, writeCsv, writeNumber } from '@perennial/history/testing';
import { createSeededRandom, isAppError } from '@perennial/kernel';
import { toWarnings } from './check-history.js';
import type { History } from './history.js';
import type { ReadOptions } from './read-options.js';
import { readOrders } from './read-orders.js';

const HEADER = ['user_id', 'ts', 'event_type', 'item_id', 'quantity', 'value', 'extra'];
const DRAWS = 200;
const LETTERS: Readonly<Record<string, string>> = {
  'windows-1252': 'éß€',
  'windows-1251': 'Жя',
  gbk: '汉字',
  shift_jis: 'アｱ漢',
};

describe('files in any dialect', () => {
  it(`are read as they were written, or what to pass is named (${DRAWS} draws by seed)`, async () => {
    for (let seed = 1; seed <= DRAWS; seed++) {
      const random = createSeededRandom(seed);
      const dialect = drawDialect(random);
      const rows = drawRows(random, LETTERS[dialect.encoding] ?? 'é汉Ж');
      const table = rows.map(({ user, minute, quantity, value, extra }) => [
        user,
        toIso(minute),
        'purchase',
        'p',
        writeNumber(quantity, dialect),
        writeNumber(value, dialect),
        extra,
      ]);
      const bytes = writeCsv([HEADER, ...table], dialect);
      if (bytes === undefined) continue;
      const named = dialect.encoding.startsWith('utf') ? {} : { encoding: dialect.encoding };
      const history = await readOrName(bytes, named, dialect);
      const bad = history.badRows.first;
      expect({ seed, dialect, bad, rows: toRows(history) }).toEqual({ seed, dialect, bad: [], rows: rows.map(toRead) });
    }
  });

  it.each([
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x75, 0, 0, 0]), 'UTF-32'],
    ['a workbook', Buffer.from('PK\x03\x04xyz'), 'Excel workbook'],
    ['bytes', Buffer.from('user_id,ts\x00\x01'), 'not text'],
    ['nothing', Buffer.alloc(0), 'is empty: 0 bytes'],
    ['blank lines', Buffer.from('\r\n\r\n'), 'blank lines'],
    ['a broken header', Buffer.from('user_id,"ts,event_type\nu,1,2\n'), 'the header, has a quote'],
  ])('name %s for what it is', async (_what, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message);
    await expect(read(bytes)).rejects.toMatchObject({ code: 'config_invalid' });
  });

  it('name an encoding that is unknown, and one that the byte order mark denies', async () => {
    await expect(read(Buffer.from('a'), { encoding: 'utf-9' })).rejects.toThrow('no encoding "utf-9"');
    const bytes = encodeText('\uFEFFuser_id', 'utf-16le') ?? Buffer.alloc(0);
    await expect(read(bytes, { encoding: 'windows-1252' })).rejects.toThrow('byte order mark of utf-16le');
  });

  it('name numbers that can be read in two ways, and read them when it is said', async () => {
    const file = (...values: string[]) =>
      Buffer.from(`user_id;ts;event_type;value\n${values.map((v) => `u;2024-01-01;purchase;${v}\n`).join('')}`);
    const values = async (bytes: Buffer, options: ReadOptions = {}) => {
      const history = await read(bytes, options);
      return Array.from({ length: history.length }, (_, index) => history.order(index).items[0]?.value);
    };
    await expect(read(file('1,234'))).rejects.toThrow(/"1,234" in line 2 is 1234 or 1.234.*--decimal \. for 1234/);
    expect(await values(file('1.234'))).toEqual([1.234]);
    expect(toWarnings(await read(file('1.234')))).toEqual([
      expect.stringContaining('pass --decimal , if 1234 is meant'),
    ]);
    await expect(read(file('1,50', '2.50'))).rejects.toThrow(/line 3 has the number "2.50".*line 2|line 2.*line 3/);
    expect(await values(file('1,234'), { decimal: '.' })).toEqual([1234]);
    expect(await values(file('1,234'), { decimal: ',' })).toEqual([1.234]);
    expect(await values(file('1.234', '5,5'))).toEqual([1234, 5.5]);
    expect(await values(file('1,234', '5.5'))).toEqual([1234, 5.5]);
    expect(await values(file('1.234.567', '(5,5)', '€ 7,25', "-1'000"))).toEqual([1_234_567, -5.5, 7.25, -1000]);
  });

  it('name what to pass where a pipe would have to be read a second time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perennial-pipe-'));
    const pipe = join(folder, 'orders.csv');
    execFileSync('mkfifo', [pipe]);
    const write = () => writeFile(pipe, 'user_id;ts;event_type;value\nu;2024-03-01;purchase;12,50\n');
    try {
      const [reading] = await Promise.allSettled([readOrders(pipe), write()]);
      expect(reading).toMatchObject({
        reason: { code: 'config_invalid', message: expect.stringMatching(/--decimal ,/) },
      });
      const [history] = await Promise.all([readOrders(pipe, { decimal: ',' }), write()]);
      expect(history.event(0).properties.revenue).toBe(12.5);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('warns of amounts with a sign of a currency that no column says, and keeps the code of pence', async () => {
    const file = (header: string, row: string) => Buffer.from(`user_id,ts,event_type,value${header}\n${row}\n`);
    const unsaid = await read(file('', 'u,2024-01-01,purchase,€5.10'));
    expect(toWarnings(unsaid).join()).toContain('such as "€5.10" (h.csv:2): they count in the currency of the source');
    expect(toWarnings(await read(file(',currency', 'u,2024-01-01,purchase,€5.10,EUR')))).toEqual([]);
    const pence = await read(file(',currency', 'u,2024-01-01,purchase,510,GBp'));
    expect(pence.order(0).currency).toBe('GBp');
  });

  it.each([
    ['12,50 EUR', ';', [12.5, 'EUR']],
    ['EUR 1.234,50', ';', [1234.5, 'EUR']],
    ['-USD12.50', ',', [-12.5, 'USD']],
    ['(12.50 USD)', ',', [-12.5, 'USD']],
  ])('reads the currency beside an amount: %s', async (written, separator, expected) => {
    const fields = (...row: string[]) => `${row.join(separator)}\n`;
    const text = fields('user_id', 'ts', 'event_type', 'value') + fields('u', '2024-01-01', 'purchase', written);
    const order = (await read(Buffer.from(text))).order(0);
    expect([order.items[0]?.value, order.currency]).toEqual(expected);
  });

  it('rejects an amount in another currency than its row, and a quantity in pieces', async () => {
    const rows = [
      'user_id,ts,event_type,quantity,value,order_total,currency',
      'u,2024-01-01,purchase,1,5.10 EUR,,USD',
      'u,2024-01-01,purchase,1,5.10 EUR,5.10 USD,',
      'u,2024-01-01,purchase,3 PCS,5.10,,',
      'u,2024-01-01,purchase,1,5.10 usd,,',
      'u,2024-01-01,purchase,1,5.10 EUR,5.10,eur',
    ];
    const { badRows, length } = await read(Buffer.from(rows.join('\n')));
    expect(length).toBe(1);
    expect(badRows.first.map(({ reason }) => reason)).toEqual([
      'value is in EUR, and the row\'s currency is "USD"',
      'order_total "5.10 USD" is in USD, value in EUR',
      'quantity "3 PCS" is not a finite number',
      'value "5.10 usd" is not a finite number',
    ]);
  });

  it('rejects an amount in another currency sign than the others', async () => {
    const text = 'user_id,ts,event_type,value\nu,2024-01-01,purchase,$5.10\nu,2024-01-01,purchase,€5.10\n';
    const { badRows } = await read(Buffer.from(text));
    expect(badRows.first).toEqual([{ line: 3, reason: 'value "€5.10" has the currency sign €, other rows have $' }]);
  });
});

interface Row {
  readonly user: string;
  readonly minute: number;
  readonly quantity: number;
  readonly value: number;
  readonly extra: string;
}

function drawRows(random: () => number, letters: string): Row[] {
  const alphabet = [...`ab7 ",;|\n${letters}`];
  const draw = (length: number) =>
    Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)] ?? '').join('');
  return Array.from({ length: 1 + Math.floor(random() * 12) }, (_, index) => ({
    user: `u${draw(Math.floor(random() * 6))}x`,
    minute: index,
    quantity: 1 + Math.floor(random() ** 4 * 5000),
    value: Math.round(random() * 10_000_00) / 100,
    extra: draw(Math.floor(random() * 8)),
  }));
}

/** An error that names the option is fine; with the option the file must be read. */
async function readOrName(
  bytes: Buffer,
  options: ReadOptions,
  dialect: { separator: string; decimal: '.' | ',' },
): Promise<History> {
  try {
    const history = await read(bytes, options);
    if (history.dialect.undecided === undefined) return history;
    expect(toWarnings(history).join()).toContain('--decimal ,');
    return await read(bytes, { ...options, decimal: dialect.decimal });
  } catch (error) {
    if (!isAppError(error, 'config_invalid') || !/--(decimal|separator) /.test(error.message)) throw error;
    return read(bytes, { ...options, separator: dialect.separator, decimal: dialect.decimal });
  }
}

function read(bytes: Buffer, options: ReadOptions = {}): Promise<History> {
  return readOrders(() => Readable.from(toChunks(bytes)), { fileName: 'h.csv', ...options });
}

function toChunks(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 37) chunks.push(bytes.subarray(at, at + 37));
  return chunks;
}

function toRows(history: History): Row[] {
  return Array.from({ length: history.length }, (_, index) => {
    const { userId, timestampMs, items, extra = '' } = history.order(index);
    const { quantity = Number.NaN, value = Number.NaN } = items[0] ?? {};
    return { user: userId, minute: (timestampMs - START_MS) / 60_000, quantity, value, extra };
  });
}

function toRead(row: Row): Row {
  return { ...row, extra: row.extra.trim() };
}

const START_MS = Date.UTC(2024, 0, 1);

function toIso(minute: number): string {
  return new Date(START_MS + minute * 60_000).toISOString();
}
