import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import { compileFeatures, createOrderLabels, ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { foldEvent } from '@perennial/service-feature-store';
import { toRegularCutoffs } from './cutoffs.js';
import { JoinHistory } from './join-history.js';
import { type KnownProfile, PartitionFold } from './partition-fold.js';

const spec = compileFeatures(ECOMMERCE_FEATURES);

describe('a fold of a partition', () => {
  const known: KnownProfile[] = [];
  const members: string[] = [];
  const orders: string[] = [];
  const createFold = (times: readonly number[], by = spec, joins = new JoinHistory()) => {
    for (const list of [known, members, orders]) list.length = 0;
    return new PartitionFold({
      spec: by,
      toOrders: createOrderLabels(by),
      cutoffs: toRegularCutoffs(times),
      horizonMs: 1_000,
      sequenceLength: 2,
      holds: () => true,
      joins,
      onKnown: (profile) => known.push({ ...profile, sequence: [...profile.sequence] }),
      onMember: ({ key, at }) => members.push(`${key} ${at}`),
      onOrder: (key, { timestampMs }) => orders.push(`${key} ${timestampMs}`),
    });
  };
  const order = (messageId: string, timestampMs: number, receivedAtMs = timestampMs) => ({
    kind: 'event' as const,
    key: 'a',
    receivedAtMs,
    event: { messageId, type: 'track', name: 'Order Completed', timestampMs, properties: {}, worth: 0.1, rate: 1 },
  });
  const counts = () => known.map(({ values }) => values[spec.names.indexOf('orders_count_all')]);

  it('knows a record from its receipt on, or from the log time before it, and not at that very time', () => {
    const fold = createFold([1_000, 2_000, 3_000]);
    fold.fold(order('m1', 500));
    fold.fold(order('m2', 600, 1_000));
    fold.fold({ kind: 'tick', timeMs: 2_000 });
    // The log had reached 2,000 when it came, whatever the clock of the one who received it said.
    fold.fold(order('m3', 700, 1_500));
    fold.finish(3_000);
    expect(known.map(({ cutoffMs }) => cutoffMs)).toEqual([1_000, 2_000, 3_000]);
    expect(counts()).toEqual([1, 2, 3]);
    expect(known[2]?.sequence.map(({ timestampMs }) => timestampMs)).toEqual([600, 700]);
  });

  it('takes labels from event time, each order once, whenever it came in', () => {
    const fold = createFold([1_000]);
    fold.fold(order('m1', 500));
    for (const [id, at] of [
      ['m2', 1_000],
      ['m2', 1_000],
      ['m3', 1_999],
      ['m4', 2_000],
      ['m5', 999],
    ] as const)
      fold.fold(order(id, at, 9_000));
    expect(fold.finish(9_000)).toEqual([{ key: 'a', cutoffMs: 1_000, orders: 2, revenue: 0.2 }]);
  });

  it('has in labels no order that is taken back, whenever it is', () => {
    const rules = { corrections: { keep: 8, cancelled: ['Order Cancelled'] } };
    const fold = createFold([1_000], compileFeatures(ECOMMERCE_FEATURES, rules));
    const of = (entry: ReturnType<typeof order>, properties: object, name = 'Order Completed') => ({
      ...entry,
      event: { ...entry.event, name, properties },
    });
    fold.fold(of(order('m1', 500), { order_id: '7' }));
    fold.fold(of(order('m2', 1_100), { order_id: '8' }));
    fold.fold(of(order('m3', 1_200), { order_id: '9' }));
    fold.fold(of(order('m4', 1_300), { order_id: '7', version: 2 }));
    fold.fold(of(order('m5', 9_000), { order_id: '8' }, 'Order Cancelled'));
    expect(fold.finish(9_000)).toEqual([{ key: 'a', cutoffMs: 1_000, orders: 2, revenue: expect.closeTo(0.2, 9) }]);
  });

  it('has neither in features nor in labels an event that a record takes back', () => {
    const fold = createFold([1_000, 2_000]);
    const bought = order('m2', 1_100);
    fold.fold(order('m1', 500));
    fold.fold(bought);
    const { worth: amount, ...event } = bought.event;
    const original = {
      event: { ...event, amount, receivedAtMs: 1_100, currency: '' } as never,
      properties: {},
    };
    const retraction = { messageId: 'm2', amountOnly: false, rate: 1 } as never;
    fold.fold({ kind: 'tick', timeMs: 1_500 });
    fold.fold({ kind: 'taken_back', key: 'a', retracted: { retraction, original } });
    fold.fold({ kind: 'taken_back', key: 'a', retracted: { retraction, original } });
    expect(fold.finish(9_000)).toEqual([
      { key: 'a', cutoffMs: 1_000, orders: 0, revenue: 0 },
      { key: 'a', cutoffMs: 2_000, orders: 0, revenue: 0 },
    ]);
    expect(counts()).toEqual([1, 1]);
    expect(known.map(({ sequence }) => sequence.length)).toEqual([1, 1]);
  });

  it('has in a sequence an event until it is known that it is taken back, and the one before it from then on', () => {
    const fold = createFold([1_000, 2_000]);
    for (const [id, at] of [
      ['m1', 500],
      ['m2', 600],
      ['m3', 700],
    ] as const)
      fold.fold(order(id, at));
    fold.fold({ kind: 'tick', timeMs: 1_500 });
    const event = { ...order('m3', 700).event, amount: 0.1, receivedAtMs: 700, currency: '' } as never;
    const retraction = { messageId: 'm3', amountOnly: false, rate: 1 } as never;
    fold.fold({ kind: 'taken_back', key: 'a', retracted: { retraction, original: { event, properties: {} } } });
    fold.finish(9_000);
    const ids = known.map(({ sequence }) => sequence.map(({ messageId }) => messageId));
    expect(ids).toEqual([
      ['m2', 'm3'],
      ['m1', 'm2'],
    ]);
  });

  it('leaves out of sums what the feature-store leaves out of them, to the bit', () => {
    const measure = { kind: 'amount', properties: ['revenue'], absolute: false, outliers: 'exclude' } as const;
    const event = { type: 'track', name: 'Order Completed' };
    const calm = { name: 'calm', unit: 'units', event, aggregation: 'sum', measure, windowMs: undefined } as const;
    const specs = new FeatureSpecs([...ECOMMERCE_FEATURES, calm]);
    const by = specs.initial;
    const fold = createFold([9_000], by);
    let online: Parameters<typeof foldEvent>[0];
    for (const [index, revenue] of [10, 11, 12, 10, 11, 12, 10, 11, 900, 12, 11, 800].entries()) {
      const planned = {
        ...{ subject: Buffer.alloc(0), timeZone: '', currency: '' },
        ...{ ...event, messageId: `m${index}`, timestampMs: 100 * index, receivedAtMs: 100 * index },
        plan: { number: 1, violations: [], outliers: ['revenue'] },
      } as unknown as Parameters<typeof foldEvent>[1]['event'];
      const properties = { revenue };
      const context = { spec: by, specs, rates: INITIAL_RATES, logTimeMs: 0 };
      const folded = foldEvent(online, { event: planned, properties }, context);
      if (folded.kind === 'applied') online = folded.state;
      const { messageId, timestampMs, receivedAtMs } = planned;
      fold.fold({
        kind: 'event',
        key: 'a',
        receivedAtMs,
        event: { ...event, messageId, timestampMs, properties },
        planned,
      });
    }
    fold.finish(9_000);
    const state = online?.engine ?? by.empty;
    expect(known[0]?.values).toEqual(by.vector(state, 9_000).values);
    expect(known[0]?.values.at(-1)).toBe(110);
  });

  it('has no row of who did nothing, and nothing in a sequence that others report', () => {
    const fold = createFold([1_000, 2_000]);
    const report = (messageId: string, timestampMs: number) => {
      const event = { messageId, type: 'outcome', name: 'opened', timestampMs, properties: {} };
      return { kind: 'event' as const, key: 'a', receivedAtMs: timestampMs, event };
    };
    fold.fold(report('m1', 500));
    fold.fold(order('m2', 1_500));
    fold.fold(report('m3', 1_600));
    fold.finish(2_000);
    expect(known.map(({ cutoffMs, sequence }) => [cutoffMs, sequence.map(({ messageId }) => messageId)])).toEqual([
      [2_000, ['m2']],
    ]);
  });

  it('goes on after a record that cannot take an event back', () => {
    const fold = createFold([1_000]);
    fold.fold(order('m1', 500));
    const original = { event: { messageId: 'm1', type: 'track', timestampMs: 0.5, receivedAtMs: 500, currency: '' } };
    const retracted = { retraction: { messageId: 'm1', amountOnly: false }, original: { ...original, properties: {} } };
    fold.fold({ kind: 'taken_back', key: 'a', retracted: retracted as never });
    fold.finish(1_000);
    expect(counts()).toEqual([1]);
  });

  it('has no row of its own of who is part of a joined profile, and its orders for the rows of that', () => {
    const joins = new JoinHistory();
    const [self, target] = [toRef('a', 16), toRef('b', 240)];
    joins.take({ kind: 'join', key: 'a', join: { self, target } }, 1);
    joins.take({ kind: 'parted', key: 'a', other: 'b' }, 2);
    const fold = createFold([1_000, 2_000, 3_000], spec, joins);
    fold.fold(order('m1', 500));
    fold.fold(order('m2', 1_500));
    fold.fold({ ...order('m3', 1_600), key: 'c' });
    fold.finish(3_000);
    expect(known.map(({ key, cutoffMs, joined }) => [key, cutoffMs, joined])).toEqual([
      ['a', 1_000, false],
      ['c', 2_000, false],
      ['a', 3_000, false],
      ['c', 3_000, false],
    ]);
    expect(members).toEqual(['a 1']);
    expect(orders).toEqual(['a 500', 'a 1500']);
  });
});

function toRef(key: string, strength: number) {
  return { key, strength, subject: Buffer.alloc(0) };
}
