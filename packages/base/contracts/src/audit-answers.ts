/*
 * What the command `audit` of feature-store prints as JSON, and the command line of the platform reads.
 */

/** A value that was served, and what the archive gives at the same position; both as text with all digits. */
export interface AuditMismatch {
  readonly profileKey: string;
  readonly partition: number;
  readonly offset: number;
  /** A feature; `(update)` where a whole vector is missing on one side, `(spec)`, `(asOf)`. */
  readonly feature: string;
  readonly served: string;
  readonly recomputed: string;
}

/** A mismatch as the running audit found it. */
export interface FoundAuditMismatch extends AuditMismatch {
  /** ISO 8601. */
  readonly foundAt: string;
}

/** The answer of `audit`: one comparison of some profiles. */
export interface AuditAnswer {
  readonly profiles: number;
  /** Vectors compared. */
  readonly vectors: number;
  readonly mismatches: number;
  /** The first of them. */
  readonly first: readonly AuditMismatch[];
  /** Of the sample: the same seed takes the same profiles. */
  readonly seed: string;
}

/** The answer of `audit status`: what the running audit has done since it began, whichever processes ran it. */
export interface AuditStatus {
  readonly profiles: number;
  readonly mismatches: number;
  /** ISO 8601; null before the first. */
  readonly lastSuccessAt: string | null;
  /** Times that all profiles of each partition were compared. */
  readonly passes: readonly number[];
}

/** The answer of `audit mismatches`, the newest first. */
export interface AuditMismatches {
  readonly mismatches: readonly FoundAuditMismatch[];
}
