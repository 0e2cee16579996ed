import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '@perennial/kernel';
import { createMemoryLedger, type FakeEvent, startFakePlatform } from './platform-test-kit.js';
import type { BackfillOptions, BackfillProgress } from './run-backfill.js';
import { runBackfill } from './run-backfill.js';

const HEADER = 'user_id,ts,event_type,item_id,session_id,quantity,value,extra';

/** Virtual time: waits end at once, and the clock advances by them. */
function createFastClock(): Clock & { waits: number[] } {
  const waits: number[] = [];
  let now = Date.UTC(2026, 0, 1);
  return {
    waits,
    now: () => now,
    steadyMs: () => now,
    wait: async (ms) => {
      waits.push(ms);
      now += ms;
    },
  };
}

describe('runBackfill', () => {
  let folder: string;
  let platform: Awaited<ReturnType<typeof startFakePlatform>>;
  let ledger: ReturnType<typeof createMemoryLedger>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-backfill-'));
    platform = await startFakePlatform();
    ledger = createMemoryLedger();
  });

  afterEach(async () => {
    await platform.stop();
    await rm(folder, { recursive: true });
  });

  const writeHistory = async (lines: readonly string[], name = 'history.csv'): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `${HEADER}\n${lines.join('\n')}\n`);
    return path;
  };
  const backfill = (file: string, more: Partial<BackfillOptions> = {}) =>
    runBackfill({
      file,
      via: 'http',
      namespace: 'test',
      ingestUrl: platform.url,
      writeKey: 'key',
      token: 'pt_x',
      log: platform.log,
      ledger,
      progressFolder: join(folder, 'progress'),
      clock: createFastClock(),
      ...more,
    });
  const toName = ({ userId, timestamp }: FakeEvent) => `${userId} ${timestamp.slice(0, 10)}`;
  const toTrail = () =>
    platform.records.map((record) => (record.kind === 'clock' ? record.to.slice(0, 16) : toName(record.event)));
  const THREE_DAYS = [
    'u1,2024-01-03T09:30:00Z,purchase,,,1,3,',
    'u1,2024-01-01T09:30:00Z,purchase,,,1,1,',
    'bad',
    'u2,2024-01-02,return,,,1,2,',
  ];
  const THREE_DAYS_TRAIL = [
    '2024-01-01T09:00',
    'u1 2024-01-01',
    '2024-01-01T23:00',
    'u2 2024-01-02',
    '2024-01-03T09:00',
    'u1 2024-01-03',
    '2024-01-03T10:00',
  ];

  it('sends events in order of time, the ticks between them, and tells the totals', async () => {
    const result = await backfill(await writeHistory(THREE_DAYS));
    expect(toTrail()).toEqual(THREE_DAYS_TRAIL);
    expect(result).toMatchObject({
      namespace: 'test',
      rows: 4,
      badRows: { count: 1, first: [{ line: 4 }] },
      events: { sent: 3, rejected: 0, duplicates: null },
      orders: 2,
      refunds: 1,
      firstTs: '2024-01-01T09:30:00.000Z',
      lastTs: '2024-01-03T09:30:00.000Z',
      logTime: '2024-01-03T10:00:00.000Z',
      ticks: 1 + 14 + 34 + 1,
      settled: true,
      alreadyBackfilled: false,
    });
  });

  it('leaves a file alone that it has backfilled, whatever its name', async () => {
    const file = await writeHistory(THREE_DAYS);
    await backfill(file);
    await rename(file, join(folder, 'other.csv'));
    const before = platform.state.requests;
    const result = await backfill(join(folder, 'other.csv'));
    expect(result).toMatchObject({ alreadyBackfilled: true, events: { sent: 0 }, ticks: 0, orders: 2 });
    expect(platform.state.requests).toBe(before);
    expect(result).toMatchObject({ repeatedRows: 3, events: { repeated: 3 } });
  });

  it('backfills again into a namespace whose data is gone', async () => {
    const file = await writeHistory(THREE_DAYS);
    await backfill(file);
    platform.records.length = 0;
    const seen: BackfillProgress[] = [];
    const result = await backfill(file, { onProgress: (progress) => seen.push(progress) });
    expect(result.alreadyBackfilled).toBe(false);
    expect(toTrail()).toEqual(THREE_DAYS_TRAIL);
    expect(seen.some(({ kind }) => kind === 'notice')).toBe(true);
  });

  it('stops at --until, and goes on from there', async () => {
    const file = await writeHistory(THREE_DAYS);
    const first = await backfill(file, { untilMs: Date.UTC(2024, 0, 2) });
    expect(first).toMatchObject({ events: { sent: 2 }, logTime: '2024-01-02T00:00:00.000Z', alreadyBackfilled: false });
    const second = await backfill(file);
    expect(second).toMatchObject({
      events: { sent: 1 },
      resumedFrom: '2024-01-02T00:00:00.000Z',
      alreadyBackfilled: false,
    });
    expect(toTrail().filter((entry) => entry.startsWith('u'))).toEqual(
      THREE_DAYS_TRAIL.filter((entry) => entry.startsWith('u')),
    );
    expect(await backfill(file)).toMatchObject({ alreadyBackfilled: true });
  });

  it.each([1, 2, 3, 4, 5, 6, 7])('goes on after a stop at request %i, and sends no row twice', async (stopAt) => {
    const file = await writeHistory(THREE_DAYS);
    platform.state.trouble = () => (platform.state.requests >= stopAt ? { status: 404 } : undefined);
    await expect(backfill(file)).rejects.toThrow(/404/);
    platform.state.trouble = undefined;
    await backfill(file);
    expect(toTrail()).toEqual(THREE_DAYS_TRAIL);
  });

  it.each(['crash', 'ledger'])('repeats with the same ids what a %s kept out of the ledger', async (cause) => {
    const file = await writeHistory(THREE_DAYS);
    ledger.failing = true;
    if (cause === 'crash') platform.state.trouble = () => (platform.state.requests > 3 ? { status: 404 } : undefined);
    await expect(backfill(file)).rejects.toThrow();
    platform.state.trouble = undefined;
    ledger.failing = false;
    await backfill(file);
    const sent = platform.records.flatMap((record) => (record.kind === 'event' ? [record.event] : []));
    expect(sent.length).toBeGreaterThan(3);
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(3);
  });

  it('sends only the new rows of an export that has grown, was renamed, and comes years of log time later', async () => {
    await backfill(await writeHistory(THREE_DAYS));
    await backfill(await writeHistory(['u7,2034-01-01,purchase,,,1,1,'], 'later.csv'), {
      reading: { latestMs: Date.UTC(2040, 0, 1) },
    });
    platform.records.length = platform.records.findLastIndex(({ kind }) => kind === 'clock') + 1;
    const shuffled = ['u3,2024-01-05,purchase,,,1,5,', ...[...THREE_DAYS].reverse()];
    const result = await backfill(await writeHistory(shuffled, 'orders (2).csv'));
    expect(toTrail().slice(-1)).toEqual(['u3 2024-01-05']);
    expect(result).toMatchObject({ repeatedRows: 3, events: { sent: 1, repeated: 3 }, alreadyBackfilled: false });
  });

  it('counts each of two equal rows, and a third one that a later file has', async () => {
    const row = 'u1,2024-01-01,purchase,,,1,5,';
    expect((await backfill(await writeHistory([row, row]))).events).toMatchObject({ sent: 2 });
    const later = await backfill(await writeHistory([row, row, row], 'later.csv'));
    expect(later.events).toMatchObject({ sent: 1, repeated: 2 });
    expect(new Set(platform.records.flatMap((r) => (r.kind === 'event' ? [r.event.messageId] : []))).size).toBe(3);
  });

  it('knows rows by the column that names them, whatever else has changed', async () => {
    const reading = { map: { id: 'extra' } };
    await backfill(await writeHistory(['u1,2024-01-01,purchase,,,1,5,a', 'u1,2024-01-02,purchase,,,1,5,b']), {
      reading,
    });
    const changed = [
      'u1,2024-01-01,purchase,,,1,6,a',
      'u1,2024-01-02,purchase,,,1,5,c',
      'u1,2024-01-03,purchase,,,1,5,c',
    ];
    const result = await backfill(await writeHistory(changed, 'later.csv'), { reading });
    expect(result).toMatchObject({ events: { sent: 1, repeated: 1 }, sameId: 1 });
  });

  it('leaves alone what a version without a ledger has sent', async () => {
    const file = await writeHistory(THREE_DAYS);
    const { sha256 } = await backfill(file, { untilMs: Date.UTC(2024, 0, 2) });
    ledger.entries.length = 0;
    const reachedMs = Date.UTC(2024, 0, 2);
    await writeFile(join(folder, 'progress', `${sha256}.json`), JSON.stringify({ sha256, fileName: 'x', reachedMs }));
    const seen: BackfillProgress[] = [];
    const again = await backfill(file, { onProgress: (progress) => seen.push(progress) });
    expect(again.events).toMatchObject({ sent: 1, repeated: 2 });
    const message = expect.stringMatching(/2 events of history.csv were sent .* which noted no rejected ones/);
    expect(seen).toContainEqual({ kind: 'notice', message });
    expect((await backfill(file)).alreadyBackfilled).toBe(true);
  });

  it('sends nothing of a file that is not what the mapping says', async () => {
    const bad = await writeHistory(['u1,x,purchase,,,1,5,', 'u2,y,purchase,,,1,5,', 'u1,2024-01-01,purchase,,,1,5,']);
    await expect(backfill(bad)).rejects.toThrow(/too few rows of history.csv.*history.csv:2 ts "x".*nothing was sent/s);
    const near = await writeHistory(['u1,2024-01-01,sale,,,1,5,'], 'near.csv');
    await expect(backfill(near)).rejects.toThrow(/no row of type purchase.*--types "sale=purchase"/s);
    expect(platform.records).toEqual([]);
  });

  it('keeps the order of each user over lanes, batches and retries', async () => {
    const rows = Array.from(
      { length: 3000 },
      (_, n) => `u${n % 7},2024-01-01T10:${String(n % 60).padStart(2, '0')}:00Z,purchase,,,1,${n},`,
    );
    const file = await writeHistory(rows);
    let troubles = 0;
    platform.state.trouble = (path) => {
      if (path !== '/v1/batch' || troubles >= 9 || platform.state.requests % 2 === 0) return undefined;
      troubles++;
      return troubles % 3 === 0 ? 'cut' : { status: troubles % 3 === 1 ? 429 : 503, headers: { 'retry-after': '2' } };
    };
    const clock = createFastClock();
    const retries: BackfillProgress[] = [];
    const result = await backfill(file, {
      clock,
      onProgress: (progress) => progress.kind === 'retry' && retries.push(progress),
    });
    expect(result.events).toMatchObject({ sent: 3000, accepted: 3000 });
    expect(troubles).toBeGreaterThanOrEqual(6);
    expect(retries).toHaveLength(troubles);
    expect(clock.waits.filter((wait) => wait === 2000)).toHaveLength(troubles - Math.floor(troubles / 3));
    const events = platform.records.flatMap((record) => (record.kind === 'event' ? [record.event] : []));
    for (const user of ['u0', 'u3', 'u6']) {
      const times = events.filter(({ userId }) => userId === user).map(({ timestamp }) => timestamp);
      expect(times).toEqual([...times].sort());
    }
  });

  it('halves a rejected batch until the event at fault stands alone', async () => {
    const rows = Array.from({ length: 40 }, (_, n) => `u${n},2024-01-01,purchase,,,1,1,`);
    const isBad = ({ userId }: FakeEvent) => userId === 'u13';
    platform.state.trouble = (_path, { batch }) => (batch?.some(isBad) ? { status: 400 } : undefined);
    const result = await backfill(await writeHistory(rows));
    expect(result.events).toMatchObject({ sent: 40, accepted: 39, rejected: 1 });
    expect(result.events.rejections).toEqual([
      { reason: '400', count: 1, first: [expect.objectContaining({ line: 15 })] },
    ]);
    expect(platform.records.some((record) => record.kind === 'event' && isBad(record.event))).toBe(false);
  });

  it('gives up on an ingest that does not answer, and on a key that is rejected', async () => {
    const file = await writeHistory(THREE_DAYS);
    platform.state.trouble = () => ({ status: 503 });
    await expect(backfill(file)).rejects.toMatchObject({ code: 'dependency_unavailable' });
    platform.state.trouble = () => ({ status: 401 });
    await expect(backfill(file)).rejects.toThrow('rejects the token');
  });

  it('rejects a namespace that the wall clock drives', async () => {
    platform.state.mode = 'wall';
    await expect(backfill(await writeHistory(THREE_DAYS))).rejects.toThrow('runs by the wall clock');
  });

  it('says that a second file comes late, and counts no tick twice', async () => {
    await backfill(await writeHistory(THREE_DAYS));
    const notices: BackfillProgress[] = [];
    const file = await writeHistory(
      ['u9,2024-01-02T12:00:00Z,purchase,,,1,1,', 'u9,2024-01-03T11:00:00Z,purchase,,,1,1,'],
      'more.csv',
    );
    const result = await backfill(file, {
      onProgress: (progress) => progress.kind === 'notice' && notices.push(progress),
    });
    expect(notices).toEqual([{ kind: 'notice', message: expect.stringContaining('come late') }]);
    expect(result).toMatchObject({ events: { sent: 2 }, ticks: 1, logTime: '2024-01-03T11:00:00.000Z' });
  });

  it('stops when it is asked to', async () => {
    const controller = new AbortController();
    platform.state.trouble = (path) => {
      if (path === '/v1/batch') controller.abort();
      return undefined;
    };
    await expect(backfill(await writeHistory(THREE_DAYS), { signal: controller.signal })).rejects.toThrow(
      'interrupted',
    );
    expect(toTrail().length).toBeLessThan(THREE_DAYS_TRAIL.length);
  });

  it('rejects a second backfill at the same time, and takes over from one that died', async () => {
    const file = await writeHistory(THREE_DAYS);
    await backfill(file, { untilMs: Date.UTC(2024, 0, 1, 12) });
    await writeFile(join(folder, 'progress', 'lock'), '4711');
    const process = { pid: 1, isAlive: (pid: number) => pid === 4711 };
    await expect(backfill(file, { process })).rejects.toThrow('process 4711');
    expect(await backfill(file, { process: { pid: 1, isAlive: () => false } })).toMatchObject({ events: { sent: 2 } });
  });

  it('goes through Kafka, keyed by the user, and has the ticks wait for the positions reached', async () => {
    await backfill(await writeHistory(THREE_DAYS), { via: 'kafka' });
    expect(platform.received.map(({ key, topic }) => [topic, String(key)])).toEqual(
      ['u1', 'u2', 'u1'].map((user) => ['test.lifecycle.event.received.v1', user]),
    );
    const positions = platform.records.flatMap((record) => (record.kind === 'clock' ? [record.received] : []));
    const sums = positions.map((received) =>
      Object.values(received as Record<string, number>).reduce((sum, offset) => sum + offset, 0),
    );
    expect(sums).toEqual([0, 1, 2, 3]);
  });
});
