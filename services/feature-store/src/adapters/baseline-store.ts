import type { BlobStore } from '@perennial/blob-store';
import { type FeatureDistribution, parseDistributions } from '@perennial/feature-engine';

export type Baseline = Readonly<Record<string, FeatureDistribution>>;

/** Where the distributions lie that served values are compared with: beside the archive. */
export interface BaselineStore {
  /** Undefined before one was set. */
  load(): Promise<Baseline | undefined>;
  /** Takes the place of the one before. */
  save(baseline: Baseline): Promise<void>;
}

export function createBaselineStore(blobs: Pick<BlobStore, 'get' | 'put'>, namespace: string): BaselineStore {
  const key = `${namespace}/feature-drift/baseline.json`;
  return {
    async load() {
      const bytes = await blobs.get(key);
      return bytes && parseDistributions(JSON.parse(bytes.toString()), key);
    },
    save: (baseline) => blobs.put(key, Buffer.from(JSON.stringify(baseline))),
  };
}
