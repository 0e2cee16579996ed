import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { assertUsable } from './check-history.js';
import { parseColumnMap } from './column-map.js';
import type { History } from './history.js';
import { parsePreset } from './presets.js';
import type { ReadOptions } from './read-options.js';
import { readOrders } from './read-orders.js';
import { toIdText } from './row-id.js';

/** Small files that real producers wrote. They are not in the project; without them the tests are skipped. */
const CASES = join(import.meta.dirname, '../../../../shared/cases');

if (!existsSync(CASES)) process.stderr.write(`skipped: there is no ${CASES}\n`);
const describeWithCases = existsSync(CASES) ? describe : describe.skip;

const READ: Array<[string, ReadOptions, unknown[]]> = [
  ['c10-bigquery-utc.csv', {}, [['Order Completed', 'u1', '2024-03-01T10:00:00.000Z', 10]]],
  [
    'c10-minutes-space-offset.csv',
    { map: parseColumnMap('user_id=user,ts=timestamp_tz,event_type=event') },
    [
      ['song_played', '7', '2020-07-02T12:33:00.000Z', undefined],
      ['playlist_created', '7', '2020-08-01T04:45:00.000Z', undefined],
    ],
  ],
  [
    'c10-postgres-offset.csv',
    {},
    [
      ['Order Completed', 'u1', '2024-03-01T10:00:00.000Z', 10],
      ['Order Completed', 'u1', '2024-03-02T08:00:00.500Z', 10],
    ],
  ],
  ['c10-shopify-offset.csv', {}, [['Order Completed', 'u1', '2024-03-01T15:00:00.000Z', 10]]],
  [
    'c20-no-event-type.csv',
    {
      map: parseColumnMap("user_id=customer,ts=ordered_at,event_type='purchase',order_id=id"),
      time: { zone: 'UTC' },
    },
    [
      ['Order Completed', 'c-2', '2024-09-01T10:39:00.000Z', 742],
      ['Order Completed', 'c-1', '2024-09-01T15:01:00.000Z', 742],
    ],
  ],
  [
    'c20-retail-invoices.csv',
    { preset: parsePreset('retail-invoices') },
    [
      ['Order Completed', '17850', '2010-12-01T08:26:00.000Z', 15.3],
      ['Order Refunded', '14527', '2010-12-01T09:41:00.000Z', 27.5],
    ],
  ],
  ['c20-unit-price.csv', {}, [['Order Completed', 'up1', '2024-03-05T06:34:11.000Z', 52]]],
];

describeWithCases('files that real producers wrote', () => {
  it.each(READ)('%s', async (name, options, expected) => {
    const history = await read(name, options);
    expect(history.badRows.count).toBe(0);
    expect(toEvents(history)).toEqual(expected);
  });

  it.each(['c15-cr-only.csv', 'c15-utf16.csv'])('%s has three orders', async (name) => {
    const history = await read(name);
    expect(toEvents(history).map(([, user, , revenue]) => [user, revenue])).toEqual([
      ['u1', 10],
      ['u1', 20],
      ['u2', 30],
    ]);
  });

  it('c18: what is ambiguous is named with its line, and read once it is declared', async () => {
    const history = await read('c18-all-rows-bad.csv');
    expect(history.badRows.byKind).toEqual([
      expect.objectContaining({
        kind: 'time',
        count: 2,
        remedy: expect.stringMatching(/--dates.*--serial/),
        first: [
          { line: 2, reason: expect.stringContaining('"12/1/2010 8:26" is ambiguous') },
          { line: 3, reason: expect.stringContaining('"40513.35" looks like the serial number') },
        ],
      }),
    ]);
    const dated = await read('c18-all-rows-bad.csv', { time: { dateOrder: 'mdy', zone: 'UTC' } });
    expect(toEvents(dated)[1]).toEqual(['Order Completed', 'u1', '2010-12-01T08:26:00.000Z', 10]);
  });

  it('c20-no-event-type: what to pass is suggested', async () => {
    await expect(read('c20-no-event-type.csv')).rejects.toThrow(
      `--map "user_id=customer,ts=ordered_at,event_type='purchase'"`,
    );
  });

  it('c22: every spelling of a purchase is one', async () => {
    const history = await read('c22-event-types.csv');
    expect(history.counts).toEqual({ orders: 4, refunds: 0, others: 0 });
    expect(() => assertUsable(history, { badShareMax: 0.5 })).not.toThrow();
  });

  it('c17: an export that has grown has the same rows, and one more', async () => {
    const [monday, tuesday] = [
      await read('c17-grown-export/monday/orders.csv'),
      await read('c17-grown-export/tuesday/orders.csv'),
    ];
    const before = new Set(toIds(monday));
    expect(before.size).toBe(3);
    expect(toIds(tuesday).filter((id) => !before.has(id))).toHaveLength(1);
  });
});

function read(name: string, options: ReadOptions = {}): Promise<History> {
  return readOrders(join(CASES, name), options);
}

function toIds(history: History): string[] {
  return Array.from({ length: history.length }, (_, index) => toIdText(history.rowId(index)));
}

function toEvents(history: History): Array<[string, string, string, unknown]> {
  return Array.from({ length: history.length }, (_, index) => {
    const { event, userId, timestamp, properties } = history.event(index);
    return [event, userId, timestamp, properties.revenue];
  });
}
