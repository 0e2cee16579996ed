import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES, parseRateTable } from '@perennial/commerce';
import { compileFeatures, DAY_MS, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import fc from 'fast-check';
import { type HistoryEvent, type OrderedHistory, toTrainingRows } from './training-rows.js';

const spec = compileFeatures(ECOMMERCE_FEATURES);
const CUTOFF = Date.UTC(2024, 4, 15);

describe('training rows', () => {
  it('knows nothing at the cutoff or after it, and labels the 90 days that begin there', () => {
    const history = toHistory([
      ['before', -1, 10],
      ['before', 0, 5.25],
      ['before', 90 * DAY_MS - 1, 0.1],
      ['before', 90 * DAY_MS, 1000],
      ['at', 0, 1],
      ['leaver', -200 * DAY_MS, 3],
      ['unknown-revenue', -1, 3],
      ['unknown-revenue', 1, undefined],
    ]);
    const rows = [...toTrainingRows(history, { cutoffsMs: [CUTOFF], spec })];
    expect(rows.map(({ userId, purchased, spend }) => [userId, purchased, spend])).toEqual([
      ['before', true, 5.35],
      ['leaver', false, 0],
      ['unknown-revenue', true, 0],
    ]);
    const [before] = rows;
    expect(before?.values[spec.names.indexOf('orders_count_all')]).toBe(1);
    expect(before?.values[spec.names.indexOf('orders_recency_days')]).toBe(1 / DAY_MS);
  });

  it('gives the same rows for a cutoff alone and among others, in order of time', () => {
    const history = toHistory([
      ['a', -300 * DAY_MS, 1],
      ['b', -100 * DAY_MS, 2],
      ['a', -50 * DAY_MS, 3],
      ['b', 5, 4],
    ]);
    const cutoffs = [CUTOFF, CUTOFF - 60 * DAY_MS, CUTOFF - 150 * DAY_MS];
    const alone = cutoffs.toReversed().flatMap((cutoff) => [...toTrainingRows(history, { cutoffsMs: [cutoff], spec })]);
    expect([...toTrainingRows(history, { cutoffsMs: cutoffs, spec })]).toEqual(alone);
    expect(alone.map(({ userId }) => userId)).toEqual(['a', 'a', 'b', 'a', 'b']);
  });

  it('leaves out who has only returned goods', () => {
    const history = toHistory([['returner', -5, 1]]);
    const returned: OrderedHistory = {
      ...history,
      event: (index) => ({ ...history.event(index), event: 'Order Refunded' }),
    };
    expect([...toTrainingRows(returned, { cutoffsMs: [CUTOFF], spec })]).toEqual([]);
  });
});

describe('orders of training rows', () => {
  const of = (...events: ReadonlyArray<readonly [string, number, object]>): OrderedHistory => ({
    ...toHistory(events.map(([, ms]) => ['u', ms, 1])),
    event: (index) => {
      const [event, , properties] = events[index] as (typeof events)[number];
      return { type: 'track', messageId: `m${index}`, userId: 'u', event, properties: { ...properties } };
    },
  });
  const label = (history: OrderedHistory, by: typeof spec) =>
    [...toTrainingRows(history, { cutoffsMs: [CUTOFF], spec: by })].map(({ purchased, spend }) => [purchased, spend]);

  it('are those of the spec: who pays invoices has a row and labels', () => {
    const definitions = ECOMMERCE_FEATURES.map((one) => ({ ...one, event: { type: 'track', name: 'Invoice Paid' } }));
    const history = of(
      ['Invoice Paid', -5, { revenue: 9 }],
      ['Order Completed', 1, { revenue: 70 }],
      ['Invoice Paid', 2, { revenue: 9.5 }],
    );
    expect(label(history, compileFeatures(definitions))).toEqual([[true, 9.5]]);
    expect(() => label(history, compileFeatures(definitions.slice(0, 1)))).toThrow('it has no feature');
  });

  it('count once, and not when they are taken back, even after the label window', () => {
    const history = of(
      ['Order Completed', -9, { order_id: '1', revenue: 1 }],
      ['Order Completed', 1, { order_id: '2', revenue: 20 }],
      ['Order Completed', 2, { order_id: '2', revenue: 20 }],
      ['Order Completed', 80 * DAY_MS, { order_id: '3', revenue: 7 }],
      ['Order Cancelled', 91 * DAY_MS, { order_id: '3' }],
    );
    expect(label(history, spec)).toEqual([[true, 27]]);
    const rules = { corrections: { keep: 8, cancelled: ['Order Cancelled'] } };
    expect(label(history, compileFeatures(ECOMMERCE_FEATURES, rules))).toEqual([[true, 20]]);
  });
});

describe('training rows in several currencies', () => {
  const parsed = parseRateTable(
    '{"version":1,"currency":"EUR","rates":{"USD":0.9,"JPY":[{"from":"2024-01-01","rate":0.006}]}}',
    { fileName: 'rates.yaml' },
  );
  const rates = parsed.ok ? parsed.value : INITIAL_RATES;

  const money = fc.record({
    amount: fc.integer({ min: 1, max: 1e6 }).map((cents) => cents / 100),
    currency: fc.constantFrom('USD', 'usd', 'JPY', 'CHF', '', undefined, 7),
    field: fc.constantFrom('revenue', 'total', 'value'),
    daysBefore: fc.integer({ min: 1, max: 300 }),
  });

  it('are bit for bit what feature-store folds from what ingest reads, with the same table', () => {
    fc.assert(
      fc.property(fc.array(money, { minLength: 1, maxLength: 12 }), (orders) => {
        const plain = toHistory(orders.map(({ daysBefore }) => ['u', -daysBefore * DAY_MS, 1]));
        const sorted = [...orders].sort((a, b) => b.daysBefore - a.daysBefore);
        const properties = sorted.map(({ field, amount, currency }) => ({ [field]: amount, currency }));
        const history: OrderedHistory = {
          ...plain,
          event: (index) => ({ ...plain.event(index), properties: properties[index] ?? {} }),
        };
        const [row] = toTrainingRows(history, { cutoffsMs: [CUTOFF], spec, rates });
        let state = spec.empty;
        for (const [index, { amount, currency }] of sorted.entries()) {
          const { messageId, type, event: name } = history.event(index);
          const timestampMs = history.timestampMs(index);
          const code = currency === 7 ? 'XXX' : String(currency ?? '').toUpperCase();
          const rate = rates.rateAt(code, timestampMs) ?? null;
          const event = { messageId, type, name, timestampMs, properties: properties[index], worth: amount, rate };
          state = spec.apply(state, event).state;
        }
        expect(row?.values).toEqual(spec.vector(state, CUTOFF).values);
      }),
      { seed: 15 },
    );
  });
});

/** Orders as (user, ms from the cutoff, revenue). */
function toHistory(orders: ReadonlyArray<readonly [string, number, number | undefined]>): OrderedHistory {
  const sorted = orders
    .map((order, line) => ({ order, line }))
    .sort((a, b) => a.order[1] - b.order[1] || a.line - b.line);
  const at = (index: number) => sorted[index] as (typeof sorted)[number];
  return {
    length: sorted.length,
    timestampMs: (index) => CUTOFF + at(index).order[1],
    event(index): HistoryEvent {
      const { order, line } = at(index);
      const [userId, , revenue] = order;
      const properties = revenue === undefined ? {} : { revenue };
      return { type: 'track', messageId: `file:${line}`, userId, event: 'Order Completed', properties };
    },
  };
}
