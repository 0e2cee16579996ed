import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseColumnMap } from '@perennial/history';
import { createMemoryLedger, type FakeEvent, startFakePlatform } from './platform-test-kit.js';
import { runBackfill } from './run-backfill.js';

/* A shop exports its returns row by row, again and again; an order that has had one return gets further ones. */

const HEADER = 'order_id,user_id,ts,event_type,item_id,quantity,value,order_total';

describe('returns of an order that grow between two exports', () => {
  let folder: string;
  let platform: Awaited<ReturnType<typeof startFakePlatform>>;
  let ledger: ReturnType<typeof createMemoryLedger>;
  let files = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-returns-'));
    platform = await startFakePlatform();
    ledger = createMemoryLedger();
  });

  afterEach(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  const backfill = async (rows: readonly string[], map?: string, header = HEADER) => {
    const file = join(folder, `returns-${files++}.csv`);
    await writeFile(file, [header, ...rows].join('\n'));
    const to = { ingestUrl: platform.url, writeKey: 'key', token: 'pt_x', namespace: 'test', via: 'http' as const };
    const reading = map === undefined ? {} : { map: parseColumnMap(map) };
    return runBackfill({ ...to, file, reading, log: platform.log, ledger, progressFolder: join(folder, 'progress') });
  };
  const refunds = (): FakeEvent[] => platform.records.flatMap((r) => (r.kind === 'event' ? [r.event] : []));
  const amounts = () => refunds().map(({ properties }) => properties.revenue);
  const row = (item: string, value: number | string, day = '01', total = '') =>
    `1,ada,2024-03-${day}T10:00:00Z,return,${item},1,${value},${total}`;

  it('sends the further rows only, with an id of their own', async () => {
    await backfill([row('hat', 20)]);
    await backfill([row('hat', 20), row('coat', 20, '05')]);
    const again = await backfill([row('coat', 20, '05'), row('hat', 20)]);
    expect(amounts()).toEqual([20, 20]);
    const [first, second] = refunds();
    expect(second?.properties).toMatchObject({ products: [{ product_id: 'coat', quantity: 1 }] });
    expect(second?.properties.refund_id).toBe(second?.messageId);
    expect(second?.messageId).not.toBe(first?.messageId);
    expect(again).toMatchObject({ repeatedRows: 2, events: { sent: 0, repeated: 1 }, changedOrders: { count: 0 } });
  });

  it('takes equal rows for as many returns as there are, whatever their sequence', async () => {
    await backfill([row('hat', 20), row('hat', 7)]);
    await backfill([row('hat', 7), row('hat', 20), row('hat', 20)]);
    expect(amounts()).toEqual([27, 20]);
    expect(refunds()[1]?.properties).toMatchObject({ products: [{ product_id: 'hat', quantity: 1 }] });
  });

  it('sends of a row that has grown what it has grown by, and names one that has become smaller', async () => {
    await backfill([row('hat', 5)]);
    await backfill([row('hat', 35.3)]);
    const result = await backfill([row('hat', 10)]);
    expect(amounts()).toEqual([5, 30.3]);
    expect(result).toMatchObject({ events: { sent: 0, repeated: 0 }, changedOrders: { count: 1, firstLine: 2 } });
  });

  it('sends what is new beside a row that has become smaller, which is counted', async () => {
    await backfill([row('hat', 20)]);
    const result = await backfill([row('hat', 10), row('coat', 3)]);
    expect(amounts()).toEqual([20, 3]);
    expect(result.changedOrders).toEqual({ count: 1, firstLine: 2 });
    expect((await backfill([row('hat', 20), row('coat', 3)])).events.sent).toBe(0);
  });

  it('sends the rows of a file that has further ones only', async () => {
    await backfill([row('hat', 20)]);
    await backfill([row('coat', 5, '05')]);
    expect((await backfill([row('hat', 20), row('coat', 5, '05')])).events).toMatchObject({ sent: 0, repeated: 1 });
    expect(amounts()).toEqual([20, 5]);
  });

  it('takes further rows alone for a further return, though their amount is that of the first', async () => {
    await backfill([row('hat', 20)]);
    await backfill([row('coat', 20, '05')]);
    const again = await backfill([row('coat', 20, '05')]);
    await backfill([row('hat', 20, '09')]);
    expect(amounts()).toEqual([20, 20, 20]);
    expect(again.events.sent).toBe(0);
    // Without ids of their own the platform would take refunds of one order and amount for one.
    const [, second, third] = refunds().map(({ properties }) => properties.refund_id);
    expect([second, third]).toEqual(
      refunds()
        .slice(1)
        .map(({ messageId }) => messageId),
    );
    expect(second).not.toBe(third);
  });

  it('takes them so by the column that names rows, and where a total is given by what that has grown by', async () => {
    await backfill([row('a', 20)], 'id=item_id');
    await backfill([row('b', 20)], 'id=item_id');
    await backfill([row('b', 20)], 'id=item_id');
    expect(amounts()).toEqual([20, 20]);
    await backfill([row('hat', '', '01', '20').replace('1,ada', '2,eve')]);
    await backfill([row('coat', '', '02', '50').replace('1,ada', '2,eve')]);
    const result = await backfill([row('shoe', '', '03', '50').replace('1,ada', '2,eve')]);
    expect(amounts()).toEqual([20, 20, 20, 30]);
    expect(result.changedOrders.count).toBe(1);
  });

  it('takes returns of a session with the number of an earlier one for returns of their own', async () => {
    const inSession = (item: string, time: string, total: string) =>
      row(item, '', '01', total).replace('2024-03-01T10', time);
    const send = (...rows: string[]) => backfill(rows, undefined, HEADER.replace('order_id', 'session_id'));
    await send(inSession('hat', '2024-01-10T10', '20'));
    await send(inSession('coat', '2024-02-10T10', '15'));
    await send(inSession('shoe', '2024-03-10T10', '50'));
    const grown = [inSession('shoe', '2024-03-10T10', '60'), inSession('belt', '2024-03-10T11', '60')];
    await send(...grown);
    expect((await send(...grown)).events.sent).toBe(0);
    expect(amounts()).toEqual([20, 15, 50, 10]);
  });

  it('sends further rows without amounts', async () => {
    await backfill([row('hat', '')]);
    await backfill([row('hat', ''), row('hat', '')]);
    expect(refunds()[1]?.properties).toMatchObject({ products: [{ product_id: 'hat', quantity: 1 }] });
    expect(refunds()).toHaveLength(2);
  });

  it('sends what the total of the rows has grown by', async () => {
    await backfill([row('hat', '', '01', '20')]);
    await backfill([row('hat', '', '01', '50'), row('coat', '', '02', '50')]);
    const result = await backfill([row('hat', '', '01', '40'), row('coat', '', '02', '40')]);
    expect(amounts()).toEqual([20, 30]);
    expect(result.changedOrders.count).toBe(1);
  });

  it('knows rows by the column that names them, and sends no other amount of one', async () => {
    const map = 'id=item_id';
    const ids = ['a', 'b', 'c', 'd', 'e'];
    for (const count of [1, 2, 3, 4, 5])
      await backfill(
        ids.slice(0, count).map((id) => row(id, 20)),
        map,
      );
    const again = await backfill(
      ids.map((id) => row(id, 30)),
      map,
    );
    expect(amounts()).toEqual([20, 20, 20, 20, 20]);
    expect(new Set(refunds().map(({ messageId }) => messageId)).size).toBe(5);
    expect(again.events.sent).toBe(0);
  });

  it('sends what a total has grown by with the rows that a column names, and not without', async () => {
    const rows = (total: string, ids: readonly string[]) => ids.map((id) => row(id, '', '01', total));
    await backfill(rows('20', ['a']), 'id=item_id');
    await backfill(rows('30', ['a']), 'id=item_id');
    await backfill(rows('30', ['a', 'b']), 'id=item_id');
    expect(amounts()).toEqual([20, 10]);
  });

  it('learns the rows that a ledger without them knows as a refund', async () => {
    await backfill([row('hat', 20)]);
    const [entry] = ledger.entries.splice(0);
    ledger.entries.push({ ids: entry?.ids ?? Buffer.alloc(0), orders: Buffer.alloc(0) });
    await backfill([row('hat', 20)]);
    await backfill([row('hat', 20), row('coat', 5)]);
    expect(amounts()).toEqual([20, 5]);
  });
});
