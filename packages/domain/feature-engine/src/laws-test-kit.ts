import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CompiledFeatures, compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import type { OracleEvent } from './naive-oracle-test-kit.js';
import type { EngineState } from './state.js';
import { DAY_MS, HOUR_MS } from './time.js';

// fast-check prints seed and path of a failure; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const START_MS = Date.UTC(2023, 10, 14, 7, 33, 12, 345);

const products = fc.array(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '', 'ünï ✨', 'x'.repeat(300)), {
  maxLength: 5,
});

/** How far time advances before the next step: mostly little, sometimes past whole windows, often to a boundary. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: HOUR_MS }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 20 * DAY_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 400 * DAY_MS }) },
  { weight: 1, arbitrary: fc.constantFrom(HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS, 365 * DAY_MS) },
);

const event = fc.record({
  kind: fc.constantFrom('order' as const, 'order' as const, 'refund' as const, 'page' as const),
  units: fc.option(fc.integer({ min: 0, max: 1e10 }), { nil: undefined }),
  products,
  stepMs: step,
  lateMs: fc.oneof(fc.constant(0), step),
  /** Index of an earlier event to repeat, if there are that many. */
  repeatOf: fc.option(fc.nat(30), { nil: undefined, freq: 5 }),
  advanceAfter: fc.boolean(),
});

type Script = Array<typeof event extends fc.Arbitrary<infer T> ? T : never>;
const script: fc.Arbitrary<Script> = fc.array(event, { maxLength: 40 });

const check = <T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void, numRuns = 300) =>
  fc.assert(fc.property(arbitrary, predicate), { seed: SEED, numRuns });

/** A spec and the same features by definition. */
export interface LawsOptions {
  readonly name: string;
  readonly definitions: readonly FeatureDefinition[];
  /** The values by name, recomputed from all events up to a time. */
  readonly naive: (events: readonly OracleEvent[], atMs: number) => Record<string, number | null>;
  /** True when each expiry of a tile changes a value: sums do change, a greatest amount may stay. */
  readonly isEachExpiryVisible: boolean;
}

/** Tests every law of states on random histories, and every value against the oracle. */
export function describeLaws({ name, definitions, naive, isEachExpiryVisible }: LawsOptions): void {
  const features = compileFeatures(definitions);
  describe(`${name} against a naive oracle (seed ${SEED})`, () => {
    describeFolding(features, { naive, isEachExpiryVisible });
    describeOrder(features, naive);
  });
}

function describeFolding(
  features: CompiledFeatures,
  { naive, isEachExpiryVisible }: Pick<LawsOptions, 'naive' | 'isEachExpiryVisible'>,
): void {
  const { advance, apply, decode, decodeToRead, encode, merge, vector } = features;
  const { expectOracle, lastOf, play } = createPlayer(features, naive);

  it('agrees at every time after every event, with late events, repeats and advances', () => {
    check(fc.tuple(script, step), ([events, laterMs]) => {
      let state: EngineState | undefined;
      const folded: OracleEvent[] = [];
      for (const { state: next } of play(events, folded)) {
        state = next;
        expectOracle(state, folded, state.asOfMs);
        expectOracle(state, folded, state.asOfMs + laterMs);
      }
    });
  });

  it('gives the same from its bytes, and the same bytes again', () => {
    check(script, (events) => {
      const state = lastOf(events);
      const bytes = encode(state);
      expect(decode(bytes)).toEqual(state);
      expect(encode(decode(bytes)).equals(bytes)).toBe(true);
      expect(vector(decodeToRead(bytes), state.asOfMs)).toEqual(vector(state, state.asOfMs));
      expect(encode(decodeToRead(bytes)).equals(bytes)).toBe(true);
    });
  });

  it('never drops anything a later vector needs when advanced at other times', () => {
    check(fc.tuple(script, fc.array(step, { maxLength: 5 })), ([events, steps]) => {
      const state = lastOf(events);
      let advanced = state;
      for (const ms of steps) advanced = advance(advanced, advanced.asOfMs + ms);
      expect(vector(advanced, advanced.asOfMs)).toEqual(vector(state, advanced.asOfMs));
      expect(advance(state, advanced.asOfMs)).toEqual(advanced);
    });
  });

  it('keeps windowed values until validUntilMs, and changes one there', () => {
    check(fc.tuple(script, fc.double({ min: 0, max: 1, noNaN: true })), ([events, share]) => {
      const state = lastOf(events);
      const { values, validUntilMs } = vector(state, state.asOfMs);
      const endMs = validUntilMs ?? state.asOfMs + 1000 * DAY_MS;
      expect(endMs).toBeGreaterThan(state.asOfMs);
      for (const atMs of [state.asOfMs + Math.floor(share * (endMs - 1 - state.asOfMs)), endMs - 1]) {
        expect(vector(state, atMs).values).toEqual(features.advanceClock(values, { fromMs: state.asOfMs, toMs: atMs }));
      }
      if (validUntilMs === undefined || !isEachExpiryVisible) return;
      expect(vector(state, validUntilMs).values).not.toEqual(
        features.advanceClock(values, { fromMs: state.asOfMs, toMs: validUntilMs }),
      );
    });
  });

  it('never changes a state it was given', () => {
    check(fc.tuple(script, script), ([events, others]) => {
      const state = lastOf(events);
      const bytes = encode(state);
      const other = lastOf(others, [], 'other-');
      merge(state, other);
      merge(other, state);
      advance(state, state.asOfMs + 40 * DAY_MS);
      for (const next of toEvents(others)) apply(state, toFeatureEvent({ ...next, id: `new-${next.id}` }));
      expect(encode(state).equals(bytes)).toBe(true);
    });
  });
}

