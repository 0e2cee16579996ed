import { must } from '@perennial/kernel';
import { createStateFormat } from './codec.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { type ApplyResult, adopt, advance, apply, merge } from './fold.js';
import { type FeaturePlan, planFeatures } from './plan.js';
import { createEmptyState, type EngineState } from './state.js';
import { advanceClock, type FeatureVector, toVector } from './vector.js';

/** A feature as others name it: a model needs this name with this meaning. */
export interface FeatureName {
  readonly name: string;
  /** SHA-256 (hex) of the definition without the name: equal only for what means the same. */
  readonly hash: string;
}

/** A feature spec, ready to work: a value like any other, of which a process may hold several. */
export interface CompiledFeatures {
  readonly definitions: readonly FeatureDefinition[];
  /** Names in the order of every vector. */
  readonly names: readonly string[];
  /** Names with the hash of each definition, in the same order. */
  readonly features: readonly FeatureName[];
  /** SHA-256 (hex) over names and hashes in order: what a state and a vector belong to. */
  readonly specHash: string;
  /** Keys of the accumulators that a state has, by slot. */
  readonly slots: readonly string[];
  /** The state of a profile without events. */
  readonly empty: EngineState;
  /**
   * Folds one event, in whatever order events come: each lands in the tiles of its own time. Log time is `state.asOfMs`, so a
   * caller that knows a later one calls `advance` first. Throws `contract_violation` for an event without id or time.
   */
  apply(state: EngineState | undefined, event: FeatureEvent): ApplyResult;
  /**
   * Time has reached `nowMs`: drops what no later vector can use. Time never goes back: for an earlier one the state is
   * returned as it is.
   */
  advance(state: EngineState, nowMs: number): EngineState;
  /**
   * Two profiles in one, as if all their events had been folded into a single state. Associative and commutative. An event
   * that both have folded counts twice: profiles that join have had different events.
   */
  merge(a: EngineState, b: EngineState): EngineState;
  /**
   * A state of another spec under this one. Accumulators that both have go on with what they hold; those that only this one
   * has begin empty, and so do columns and the far part of windows that the other did not keep.
   */
  adopt(from: CompiledFeatures, state: EngineState): EngineState;
  /**
   * The features of a state at `nowMs`. A state knows nothing of the past before its own time, so for a `nowMs` before
   * `state.asOfMs` it answers for `asOfMs`. Between `nowMs` and `validUntilMs` only what `advanceClock` moves changes.
   */
  vector(state: EngineState, nowMs: number): FeatureVector;
  /**
   * Moves the features that are linear in time (days since) from one time to another, with the very bits that `vector`
   * would give; the others are returned as they are.
   */
  advanceClock<T extends number | null>(values: readonly T[], time: { fromMs: number; toMs: number }): T[];
  /** Values by name, for people and JSON. */
  toMap(values: ReadonlyArray<number | null>): Record<string, number | null>;
  /** How many accumulators of a state gave up exact counting for an estimate. */
  countEstimates(state: EngineState): number;
  /** Equal states give equal bytes. */
  encode(state: EngineState): Buffer;
  /** Throws `contract_violation` for another format or spec, and for damaged bytes. */
  decode(bytes: Buffer): EngineState;
}

/** Compiles definitions that `parseFeatureSpec` would accept. */
export function compileFeatures(definitions: readonly FeatureDefinition[]): CompiledFeatures {
  const plan = planFeatures(definitions);
  const names = definitions.map(({ name }) => name);
  const empty = createEmptyState(plan);
  const format = createStateFormat(plan);
  const compiled: CompiledFeatures = {
    definitions,
    names,
    features: names.map((name, index) => ({ name, hash: must(plan.hashes[index], 'a hash') })),
    specHash: plan.specHash,
    slots: plan.slots.map(({ key }) => key),
    empty,
    apply: (state, event) => apply(plan, state ?? empty, event),
    advance: (state, nowMs) => advance(plan, state, nowMs),
    merge: (a, b) => merge(plan, a, b),
    adopt: (from, state) => adopt(plan, planOf(from), state),
    vector: (state, nowMs) => toVector(plan, state, nowMs),
    advanceClock: (values, time) => advanceClock(plan, values, time),
    toMap: (values) => Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])),
    countEstimates: (state) => plan.slots.filter((slot, index) => slot.isEstimate(state.slots[index])).length,
    encode: format.encode,
    decode: format.decode,
  };
  plans.set(compiled, plan);
  return Object.freeze(compiled);
}

/** The plan stays out of the public value: only another compiled spec may see it. */
const plans = new WeakMap<CompiledFeatures, FeaturePlan>();

function planOf(compiled: CompiledFeatures): FeaturePlan {
  return must(plans.get(compiled), 'the plan of a compiled spec');
}
