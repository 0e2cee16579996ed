import {
  type CompiledFeatures,
  compileFeatures,
  type EngineState,
  type FeatureDefinition,
  type FeatureEvent,
  type FeatureRules,
  MEMORY_BYTES_MAX,
  toBytesMax,
  toCorrectionBytesMax,
  toOutlierBytesMax,
} from '@perennial/feature-engine';
import { generateHistory } from './generate-history.js';

/** What one feature costs a profile, or a whole spec. */
export interface Cost {
  readonly name: string;
  /** Bytes of its state after the history. */
  readonly bytes: number;
  /** Bytes of its state at most. */
  readonly bytesMax: number;
  /** CPU time to fold an event, with all that is common to all features; microseconds. */
  readonly eventUs: number;
  /** The same relative to a spec that counts events and does nothing else, in the same round. */
  readonly eventRatio: number;
  /** CPU time to compute a vector; microseconds. */
  readonly vectorUs: number;
}

export interface MeasuredCosts {
  readonly baseline: Cost;
  readonly features: readonly Cost[];
  /** All features in one spec, which share what they can; bytes with the ids of messages and orders. */
  readonly spec: Cost;
}

export interface CostOptions {
  readonly seed: number;
  readonly events: number;
  readonly rounds: number;
}

const BASELINE: FeatureDefinition = {
  name: 'baseline',
  unit: 'events',
  event: undefined,
  aggregation: 'count',
  windowMs: undefined,
};

/** Vectors of one measurement. */
const VECTORS = 200;
/** Folds of the history in one measurement, and before the first. */
const FOLDS = 8;
const WARM_FOLDS = 5;

/** Measures each feature by itself, all together, and the baseline, in turns over one history: medians over the rounds. */
export function measureCosts(spec: CompiledFeatures, options: CostOptions): MeasuredCosts {
  const { definitions, repeatedOrders, corrections } = spec;
  const rules = { repeatedOrders, corrections };
  const history = generateHistory(definitions, options);
  const baseline = createProbe('baseline', { definitions: [BASELINE], bytesMax: toBytesMax(BASELINE), history, rules });
  const features = definitions.map((definition) => {
    const bytesMax = toBytesMax(definition);
    return createProbe(definition.name, { definitions: withSides(definition, definitions), bytesMax, history, rules });
  });
  const memoryBytesMax = MEMORY_BYTES_MAX + toCorrectionBytesMax(corrections) + toOutlierBytesMax(definitions);
  const bytesMax = definitions.reduce((sum, definition) => sum + toBytesMax(definition), memoryBytesMax);
  const all = createProbe('spec', { definitions, bytesMax, history, rules, hasMemory: true });
  const probes = [...features, all];
  // Code is compiled while it first runs.
  for (const probe of [baseline, ...probes]) probe.warmUp();
  for (let round = 0; round < options.rounds; round += 1) {
    // The baseline before each: what else the machine does meanwhile must weigh on both.
    for (const probe of probes) probe.measure(baseline.measure(undefined));
  }
  return { baseline: baseline.toCost(), features: features.map((probe) => probe.toCost()), spec: all.toCost() };
}

/** A ratio cannot be without its sides. */
function withSides(definition: FeatureDefinition, all: readonly FeatureDefinition[]): readonly FeatureDefinition[] {
  if (definition.aggregation !== 'ratio') return [definition];
  const { numerator, denominator } = definition;
  return [...all.filter(({ name }) => name === numerator || name === denominator), definition];
}

interface Probe {
  warmUp(): void;
  /** Measures once; returns the microseconds of an event. */
  measure(baseUs: number | undefined): number;
  toCost(): Cost;
}

function createProbe(
  name: string,
  {
    definitions,
    bytesMax,
    history,
    rules,
    hasMemory = false,
  }: {
    readonly definitions: readonly FeatureDefinition[];
    readonly bytesMax: number;
    readonly history: readonly FeatureEvent[];
    readonly rules: FeatureRules;
    readonly hasMemory?: boolean;
  },
): Probe {
  const spec = compileFeatures(definitions, rules);
  const state = fold(spec, history);
  const eventUs: number[] = [];
  const ratios: number[] = [];
  const vectorUs: number[] = [];
  return {
    warmUp: () => repeat(WARM_FOLDS, () => fold(spec, history)),
    measure(baseUs) {
      const us = toMicros(() => repeat(FOLDS, () => fold(spec, history))) / (FOLDS * history.length);
      eventUs.push(us);
      ratios.push(us / (baseUs ?? us));
      vectorUs.push(toMicros(() => repeat(VECTORS, () => spec.vector(state, state.asOfMs))) / VECTORS);
      return us;
    },
    toCost: () => ({
      name,
      bytes: bytesMax === 0 ? 0 : countBytes(spec, state, hasMemory),
      bytesMax,
      eventUs: toMedian(eventUs),
      eventRatio: toMedian(ratios),
      vectorUs: toMedian(vectorUs),
    }),
  };
}

function fold(spec: CompiledFeatures, history: readonly FeatureEvent[]): EngineState {
  let state = spec.empty;
  for (const event of history) state = spec.apply(state, event).state;
  return state;
}

/** Without what a state remembers besides its features, unless it is asked for. */
function countBytes(spec: CompiledFeatures, state: EngineState, hasMemory: boolean): number {
  const all = spec.encode(state).length;
  return hasMemory ? all : all - spec.encode({ ...state, slots: spec.empty.slots }).length;
}

function repeat(count: number, work: () => void): void {
  for (let done = 0; done < count; done += 1) work();
}

/** CPU time, since other programs may run. */
function toMicros(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function toMedian(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
