import type { FeatureSpecs } from '@perennial/feature-engine';
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
 * A profile at the log's time: the highest tick on its partition, or its own time where an event has brought it further.
 * A profile never seen has the features of nothing.
 */
export function serveProfile(
  userId: string,
  state: ProfileState | undefined,
  { specs, logTimeMs }: { readonly specs: FeatureSpecs; readonly logTimeMs: number },
): ServedProfile {
  const engine = state?.engine ?? specs.initial.empty;
  const spec = specs.get(engine.specHash);
  const asOfMs = Math.max(logTimeMs, engine.asOfMs);
  return {
    userId,
    known: state !== undefined,
    asOf: new Date(asOfMs).toISOString(),
    features: spec.toMap(spec.vector(engine, asOfMs).values),
  };
}
