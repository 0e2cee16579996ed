import type { AttributeValue } from '@perennial/feature-engine';
import type { StageState } from '@perennial/lifecycle';
import type { SegmentState } from '@perennial/segments';

/** Scores of a model: a number for each head that its manifest declares, in that order. */
export interface ProfileScores {
  /** Hash of the manifest. */
  readonly modelHash: string;
  readonly values: readonly number[];
}

/** State of a profile in scoring. */
export interface ScoringState {
  /** Time up to which `values` (and `scores`) are current. */
  readonly asOfMs: number;
  /** The spec that defines the order of `values`. */
  readonly specHash: string;
  /** NaN for no value. */
  readonly values: readonly number[];
  /** What conditions read besides, in the order of the spec; empty where the profile has none. */
  readonly attributes: readonly AttributeValue[];
  /** The tags that it was given by hand or by a list; absent for none. */
  readonly tags?: readonly string[] | undefined;
  readonly lastEventAtMs: number;
  /** The external id, sealed; forwarded unchanged. */
  readonly subject: Buffer;
  readonly timeZone: string;
  /** Absent until a lifecycle chart is in force. */
  readonly stage: StageState | undefined;
  /** Absent until segments are in force. */
  readonly segments: SegmentState | undefined;
  /** When time alone may move the profile to another stage, or into or out of a segment. */
  readonly nextCheckAtMs: number | undefined;
  /** Absent until a model is in force. */
  readonly scores: ProfileScores | undefined;
}
