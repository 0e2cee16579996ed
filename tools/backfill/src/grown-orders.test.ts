import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryLedger, type FakeEvent, startFakePlatform } from './platform-test-kit.js';
import { runBackfill } from './run-backfill.js';

/* A shop exports all of its orders again and again; between two exports amounts are paid back and sessions go on. */

const SHOP = 'order_id,user_id,ts,event_type,order_total,refund_total,currency';
const SESSIONS = 'user_id,ts,event_type,session_id,value';

describe('orders that have changed between two exports', () => {
  let folder: string;
  let platform: Awaited<ReturnType<typeof startFakePlatform>>;
  let ledger: ReturnType<typeof createMemoryLedger>;
  let files = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-grown-'));
    platform = await startFakePlatform();
    ledger = createMemoryLedger();
  });

  afterEach(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  const backfill = async (header: string, rows: readonly string[]) => {
    const file = join(folder, `orders-${files++}.csv`);
    await writeFile(file, [header, ...rows].join('\n'));
    const to = { ingestUrl: platform.url, writeKey: 'key', token: 'pt_x', namespace: 'test', via: 'http' as const };
    return runBackfill({ ...to, file, log: platform.log, ledger, progressFolder: join(folder, 'progress') });
  };
  const events = (): FakeEvent[] => platform.records.flatMap((r) => (r.kind === 'event' ? [r.event] : []));
  const refunds = () => events().filter(({ event }) => event === 'Order Refunded');
  const paidBack = () => refunds().map(({ properties }) => properties.revenue);
  const order = (refund: string) => `1,ada,2024-03-01T10:00:00Z,purchase,80,${refund},EUR`;

  it('sends of a refund that has grown what it has grown by', async () => {
    const totals = ['', '5', '5', '35.3', '35.30'];
    for (const total of totals) await backfill(SHOP, [order(total)]);
    expect(paidBack()).toEqual([5, 30.3]);
    expect(events().filter(({ event }) => event === 'Order Completed')).toHaveLength(1);
  });

  it('gives the second half of a refund an id of its own, since the platform takes equal amounts for one refund', async () => {
    for (const total of ['5', '10']) await backfill(SHOP, [order(total)]);
    expect(paidBack()).toEqual([5, 5]);
    const [first, second] = refunds();
    expect(first?.properties).not.toHaveProperty('refund_id');
    expect(second?.properties.refund_id).toBe(second?.messageId);
    expect(second?.messageId).not.toBe(first?.messageId);
  });

  it('says that a refund has become smaller, and sends nothing', async () => {
    await backfill(SHOP, [order('35')]);
    const result = await backfill(SHOP, [order('5')]);
    expect(paidBack()).toEqual([35]);
    expect(result).toMatchObject({ events: { sent: 0, repeated: 1 }, changedOrders: { count: 1, firstLine: 2 } });
    expect(result.warnings[0]).toMatch(/^1 orders or refunds \(first orders-\d+\.csv:2\) were backfilled before with/);
  });

  it('repeats under the same id the rest of a refund that a crash kept out of the ledger', async () => {
    await backfill(SHOP, [order('5')]);
    ledger.failing = true;
    await expect(backfill(SHOP, [order('35')])).rejects.toThrow('ledger');
    ledger.failing = false;
    await backfill(SHOP, [order('35')]);
    expect(paidBack()).toEqual([5, 30, 30]);
    expect(new Set(refunds().map(({ messageId }) => messageId)).size).toBe(2);
  });

  it('counts a session that has grown, names its line, and sends it not', async () => {
    const session = ['ada,2024-03-01T10:00:00Z,purchase,7,10', 'ada,2024-03-01T10:05:00Z,purchase,7,20'];
    await backfill(SESSIONS, session.slice(0, 1));
    const result = await backfill(SESSIONS, session);
    expect(result).toMatchObject({ events: { sent: 0, repeated: 0 }, changedOrders: { count: 1, firstLine: 2 } });
    expect(events()).toHaveLength(1);
  });

  it('sends a session whose number another file has used for another time', async () => {
    await backfill(SESSIONS, ['ada,2024-03-01T10:00:00Z,purchase,1,10']);
    const result = await backfill(SESSIONS, ['ada,2024-03-08T10:00:00Z,purchase,1,10']);
    expect(result).toMatchObject({ events: { sent: 1 }, changedOrders: { count: 0 } });
  });

  it('learns the orders that a ledger without amounts knows by their rows', async () => {
    await backfill(SHOP, [order('5')]);
    const [entry] = ledger.entries.splice(0);
    ledger.entries.push({ ids: entry?.ids ?? Buffer.alloc(0), orders: Buffer.alloc(0) });
    await backfill(SHOP, [order('5')]);
    await backfill(SHOP, [order('35')]);
    expect(paidBack()).toEqual([5, 30]);
  });

  it('remembers the order of a row whose refund is rejected, and the other way round', async () => {
    const isRefund = ({ event }: FakeEvent) => event === 'Order Refunded';
    platform.state.trouble = (_path, { batch }) => (batch?.some(isRefund) ? { status: 400 } : undefined);
    expect((await backfill(SHOP, [order('5')])).events).toMatchObject({ accepted: 1, rejected: 1 });
    platform.state.trouble = undefined;
    expect((await backfill(SHOP, [order('5')])).events).toMatchObject({ accepted: 1, repeated: 1 });
    expect(events().map(({ event }) => event)).toEqual(['Order Completed', 'Order Refunded']);
  });
});
