import type { CompiledFeatures, FeatureSpecs } from '@perennial/feature-engine';
import type { ProfileState } from './profile-state.js';

/** A profile as it is served. */
export interface ServedProfile {
  readonly userId: string;
  readonly known: boolean;
  /** ISO 8601, UTC, with milliseconds. */
  readonly asOf: string;
  readonly features: Readonly<Record<string, number | null>>;
}

/**
 * A profile at the log's time, under the spec in force where it lives: the highest tick on its partition, or its own time where an event has brought it further.
 * A profile never seen has the features of nothing.
 */
export function serveProfile(
  userId: string,
  state: ProfileState | undefined,
  {
    spec,
    specs,
    logTimeMs,
  }: { readonly spec: CompiledFeatures; readonly specs: FeatureSpecs; readonly logTimeMs: number },
): ServedProfile {
  const engine = state === undefined ? spec.empty : specs.adopt(spec, state.engine);
  const asOfMs = Math.max(logTimeMs, engine.asOfMs);
  return {
    userId,
    known: state !== undefined,
    asOf: new Date(asOfMs).toISOString(),
    features: spec.toMap(spec.vector(engine, asOfMs).values),
  };
}
