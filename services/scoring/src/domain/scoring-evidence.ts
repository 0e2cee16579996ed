import type { AttributeValue, CompiledFeatures } from '@perennial/feature-engine';
import type { Lifecycle } from '@perennial/lifecycle';
import type { CheckedScores, ModelManifest } from '@perennial/model-manifest';
import type { Segments } from '@perennial/segments';

/** Result of `prepare` for one item: the vector at the step's time, the scores, and the artifacts in force. */
export interface ScoringEvidence {
  readonly asOfMs: number;
  /** The spec in force, which defines the order of `values`. */
  readonly spec: CompiledFeatures;
  readonly values: readonly number[];
  /** In the order of the spec in force; empty where the profile has none. */
  readonly attributes: readonly AttributeValue[];
  /** Undefined while no model is in force. */
  readonly model: ScoredModel | undefined;
  /** Undefined while no chart is in force. */
  readonly lifecycle: { readonly rules: Lifecycle; readonly number: number } | undefined;
  /** Undefined while no segments are in force. */
  readonly segments: { readonly rules: Segments; readonly number: number } | undefined;
}

/** A model in force, and its result for one item: a number per head, or why there is none. */
export interface ScoredModel {
  /** Hash of the manifest. */
  readonly hash: string;
  readonly manifest: ModelManifest;
  readonly scores: CheckedScores;
}
