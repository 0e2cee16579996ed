import type { SnapshotHazard } from './snapshot-plan.js';

export interface ProcessAddress {
  readonly stage: number;
  readonly process: number;
}

/** One fault and its time; a lasting one ends after `forMs`. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'kill'; readonly at: ProcessAddress; readonly forMs: number }
  | { readonly kind: 'stop'; readonly at: ProcessAddress; readonly forMs: number }
  | { readonly kind: 'pause'; readonly at: ProcessAddress; readonly forMs: number }
  | { readonly kind: 'cut-off'; readonly at: ProcessAddress; readonly forMs: number }
  | { readonly kind: 'rebalance'; readonly stage: number }
  | {
      readonly kind: 'fail-over';
      readonly stages: readonly number[];
      readonly losesMs: number;
      /** Repeated fail-overs because the sentinels disagree: this many, at this interval. */
      readonly times: number;
      readonly everyMs: number;
    }
  /** The next commit that does not move the offset is lost this much later, with all commits after it. */
  | { readonly kind: 'lost-part'; readonly stage: number; readonly afterMs: number }
  | { readonly kind: 'empty'; readonly stages: readonly number[] }
  | { readonly kind: 'slow' | 'store-trouble' | 'publish-trouble' | 'blob-trouble'; readonly forMs: number }
  /** Damage to one stage's snapshots; or the removal of those records of its log that its snapshots do not need. */
  | { readonly kind: 'damage' | 'trim'; readonly stage: number }
);

export interface FaultOptions {
  readonly stages: number;
  readonly processesPerStage: number;
  /** Set when no commit may be lost. */
  readonly machinesDiffer: boolean;
  readonly hazard: SnapshotHazard;
  readonly untilMs: number;
}
