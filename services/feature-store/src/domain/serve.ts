import type { CompiledFeatures, FeatureSpecs } from '@perennial/feature-engine';
import type { ProfileState } from './profile-state.js';

/** A profile in the form that HTTP returns. */
export interface ServedProfile {
  readonly userId: string;
  readonly known: boolean;
  /** ISO 8601, UTC, with milliseconds. */
  readonly asOf: string;
  readonly features: Readonly<Record<string, number | null>>;
  /** Unit of each feature; that of money is the namespace's currency. */
  readonly units: Readonly<Record<string, string>>;
}

/**
 * A profile at log time (the highest tick on its partition, or its own time if an event has moved it further), under
 * the spec in force there. A profile without events has the features of an empty state.
 */
export function serveProfile(
  userId: string,
  state: ProfileState | undefined,
  {
    spec,
    specs,
    currency,
    logTimeMs,
  }: {
    readonly spec: CompiledFeatures;
    readonly specs: FeatureSpecs;
    readonly currency: string;
    readonly logTimeMs: number;
  },
): ServedProfile {
  const engine = state === undefined ? spec.empty : specs.adopt(spec, state.engine);
  const asOfMs = Math.max(logTimeMs, engine.asOfMs);
  return {
    userId,
    known: state !== undefined,
    asOf: new Date(asOfMs).toISOString(),
    features: spec.toMap(spec.vector(engine, asOfMs).values),
    units: spec.units(currency),
  };
}