function describeOrder(features: CompiledFeatures, naive: LawsOptions['naive']): void {
  const { encode, merge } = features;
  const { expectOracle, foldAll, lastOf } = createPlayer(features, naive);

  it('merges two profiles into what one would have been, byte for byte, in any order', () => {
    check(fc.tuple(script, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 })), ([events, sides]) => {
      const all = toEvents(events);
      const endMs = Math.max(START_MS, ...all.map((e) => e.timestampMs));
      const whole = foldAll(all, endMs);
      const left = foldAll(
        all.filter((_, i) => sides[i]),
        endMs,
      );
      const right = foldAll(
        all.filter((_, i) => !sides[i]),
        endMs,
      );
      expect(encode(merge(left, right)).equals(encode(whole))).toBe(true);
      expect(encode(merge(right, left)).equals(encode(whole))).toBe(true);
    });
  });

  it('merges associatively, with the numbers of the oracle', () => {
    check(fc.tuple(script, script, script), (scripts) => {
      const folded: OracleEvent[] = [];
      const [a, b, c] = scripts.map((events, i) => lastOf(events, folded, `p${i}-`)) as [
        EngineState,
        EngineState,
        EngineState,
      ];
      const abc = merge(merge(a, b), c);
      expect(encode(merge(a, merge(b, c))).equals(encode(abc))).toBe(true);
      expectOracle(abc, folded, abc.asOfMs);
    });
  });

  it('makes the same bytes whatever order events arrive in, once time is known', () => {
    const shuffled = script.chain((events) => {
      const all = toEvents(events);
      return fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }));
    });
    check(shuffled, ([all, other]) => {
      const endMs = Math.max(START_MS, ...all.map((e) => e.timestampMs));
      expect(encode(foldAll(other, endMs)).equals(encode(foldAll(all, endMs)))).toBe(true);
    });
  });
}

/** How histories are folded under one spec. */
function createPlayer(features: CompiledFeatures, naive: LawsOptions['naive']) {
  const { advance, apply, empty, vector } = features;

  /** Runs a script as a processor would: time advances, then an event comes, possibly late or repeated. */
  function* play(events: Script, folded: OracleEvent[], prefix = ''): Generator<{ state: EngineState }> {
    let state = advance(empty, START_MS);
    const sent: Array<{ event: OracleEvent; hour: number }> = [];
    for (const [index, entry] of events.entries()) {
      const nowMs = state.asOfMs + entry.stepMs;
      const earlier = entry.repeatOf === undefined ? undefined : sent[entry.repeatOf];
      if (entry.advanceAfter || earlier !== undefined) state = advance(state, nowMs);
      if (earlier !== undefined) {
        const hour = Math.floor(nowMs / HOUR_MS);
        const result = apply(state, toFeatureEvent(earlier.event));
        expect(result.applied).toBe(hour - earlier.hour > 24);
        if (!result.applied) expect(result.state).toBe(state);
        else {
          folded.push(earlier.event);
          earlier.hour = hour;
        }
        state = result.state;
      } else {
        const next = toEvent(entry, `${prefix}${index}`, nowMs);
        state = apply(state, toFeatureEvent(next)).state;
        folded.push(next);
        sent.push({ event: next, hour: Math.floor(state.asOfMs / HOUR_MS) });
      }
      yield { state };
    }
  }

  function lastOf(events: Script, folded: OracleEvent[] = [], prefix = ''): EngineState {
    let last = advance(empty, START_MS);
    for (const { state } of play(events, folded, prefix)) last = state;
    return last;
  }

  function foldAll(events: readonly OracleEvent[], endMs: number): EngineState {
    let state = advance(empty, endMs);
    for (const next of events) state = apply(state, toFeatureEvent(next)).state;
    return state;
  }

  function expectOracle(state: EngineState, folded: readonly OracleEvent[], atMs: number): void {
    const { values } = vector(state, atMs);
    expect(values).toHaveLength(features.names.length);
    expect(features.toMap(values)).toEqual(naive(folded, atMs));
  }

  return { expectOracle, foldAll, lastOf, play };
}

function toEvents(events: Script): OracleEvent[] {
  let nowMs = START_MS;
  return events.map((entry, index) => {
    nowMs += entry.stepMs;
    return toEvent(entry, `${index}`, nowMs);
  });
}

function toEvent(entry: Script[number], id: string, nowMs: number): OracleEvent {
  const { kind, units, products: ids, lateMs } = entry;
  return { id, kind, units, products: ids.filter((product) => product !== ''), timestampMs: nowMs - lateMs };
}

function toFeatureEvent(event: OracleEvent): FeatureEvent {
  const revenue = event.units === undefined ? {} : { revenue: event.units / 1e4 };
  const name = { order: 'Order Completed', refund: 'Order Refunded', page: 'Home' }[event.kind];
  return {
    messageId: event.id,
    type: event.kind === 'page' ? 'page' : 'track',
    name,
    timestampMs: event.timestampMs,
    properties: { ...revenue, products: event.products.map((id) => ({ product_id: id })) },
  };
}
