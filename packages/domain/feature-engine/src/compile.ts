import { must } from '@perennial/kernel';
import type { IdCount } from './accumulators/accumulator.js';
import type { ApplyResult } from './apply-result.js';
import type { Attribute } from './attributes.js';
import { createStateFormat } from './codec.js';
import type { CorrectionRules } from './corrections/correction-rules.js';
import { type Added, isTakenBack } from './corrections/corrections.js';
import { listInexact } from './corrections/inexact.js';
import { type TakeBack, type TakenBack, takeBack } from './corrections/take-back.js';
import type { CountingFeatures } from './counting.js';
import { type FeatureDefinition, type FeatureRules, MONEY_UNIT } from './definition.js';
import type { FeatureEvent } from './event.js';
import { completeWith, createEmptyPart, foldBeside, takeBackBeside, withoutMemories } from './fill.js';
import { adopt, advance, apply, merge } from './fold.js';
import { toHash64 } from './hash.js';
import type { RepeatedOrders } from './order-memory.js';
import { type FeaturePlan, planFeatures } from './plan.js';
import { type RetractResult, retract } from './retract.js';
import { createEmptyState, type EngineState } from './state.js';
import { findUnread, type UnreadValue } from './unread.js';
import { advanceClock, type FeatureVector, toTops, toVector } from './vector.js';

/** A feature as others refer to it: a model needs this name with this meaning. */
export interface FeatureName {
  readonly name: string;
  /** SHA-256 (hex) of the definition without the name: equal only for equal meanings. */
  readonly hash: string;
}

/** A compiled feature spec: an immutable value, of which a process may hold several. */
export interface CompiledFeatures {
  readonly definitions: readonly FeatureDefinition[];
  /** Names in the order of the vectors. */
  readonly names: readonly string[];
  /** Names with the hash of each definition, in the same order. */
  readonly features: readonly FeatureName[];
  /** SHA-256 (hex) over names and hashes in order, and attributes; names the spec in states and vectors. */
  readonly specHash: string;
  readonly repeatedOrders: RepeatedOrders;
  /** What conditions may read besides the features, in the order in which it travels. */
  readonly attributes: readonly Attribute[];
  /** Which orders a profile takes back when they are cancelled or edited; undefined for none. */
  readonly corrections: CorrectionRules | undefined;
  /** Properties whose outliers features leave out; undefined where none does. */
  readonly leftOut: readonly string[] | undefined;
  /** The features by the events that they take something of. */
  readonly counting: readonly CountingFeatures[];
  /** Keys of a state's accumulators, by slot. */
  readonly slots: readonly string[];
  /** The state of a profile without events. */
  readonly empty: EngineState;
  /**
   * Folds one event. Events may come in any order: each counts in its own time's tiles. Log time is `state.asOfMs`; a
   * caller that knows a later one calls `advance` first. Throws `contract_violation` for an event without id or time.
   */
  apply(state: EngineState | undefined, event: FeatureEvent): ApplyResult;
  /**
   * Takes back what an event had added, as if it had never been: the features in `cannot` still have it. The event must be
   * one that `apply` folded into this state, with the same properties, worth and rate; `added` is `amount` for one that
   * only completed an order. Its message id stays known, so that a retry does not bring it back; its order is forgotten,
   * so that a corrected one counts. Throws as `apply` does.
   */
  retract(state: EngineState, event: FeatureEvent, added?: Added): RetractResult;
  /**
   * Takes back an event that a record says, once, and before or after its event: `early` in the result means that it has
   * not come, `not_kept` that it counts still, the record and this state not knowing what it had added. `cannot` as of
   * `retract`. Throws as `apply` does.
   */
  takeBack(state: EngineState, taken: TakeBack): TakenBack;
  /**
   * Names of the features that at a time still have an event that was taken back, in order; each is right again when its
   * window has passed the event.
   */
  listInexact(state: EngineState, atMs: number): readonly string[];
  /** True when an event of this message was taken back, or is not to count when it comes. Forgotten after a year, or 256 others. */
  isTakenBack(state: EngineState, messageId: string): boolean;
  /**
   * Advances the state to `nowMs`: drops what no later vector can use. Time never goes back: for an earlier time the
   * state is returned unchanged.
   */
  advance(state: EngineState, nowMs: number): EngineState;
  /**
   * Merges two profiles, as if all events had been folded into a single state. Associative and commutative. An event
   * that both have folded counts twice; profiles that are joined have had different events.
   */
  merge(a: EngineState, b: EngineState): EngineState;
  /**
   * Converts a state of another spec to this one. Accumulators of both specs keep their data; those of this one alone
   * begin empty, as do columns and the far part of windows that the other spec did not keep.
   */
  adopt(from: CompiledFeatures, state: EngineState): EngineState;
  /**
   * Folds an event that the profile's own state, which is of another spec, has just counted. `beside` holds the events
   * of this spec so far, undefined before the first one; `before` is the own state before the event, at the time of its
   * fold. Both specs must count repeated orders alike: then this is what `apply` would have counted.
   */
  foldBeside(
    beside: EngineState | undefined,
    counted: { readonly before: EngineState; readonly event: FeatureEvent },
  ): EngineState;
  /** The same for an event that is taken back from the profile's own state; `before` is that state before. */
  takeBackBeside(beside: EngineState | undefined, taken: TakeBack & { readonly before: EngineState }): EngineState;
  /** The state of a profile without events, when it is a part: what it is to take back waits for `completeWith`. */
  readonly emptyPart: EngineState;
  /**
   * The whole state: `part` holds the events below a position, `beside` those from it on, and `own`, a state of another
   * spec over all of them, the time and the ids. Equal to the state that folded all events, bit for bit.
   */
  completeWith(
    part: EngineState,
    rest: { readonly beside: EngineState | undefined; readonly own: EngineState },
  ): EngineState;
  /** The state without ids, as `completeWith` takes it. */
  withoutMemories(state: EngineState): EngineState;
  /**
   * The features of a state at `nowMs`. A state has no data about the time before its own, so a `nowMs` before
   * `state.asOfMs` gives the values at `asOfMs`. From `nowMs` to `validUntilMs` only what `advanceClock` moves changes.
   */
  vector(state: EngineState, nowMs: number): FeatureVector;
  /**
   * Moves the features that are linear in time (days since), and ratios of them, from one time to another, bit for bit
   * as `vector` would compute them; the others are returned unchanged.
   */
  advanceClock<T extends number | null>(values: readonly T[], time: { fromMs: number; toMs: number }): T[];
  /**
   * The ids behind each `top_count`, `top_share` and `entropy` by the feature's name: the five most frequent with their
   * counts, greatest first, equal ones by id. Texts longer than 64 bytes end in their hash. `nowMs` as for `vector`.
   */
  tops(state: EngineState, nowMs: number): Record<string, readonly IdCount[]>;
  /** Values by name, for display and JSON. */
  toMap(values: ReadonlyArray<number | null>): Record<string, number | null>;
  /** Unit of each feature by name; that of money is the given currency. Equal calls in a row give the same object. */
  units(currency: string): Readonly<Record<string, string>>;
  /**
   * The features of which the event has a value that cannot be taken: nothing in the state depends on it. Costs a look at each
   * property that a feature reads.
   */
  findUnread(event: FeatureEvent): readonly UnreadValue[];
  /** Number of accumulators of a state that replaced exact counting by an estimate. */
  countEstimates(state: EngineState): number;
  /** Equal states give equal bytes. */
  encode(state: EngineState): Buffer;
  /** Throws `contract_violation` for another format or spec, and for damaged bytes. */
  decode(bytes: Buffer): EngineState;
  /**
   * As `decode`, for a state of which hardly more than the vector is read: the rest is decoded, and found damaged, when it is first used.
   * Keeps `bytes`.
   */
  decodeToRead(bytes: Buffer): EngineState;
}

