import type { SnapshotHazard } from './snapshot-plan.js';

export interface ProcessAddress {
  readonly stage: number;
  readonly process: number;
}

/** One thing that goes wrong, and when; what lasts is over after `forMs`. */
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
      /** Its sentinels do not agree: so often, at this interval. */
      readonly times: number;
      readonly everyMs: number;
    }
  /** The next commit that does not move the offset is taken back so much later, with all that came since. */
  | { readonly kind: 'lost-part'; readonly stage: number; readonly afterMs: number }
  | { readonly kind: 'empty'; readonly stages: readonly number[] }
  | { readonly kind: 'slow' | 'store-trouble' | 'publish-trouble' | 'blob-trouble'; readonly forMs: number }
  /** Of one stage's snapshots; the log that they allow to forget. */
  | { readonly kind: 'damage' | 'trim'; readonly stage: number }
);

export interface FaultOptions {
  readonly stages: number;
  readonly processesPerStage: number;
  /** No commit may get lost. */
  readonly machinesDiffer: boolean;
  readonly hazard: SnapshotHazard;
  readonly untilMs: number;
}
