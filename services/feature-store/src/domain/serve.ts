import type { EngineState } from '@perennial/feature-engine';
import { type SpecContext, toCurrent } from './fill.js';
import { hadEvents, type ProfileState } from './profile-state.js';

/** A profile in the form that HTTP returns. */
export interface ServedProfile {
  readonly userId: string;
  /** False for a profile without events, also for one that was given a tag. */
  readonly known: boolean;
  /** ISO 8601, UTC, with milliseconds. */
  readonly asOf: string;
  /** Of the spec in force, which has all the names. */
  readonly specHash: string;
  readonly features: Readonly<Record<string, number | null>>;
  /** Names of the features that still have an event that was taken back. */
  readonly inexact: readonly string[];
  /** Unit of each feature; that of money is the namespace's currency. */
  readonly units: Readonly<Record<string, string>>;
}

/**
 * A profile at log time (the highest tick on its partition, or its own time if an event has moved it further), under
 * the spec in force there; a feature that is still filled is null. A profile without events has the features of an
 * empty state. `part` is what the profile has yet to take of the fill in force.
 */
export function serveProfile(
  userId: string,
  state: ProfileState | undefined,
  context: SpecContext & {
    readonly currency: string;
    readonly logTimeMs: number;
    readonly part: EngineState | undefined;
  },
): ServedProfile {
  const { spec, specs, currency, logTimeMs, part } = context;
  const engine = state === undefined ? spec.empty : toCurrent(state, context, part).engine;
  const asOfMs = Math.max(logTimeMs, engine.asOfMs);
  const made = specs.get(engine.specHash);
  const { values } = made.vector(engine, asOfMs);
  const inOrder = made === spec ? values : specs.findPlaces(made, spec.features).map((place) => values[place] ?? null);
  return {
    userId,
    known: hadEvents(state),
    asOf: new Date(asOfMs).toISOString(),
    specHash: spec.specHash,
    features: spec.toMap(inOrder),
    inexact: made.listInexact(engine, asOfMs).filter((name) => made === spec || spec.names.includes(name)),
    units: spec.units(currency),
  };
}

/** What the features of frequencies count, by their names: ids with their counts, the most frequent first. */
export type ServedTops = Readonly<Record<string, ReturnType<EngineTops>[string]>>;
type EngineTops = SpecContext['spec']['tops'];

/** The ids behind a profile's features of frequencies, at the time of `serveProfile`. */
export function serveTops(
  state: ProfileState | undefined,
  context: SpecContext & { readonly logTimeMs: number; readonly part: EngineState | undefined },
): ServedTops {
  const { spec, specs, logTimeMs, part } = context;
  const engine = state === undefined ? spec.empty : toCurrent(state, context, part).engine;
  const made = specs.get(engine.specHash);
  const tops = made.tops(engine, Math.max(logTimeMs, engine.asOfMs));
  return made === spec ? tops : Object.fromEntries(Object.entries(tops).filter(([name]) => spec.names.includes(name)));
}
