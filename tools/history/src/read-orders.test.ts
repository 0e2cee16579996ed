import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseColumnMap } from './column-map.js';
import type { SegmentTrack } from './event.js';
import type { History } from './history.js';
import type { ReadOptions } from './read-options.js';
import { readOrders } from './read-orders.js';
import { BAD_ROWS_KEPT_MAX } from './row-problem.js';

const HEADER = 'user_id,ts,event_type,item_id,session_id,quantity,value,extra';

describe('readOrders', () => {
  it('makes one order of the rows of a user and session, at the time of the earliest', async () => {
    const history = await read([
      'u1,2024-01-02T10:05:00Z,purchase,A,s1,2,10.10,DE',
      'u2,2024-01-01T00:00:00Z,purchase,A,s1,1,5,',
      'u1,2024-01-02T10:00:00Z,purchase,B,s1,1,20.20,',
    ]);
    expect(toEvents(history)).toEqual([
      {
        type: 'track',
        messageId: expect.stringMatching(/^row-[0-9a-f]{16}$/),
        userId: 'u2',
        timestamp: '2024-01-01T00:00:00.000Z',
        event: 'Order Completed',
        properties: { order_id: 's1', revenue: 5, products: [{ product_id: 'A', quantity: 1, price: 5 }] },
      },
      {
        type: 'track',
        messageId: expect.stringMatching(/^row-[0-9a-f]{16}$/),
        userId: 'u1',
        timestamp: '2024-01-02T10:00:00.000Z',
        event: 'Order Completed',
        properties: {
          order_id: 's1',
          revenue: 30.3,
          products: [
            { product_id: 'A', quantity: 2, price: 5.05 },
            { product_id: 'B', quantity: 1, price: 20.2 },
          ],
          extra: 'DE',
        },
      },
    ]);
    expect(history.counts).toEqual({ orders: 2, refunds: 0, others: 0 });
  });

  it('makes a refund of returns, with a positive amount, apart from purchases of the same session', async () => {
    const history = await read([
      'u1,2024-01-01,purchase,A,s1,2,10,',
      'u1,2024-01-03,return,A,s1,-1,-5,',
      'u1,2024-01-03,return,B,s1,-1,-2.5,',
    ]);
    expect(toEvents(history).map(({ event, properties }) => [event, properties.revenue])).toEqual([
      ['Order Completed', 10],
      ['Order Refunded', 7.5],
    ]);
    expect(toEvents(history)[1]?.properties.products).toEqual([
      { product_id: 'A', quantity: 1, price: 5 },
      { product_id: 'B', quantity: 1, price: 2.5 },
    ]);
  });

  it('leaves rows without a session alone, equal ones too', async () => {
    const history = await read(['u1,2024-01-01,purchase,,,1,5,', 'u1,2024-01-01,purchase,,,1,5,']);
    const [one, two] = toEvents(history);
    expect(one?.messageId).not.toBe(two?.messageId);
    expect([one?.properties.order_id, two?.properties.order_id]).toEqual([one?.messageId, two?.messageId]);
  });

  it('keeps an empty value apart from zero: one unknown row makes the revenue unknown', async () => {
    const history = await read([
      'u1,2024-01-01,purchase,A,s1,1,5,',
      'u1,2024-01-01,purchase,B,s1,1,,',
      'u1,2024-01-02,purchase,A,s2,1,0,',
      'u1,2024-01-03,return,A,s2,1,,',
    ]);
    const revenues = toEvents(history).map(({ properties }) => properties.revenue);
    expect(revenues).toEqual([undefined, 0, undefined]);
    expect('revenue' in (toEvents(history)[0]?.properties ?? {})).toBe(false);
  });

  it.each(['\\N', 'NULL', 'null', 'None', 'NaN', 'nan', 'NA', 'N/A', '#N/A', '(null)', '<NA>', 'undefined'])(
    'takes %s for no value: it joins no orders and no users, and spoils no number',
    async (none) => {
      const rows = ['u1', 'u2', 'u3', none].map(
        (user) => `${user},2024-01-01,purchase,${none},${none},${none},5,${none}`,
      );
      const history = await read(rows);
      expect(toEvents(history).map(({ userId, properties }) => [userId, properties.revenue, properties.extra])).toEqual(
        [
          ['u1', 5, none],
          ['u2', 5, none],
          ['u3', 5, none],
        ],
      );
      expect(new Set(toEvents(history).map(({ properties }) => properties.order_id)).size).toBe(3);
      expect(history.badRows.first).toEqual([{ line: 5, reason: 'has no user_id' }]);
    },
  );

  it('sends other types row by row under their own name', async () => {
    const history = await read(['u1,2024-01-01,view,A,s1,,1.5,x', 'u1,2024-01-01,view,B,s1,2,,']);
    expect(toEvents(history).map(({ event, properties }) => ({ event, properties }))).toEqual([
      { event: 'view', properties: { product_id: 'A', session_id: 's1', value: 1.5, extra: 'x' } },
      { event: 'view', properties: { product_id: 'B', session_id: 's1', quantity: 2 } },
    ]);
  });

  it('reports bad rows with line and reason, and goes on', async () => {
    const history = await read(
      [
        'u1,2024-01-01,purchase,,,1,5,',
        ',2024-01-01,purchase,,,1,5,',
        'u1,01.01.2024,purchase,,,1,5,',
        'u1,2024-01-01 10:00:00,purchase,,,1,5,',
        'u1,2024-01-01,,,,1,5,',
        'u1,2024-01-01,purchase,,,one,5,',
        'u1,2024-01-01,purchase,,,1,Infinity,',
        'u1,2024-01-01,purchase,,,1,1e999,',
        'u1,2024-01-01,purchase',
        'u"1,2024-01-01,purchase,,,1,5,',
        'u1,2099-01-01,purchase,,,1,5,',
        'u1,1970-01-01,purchase,,,1,5,',
        'u2,2024-01-01,purchase,,,1,5,',
      ],
      { latestMs: Date.UTC(2026, 0, 1) },
    );
    expect(history.length).toBe(2);
    expect(history.rows).toBe(13);
    expect(history.badRows.count).toBe(11);
    expect(history.badRows.first).toEqual([
      { line: 3, reason: 'has no user_id' },
      { line: 4, reason: 'ts "01.01.2024" is ambiguous: day or month may come first, and the order is not declared' },
      { line: 5, reason: 'ts "2024-01-01 10:00:00" has no time zone (end it with Z or an offset)' },
      { line: 6, reason: 'has no event_type' },
      { line: 7, reason: 'quantity "one" is not a finite number' },
      { line: 8, reason: 'value "Infinity" is not a finite number' },
      { line: 9, reason: 'value "1e999" is not a finite number' },
      { line: 10, reason: 'has 3 columns, the header has 8' },
      { line: 11, reason: 'has a quote that is out of position or never closes' },
      { line: 12, reason: 'ts "2099-01-01" is in the future' },
      { line: 13, reason: 'ts "1970-01-01" is before 1990-01-01' },
    ]);
  });

  it('counts all bad rows and keeps the first', async () => {
    const history = await read(Array.from({ length: 500 }, () => 'x'));
    expect(history.badRows.count).toBe(500);
    expect(history.badRows.first).toHaveLength(BAD_ROWS_KEPT_MAX);
  });

  it('does not join users over bytes that are not UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`${HEADER}\nM`),
      Buffer.from([0xfc]),
      Buffer.from(',2024-01-01,purchase,,,,,\n'),
    ]);
    const history = await readOrders(() => Readable.from([bytes]), { fileName: 'h.csv' });
    expect(history.badRows.first).toEqual([{ line: 2, reason: expect.stringContaining('is not valid utf-8') }]);
  });

  it('reads gzip, knows the content again, and takes other column names', async () => {
    const text = 'client,when,what\nu1,2024-01-01,purchase\n';
    const map = parseColumnMap('user_id=client, ts=when,event_type=what');
    const plain = await readOrders(() => Readable.from([Buffer.from(text)]), { map });
    const zipped = await readOrders(() => Readable.from([gzipSync(text)]), { map });
    expect(zipped.length).toBe(1);
    expect(zipped.sha256).toBe(plain.sha256);
  });

  it('says what is wrong with a file that is no history', async () => {
    await expect(readText('')).rejects.toThrow('is empty');
    await expect(readText('a;b;c\n1;2;3\n')).rejects.toThrow(/no user_id, ts, event_type; it has: a, b, c.*semicolon/);
    await expect(readText(`${HEADER}\nu1,2024-01-01,purchase,,,,,`, { map: { value: 'price' } })).rejects.toThrow(
      'no price',
    );
    await expect(readText(`${HEADER}\n${'u1,2024-01-01,purchase,,,,,\n'.repeat(3)}`, { rowsMax: 2 })).rejects.toThrow(
      'more than 2 rows',
    );
    await expect(readOrders('/nowhere/h.csv')).rejects.toMatchObject({ code: 'not_found' });
    await expect(readOrders(() => Readable.from([gzipSync('abc').subarray(0, 15)]))).rejects.toThrow(
      'cannot read stdin: its gzip data are damaged or cut off',
    );
    expect(() => parseColumnMap('userid=x')).toThrow('there is no column "userid"');
    expect(() => parseColumnMap('user_id')).toThrow('is not column=name');
  });

  it('shortens the products of a long order, and names one that fits nowhere', async () => {
    const rowsOf = (session: string, count: number) =>
      Array.from({ length: count }, (_, n) => `u1,2024-01-01,purchase,item-${n},${session},1,2.345,`);
    const history = await read([...rowsOf('long', 700), ...rowsOf('endless', 2000), ...rowsOf('short', 1)]);
    const [long, short] = toEvents(history);
    expect(long?.properties.products).toHaveLength(700);
    expect((long?.properties.products as unknown[] | undefined)?.[0]).toEqual({ product_id: 'item-0', quantity: 1 });
    expect(short?.properties.order_id).toBe('short');
    expect(history.length).toBe(2);
    expect(history.badRows.first).toEqual([
      { line: 702, reason: 'begins an order of 2000 rows, more than 32000 bytes' },
    ]);
  });

  it('agrees with a naive grouping, for rows in any order', async () => {
    const row = fc.record({
      user: fc.constantFrom('u1', 'u2'),
      day: fc.integer({ min: 1, max: 9 }),
      type: fc.constantFrom('purchase', 'return', 'view'),
      session: fc.constantFrom('', 's1', 's2'),
      cents: fc.option(fc.integer({ min: 0, max: 10_000 }), { freq: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
        const lines = rows.map(
          ({ user, day, type, session, cents }) =>
            `${user},2024-01-0${day},${type},A,${session},1,${cents === null ? '' : (cents / 100).toFixed(2)},`,
        );
        const groups = groupBy([...rows.entries()], ([line, { user, type, session }]) =>
          session === '' || type === 'view' ? `row ${line}` : `${user} ${type} ${session}`,
        );
        const expected = [...groups.values()]
          .map((members) => ({
            day: Math.min(...members.map(([, member]) => member.day)),
            line: (members[0]?.[0] ?? 0) + 2,
            cents: members.some(([, { cents }]) => cents === null)
              ? undefined
              : members.reduce((sum, [, { cents }]) => sum + (cents ?? 0), 0),
          }))
          .sort((a, b) => a.day - b.day || a.line - b.line);
        const history = await read(lines);
        const lineOf = (id: string) => lineOfMessage(history, id);
        const actual = toEvents(history).map(({ timestamp, messageId, properties }) => ({
          day: new Date(timestamp).getUTCDate(),
          line: lineOf(messageId),
          cents: toCents(properties.revenue ?? properties.value),
        }));
        expect(actual).toEqual(expected);
      }),
    );
  });
});

function read(lines: readonly string[], options: ReadOptions = {}): Promise<History> {
  return readText(`${HEADER}\n${lines.join('\n')}\n`, options);
}

function readText(text: string, options: ReadOptions = {}): Promise<History> {
  return readOrders(() => Readable.from(text === '' ? [] : [Buffer.from(text)]), { fileName: 'h.csv', ...options });
}

function toEvents(history: History): SegmentTrack[] {
  return Array.from({ length: history.length }, (_, index) => history.event(index));
}

function lineOfMessage(history: History, messageId: string): number {
  const index = toEvents(history).findIndex((event) => event.messageId === messageId);
  return history.line(index);
}

function toCents(value: unknown): number | undefined {
  return typeof value === 'number' ? Math.round(value * 100) : undefined;
}

/** Map.groupBy, which Node 20 lacks. */
function groupBy<T>(values: readonly T[], toKey: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(toKey(value), [...(groups.get(toKey(value)) ?? []), value]);
  return groups;
}
