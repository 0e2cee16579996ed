import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CompiledFeatures, compileFeatures } from './compile.js';
import type { FeatureEvent } from './event.js';
import { drawCase } from './oracle-cases-test-kit.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import type { EngineState } from './state.js';

// fast-check prints seed and path of a failure; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);

const drawOrder = fc.record({ orderId: fc.nat(5), isBare: fc.boolean(), repeats: fc.boolean() });

describe(`a spec that is filled (seed ${SEED})`, () => {
  it('gives the state of a run which had it from the start, bit for bit, wherever the spec changes', () => {
    const drawn = fc.tuple(drawCase, drawCase, fc.array(drawOrder, { maxLength: 30 }), fc.nat(60), fc.nat(60));
    fc.assert(
      fc.property(drawn, ([{ definitions, events, atMs, sides }, old, orders, from, to]) => {
        const before = compileFeatures(old.definitions);
        const spec = compileFeatures([...definitions.map((d) => ({ ...d })), ...ECOMMERCE_FEATURES]);
        const history = withOrders(events, orders);
        const begin = from % (history.length + 1);
        const end = begin + (to % (history.length - begin + 1));
        const isAdvanced = (index: number) => sides[index % sides.length]?.isAdvanced === true;
        const whole = fold(spec, history, isAdvanced);
        const part = fold(spec, history.slice(0, begin), () => false);
        let own = fold(before, history.slice(0, begin), isAdvanced);
        let beside: EngineState | undefined;
        for (const [index, event] of history.slice(begin, end).entries()) {
          if (isAdvanced(begin + index)) own = before.advance(own, own.asOfMs + 1_000);
          const result = before.apply(own, event);
          if (result.applied) beside = spec.foldBeside(beside, { before: own, event });
          own = result.state;
        }
        const stored = beside && spec.decode(spec.encode(beside));
        const rest = history.slice(end);
        const filled = fold(spec, rest, () => false, spec.completeWith(part, { beside: stored, own }));
        const readMs = Math.max(atMs, whole.asOfMs, filled.asOfMs);
        expect(spec.encode(spec.advance(filled, readMs))).toEqual(spec.encode(spec.advance(whole, readMs)));
        expect(spec.vector(filled, readMs)).toEqual(spec.vector(whole, readMs));
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});

/** Some events become orders that come again, under their own message id or another one. */
function withOrders(
  events: readonly FeatureEvent[],
  orders: ReadonlyArray<{ orderId: number; isBare: boolean; repeats: boolean }>,
): FeatureEvent[] {
  return events.flatMap((event, index) => {
    const order = orders[index];
    if (order === undefined) return [event];
    const worth = order.isBare ? undefined : 10 + order.orderId;
    const bought = {
      ...event,
      type: 'track',
      name: 'Order Completed',
      properties: { ...(event.properties as object), order_id: `o${order.orderId}`, revenue: worth },
    };
    return order.repeats ? [bought, bought] : [bought];
  });
}

function fold(
  spec: CompiledFeatures,
  events: readonly FeatureEvent[],
  isAdvanced: (index: number) => boolean,
  from: EngineState = spec.empty,
): EngineState {
  return events.reduce((state, event, index) => {
    const moved = isAdvanced(index) ? spec.advance(state, state.asOfMs + 1_000) : state;
    return spec.apply(moved, event).state;
  }, from);
}
