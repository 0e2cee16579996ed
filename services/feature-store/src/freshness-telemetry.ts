import type { CompiledFeatures, FeatureEvent } from '@perennial/feature-engine';
import { type Clock, systemClock } from '@perennial/kernel';
import type { Metrics } from '@perennial/telemetry';

/** Wall time between two settings of the gauges: in a backfill every event is the newest. */
const SET_INTERVAL_MS = 10_000;
/** An event that is newer by less does not ask filters and their conditions. */
const STEP_MS = 1_000;

/**
 * How fresh what features count is: a source that stopped, or renamed an event or a property, shows in those that it fed and
 * in no other. Labels are the features of specs that were in force, which only grow.
 */
export function createFreshnessTelemetry(
  metrics: Metrics,
  clock: Pick<Clock, 'steadyMs'> = systemClock,
): (spec: CompiledFeatures, event: FeatureEvent) => void {
  const gauge = metrics.gauge(
    'features_newest_event_timestamp_seconds',
    'Event time of the newest event that a feature has taken something of in this process: one that passes its filter and has its amount or id.',
    ['feature'],
  );
  const newestMs = new WeakMap<CompiledFeatures, number[]>();
  const changed = new Map<string, number>();
  const shown = new Map<string, number>();
  let setAtMs = Number.NEGATIVE_INFINITY;
  return (spec, event) => {
    const known = newestMs.get(spec) ?? spec.counting.map(() => Number.NEGATIVE_INFINITY);
    newestMs.set(spec, known);
    spec.counting.forEach(({ features, takes }, index) => {
      if (event.timestampMs < (known[index] ?? 0) + STEP_MS || !takes(event)) return;
      known[index] = event.timestampMs;
      for (const feature of features) changed.set(feature, event.timestampMs);
    });
    const nowMs = clock.steadyMs();
    if (changed.size === 0 || nowMs - setAtMs < SET_INTERVAL_MS) return;
    setAtMs = nowMs;
    for (const [feature, atMs] of changed) {
      // Profiles of another spec may have fed it later.
      const newest = Math.max(atMs, shown.get(feature) ?? Number.NEGATIVE_INFINITY);
      shown.set(feature, newest);
      gauge.set({ feature }, newest / 1_000);
    }
    changed.clear();
  };
}