/** Compiles definitions that `parseFeatureSpec` would accept. */
export function compileFeatures(definitions: readonly FeatureDefinition[], rules: FeatureRules = {}): CompiledFeatures {
  const plan = planFeatures({ definitions, rules });
  const names = definitions.map(({ name }) => name);
  const empty = createEmptyState(plan);
  const format = createStateFormat(plan);
  const reading = createStateFormat(plan, { isLazy: true });
  const compiled: CompiledFeatures = {
    definitions,
    names,
    features: names.map((name, index) => ({ name, hash: must(plan.hashes[index], 'a hash') })),
    specHash: plan.specHash,
    repeatedOrders: plan.repeatedOrders,
    attributes: plan.attributes,
    corrections: plan.corrections,
    leftOut: plan.leftOut,
    counting: plan.counting,
    slots: plan.slots.map(({ key }) => key),
    empty,
    apply: (state, event) => apply(plan, state ?? empty, event),
    retract: (state, event, added = 'all') => retract(plan, state, event, added),
    takeBack: (state, taken) => takeBack(plan, advance(plan, state, taken.receivedAtMs), taken),
    isTakenBack: (state, messageId) => isTakenBack(state.corrections, toHash64(messageId)),
    listInexact: (state, atMs) => listInexact(plan, state, atMs),
    advance: (state, nowMs) => advance(plan, state, nowMs),
    merge: (a, b) => merge(plan, a, b),
    adopt: (from, state) => adopt(plan, planOf(from), state),
    foldBeside: (beside, counted) => foldBeside(plan, beside, counted),
    takeBackBeside: (beside, taken) => takeBackBeside(plan, beside, taken),
    emptyPart: createEmptyPart(plan),
    completeWith: (part, rest) => completeWith(plan, part, rest),
    withoutMemories,
    vector: (state, nowMs) => toVector(plan, state, nowMs),
    tops: (state, nowMs) => toTops(plan, state, nowMs),
    advanceClock: (values, time) => advanceClock(plan, values, time),
    toMap: (values) => toMap(names, values),
    units: createUnits(definitions),
    countEstimates: (state) => plan.slots.filter((slot, index) => slot.isEstimate(state.slots[index])).length,
    findUnread: (event) => findUnread(plan, event),
    encode: format.encode,
    decode: format.decode,
    decodeToRead: reading.decode,
  };
  plans.set(compiled, plan);
  return Object.freeze(compiled);
}

/** The plan is not part of the public value: only another compiled spec may read it. */
const plans = new WeakMap<CompiledFeatures, FeaturePlan>();

function planOf(compiled: CompiledFeatures): FeaturePlan {
  return must(plans.get(compiled), 'the plan of a compiled spec');
}

/** Five times as fast as `Object.fromEntries`: a read of many profiles makes one for each. */
function toMap(names: readonly string[], values: ReadonlyArray<number | null>): Record<string, number | null> {
  const map: Record<string, number | null> = {};
  for (let index = 0; index < names.length; index += 1) map[names[index] as string] = values[index] ?? null;
  return map;
}

/** Made once for a currency: a namespace has one. */
function createUnits(definitions: readonly FeatureDefinition[]): CompiledFeatures['units'] {
  let last: { readonly currency: string; readonly units: Readonly<Record<string, string>> } | undefined;
  return (currency) => {
    if (last?.currency !== currency) {
      const units = definitions.map(({ name, unit, event }) => [
        name,
        unit === MONEY_UNIT ? (event?.currency ?? currency) : unit,
      ]);
      last = { currency, units: Object.freeze(Object.fromEntries(units)) };
    }
    return last.units;
  };
}
