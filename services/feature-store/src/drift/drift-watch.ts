import { toBin, toPsi } from '@perennial/feature-engine';
import type { Metrics } from '@perennial/telemetry';
import type { Baseline } from '../adapters/baseline-store.js';

const DRIFT_WATCH_LIMITS = {
  /** Fewer profiles say nothing. */
  profilesMin: 200,
  /** Beyond, all counts are halved: profiles seen long ago count less and less. */
  profilesMax: 20_000,
} as const;

/** How far served values are from the baseline. */
export interface DriftStatus {
  /** Profiles that it is computed from, those of long ago counted less; 0 without a baseline. */
  readonly profiles: number;
  /** By feature, in the baseline's order; empty before enough profiles were seen. */
  readonly features: ReadonlyArray<{ readonly name: string; readonly psi: number; readonly missing: number }>;
}

/** Counts served values by the bins of a baseline. Labels are the baseline's features, which are bounded. */
export class DriftWatch {
  readonly #psi: ReturnType<Metrics['gauge']>;
  readonly #missing: ReturnType<Metrics['gauge']>;
  #text = '';
  #baseline: Baseline = {};
  readonly #counts = new Map<string, number[]>();
  #profiles = 0;

  constructor(metrics: Metrics) {
    this.#psi = metrics.gauge(
      'feature_drift_psi',
      'Population stability index of the stored profiles against the training export; above 0.25 the population is another one.',
      ['feature'],
    );
    this.#missing = metrics.gauge('feature_missing_ratio', 'Share of the stored profiles without a value.', [
      'feature',
    ]);
  }

  /** Begins again when it is another one. */
  setBaseline(baseline: Baseline | undefined): void {
    const text = JSON.stringify(baseline ?? {});
    if (text === this.#text) return;
    this.#text = text;
    this.#baseline = baseline ?? {};
    this.clear();
  }

  /** A profile as it is served: counted in each feature that the baseline and its spec have. */
  add(features: Readonly<Record<string, number | null>>): void {
    for (const [name, distribution] of Object.entries(this.#baseline)) {
      const value = features[name];
      if (value === undefined) continue;
      const counts = this.#counts.get(name) ?? new Array<number>(distribution.shares.length).fill(0);
      const bin = toBin(distribution, value);
      counts[bin] = (counts[bin] ?? 0) + 1;
      this.#counts.set(name, counts);
    }
    this.#profiles += 1;
    if (this.#profiles <= DRIFT_WATCH_LIMITS.profilesMax) return;
    this.#profiles /= 2;
    for (const [name, counts] of this.#counts)
      this.#counts.set(
        name,
        counts.map((count) => count / 2),
      );
  }

  /** Sets the metrics, and tells what they are. */
  observe(): DriftStatus {
    const isEnough = this.#profiles >= DRIFT_WATCH_LIMITS.profilesMin;
    const features = [...this.#counts].flatMap(([name, counts]) => {
      const distribution = this.#baseline[name];
      if (!isEnough || distribution === undefined) return [];
      const total = counts.reduce((sum, count) => sum + count, 0);
      return [{ name, psi: toPsi(distribution, counts), missing: (counts.at(-1) ?? 0) / total }];
    });
    for (const { name, psi, missing } of features) {
      this.#psi.set({ feature: name }, psi);
      this.#missing.set({ feature: name }, missing);
    }
    return { profiles: this.#counts.size === 0 ? 0 : Math.round(this.#profiles), features };
  }

  /** Another process watches from here on, or another baseline begins. */
  clear(): void {
    this.#profiles = 0;
    this.#counts.clear();
    this.#psi.reset();
    this.#missing.reset();
  }
}
