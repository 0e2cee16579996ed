import { describe, expect, it } from '@jest/globals';
import { AppError, type Clock } from '@perennial/kernel';
import { createMetrics } from '@perennial/telemetry';
import fc from 'fast-check';
import { ConsumerHealth } from './consumer-health.js';

const NOW_MS = Date.parse('2026-05-01T12:00:00.000Z');
const STANDSTILL_MS = 30_000;
const PARTITIONS = 3;

function setUp(random = () => 0.5) {
  const at = { ms: 0 };
  const clock: Clock = { now: () => NOW_MS + at.ms, steadyMs: () => at.ms, wait: async () => undefined };
  const metrics = createMetrics({ service: 's', namespace: 'n', processMetrics: false });
  const health = new ConsumerHealth({
    consumer: 'scoring',
    topic: 'in',
    backoff: { initialMs: 50, maxMs: 2_000 },
    clock,
    random,
    metrics,
    standstillMs: STANDSTILL_MS,
  });
  return { at, health, metrics };
}

describe('the health of a consumer', () => {
  const partition = fc.integer({ min: 0, max: PARTITIONS - 1 });
  const event = fc.oneof(
    fc.record({ kind: fc.constant('own' as const), partition }),
    fc.record({ kind: fc.constant('lose' as const), partition }),
    fc.record({ kind: fc.constant('fail' as const), partition }),
    fc.record({ kind: fc.constant('commit' as const), partition }),
    fc.record({ kind: fc.constant('observe' as const), partition, unread: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ kind: fc.constant('crash' as const) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  );

  it('is ready only if a batch was committed since the last failure, or nothing is to be done', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const { at, health } = setUp();
        const owned = new Set<number>();
        const failing = new Set<number>();
        let lost = new Set<number>();
        for (const one of events) {
          switch (one.kind) {
            case 'own':
              owned.add(one.partition);
              health.assigned([...owned]);
              // What went to another member is no longer this one's business.
              for (const gone of lost) if (!owned.has(gone)) failing.delete(gone);
              lost = new Set();
              break;
            case 'lose':
              if (owned.delete(one.partition)) lost.add(one.partition);
              health.revoked([one.partition]);
              lost.add(one.partition);
              break;
            case 'fail':
              health.failed(one.partition, new Error('away'));
              failing.add(one.partition);
              break;
            case 'commit':
              health.advanced(one.partition);
              failing.delete(one.partition);
              break;
            case 'observe':
              health.observed(one.partition, { next: 5, end: 5 + one.unread });
              if (one.unread === 0 && owned.has(one.partition)) failing.delete(one.partition);
              break;
            case 'crash':
              health.consumerFailed(new Error('crashed'));
              for (const each of [...owned, ...lost]) failing.add(each);
              break;
            case 'pass':
              at.ms += one.ms;
          }
          for (const each of owned) {
            if (failing.has(each)) {
              expect(health.isReady(each)).toBe(false);
              expect(health.problems().join()).toContain(`partition ${each} of in stands still since `);
            }
          }
        }
      }),
    );
  });

  it('says which partition stands still, since when, how often it failed and why', async () => {
    const { at, health, metrics } = setUp();
    health.assigned([0, 1]);
    health.failed(1, new AppError('dependency_unavailable', 'redis is away'));
    at.ms += 5_000;
    health.failed(1, new AppError('timeout', 'redis did not answer'));
    expect(health.problems()).toEqual([
      'partition 1 of in stands still since 2026-05-01T12:00:00.000Z, 2 failures: redis did not answer',
    ]);
    expect([health.isReady(0), health.isReady(1)]).toEqual([true, false]);
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/consumer_partition_stalled\{consumer="scoring",partition="1",reason="timeout".*\} 1/);
    expect(text).not.toMatch(/consumer_partition_stalled\{[^}]*dependency_unavailable/);
    health.advanced(1);
    expect(health.problems()).toEqual([]);
    expect(await metrics.registry.metrics()).not.toMatch(/consumer_partition_stalled\{/);
  });

  it('waits longer after each failure, up to a limit, until a batch is committed: to own it again is not enough', () => {
    const { health } = setUp(() => 0);
    const waits = Array.from({ length: 9 }, () => {
      health.assigned([0]);
      return health.failed(0, new Error('away'));
    });
    expect(waits).toEqual([25, 50, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
    health.advanced(0);
    expect(health.failed(0, new Error('away'))).toBe(25);
    health.observed(0, { next: 7, end: 7 });
    expect(health.failed(0, new Error('away'))).toBe(25);
  });

  it('spreads the waits between half and all of the step', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (drawn) => {
        const { health } = setUp(() => drawn);
        const waitMs = health.failed(0, new Error('away'));
        expect(waitMs).toBeGreaterThanOrEqual(25);
        expect(waitMs).toBeLessThanOrEqual(50);
      }),
    );
  });

  it('notices a partition that does not move behind unread records, though nothing failed', async () => {
    const { at, health, metrics } = setUp();
    health.assigned([0, 1]);
    for (const [ms, next] of [
      [0, 5],
      [20_000, 5],
      [29_999, 5],
    ] as const) {
      at.ms = ms;
      health.observed(0, { next, end: 9 });
      health.observed(1, { next: 9, end: 9 });
    }
    expect(health.problems()).toEqual([]);
    at.ms = STANDSTILL_MS;
    health.observed(0, { next: 5, end: 9 });
    expect(health.problems()).toEqual([
      'partition 0 of in stands still since 2026-05-01T12:00:00.000Z: offset 5 is not processed, though the log goes on to 9',
    ]);
    expect(await metrics.registry.metrics()).toMatch(/consumer_partition_stalled\{.*partition="0",reason="timeout"/);
    health.observed(0, { next: 6, end: 9 });
    expect(health.problems()).toEqual([]);
  });

  it('keeps what a crash said while the group assigns anew, and drops it with the partition', () => {
    const { health } = setUp();
    health.assigned([0, 1]);
    health.revoked([0, 1]);
    health.consumerFailed(new Error('the batch cannot be read'));
    expect(health.problems()[0]).toMatch(
      /^the consumer of in stands still since .*, 1 failure: the batch cannot be read$/,
    );
    health.assigned([0]);
    expect(health.problems()).toHaveLength(1);
    expect(health.problems()[0]).toContain('partition 0 of in stands still');
    health.assigned([0, 1]);
    expect(health.isReady(1)).toBe(true);
  });

  it('says so when it has been in no group for long', () => {
    const { at, health } = setUp();
    at.ms = STANDSTILL_MS;
    expect(health.problems()).toEqual(['the consumer of in has been in no group for 30 s']);
    health.assigned([]);
    expect(health.problems()).toEqual([]);
  });
});

describe('records behind open transactions', () => {
  it('are measured for owned partitions, until they end or the partition goes, and are no problem', async () => {
    const { health, metrics } = setUp();
    const read = async () =>
      (await metrics.registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith('consumer_held_back_records{'))
        .map((line) => `${/partition="(\d)"/.exec(line)?.[1]}: ${line.split(' ').at(-1)}`);
    health.assigned([0, 1]);
    health.heldBack(
      new Map([
        [0, 3],
        [1, 4],
        [2, 5],
      ]),
    );
    expect(await read()).toEqual(['0: 3', '1: 4']);
    expect(health.problems()).toEqual([]);
    health.heldBack(new Map([[1, 6]]));
    expect(await read()).toEqual(['1: 6']);
    health.revoked([1]);
    health.heldBack(new Map([[1, 6]]));
    expect(await read()).toEqual([]);
  });
});
