import type { StageState } from '@perennial/lifecycle';

/** What a model said: a number for each head that its manifest declares, in that order. */
export interface ProfileScores {
  /** Hash of the manifest. */
  readonly modelHash: string;
  readonly values: readonly number[];
}

/** All that scoring remembers of a profile. */
export interface ScoringState {
  /** Time that `values` (and `scores`) are current to. */
  readonly asOfMs: number;
  /** The spec that gives `values` their order. */
  readonly specHash: string;
  /** NaN for no value. */
  readonly values: readonly number[];
  readonly lastEventAtMs: number;
  /** The external id, sealed; forwarded as it came. */
  readonly subject: Buffer;
  readonly timeZone: string;
  /** Absent until a lifecycle chart is in force. */
  readonly stage: StageState | undefined;
  /** When time alone may move the profile to another stage. */
  readonly nextCheckAtMs: number | undefined;
  /** Absent until a model is in force. */
  readonly scores: ProfileScores | undefined;
}
