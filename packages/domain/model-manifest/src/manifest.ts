export const MANIFEST_FORMAT_VERSION = 2;

/** Maximum heads of a model; a score vector has one number for each. */
export const HEADS_MAX = 64;
export const FEATURES_MAX = 1_024;
export const TENSORS_MAX = 64;
/** Size limit of a manifest, metrics and other fields included. */
export const MANIFEST_BYTES_MAX = 1_048_576;
export const MEANING_LENGTH_MAX = 500;
export const UNIT_LENGTH_MAX = 100;
export const HORIZON_DAYS_MAX = 3_660;

type TensorDtype = 'float32' | 'float64';

/** A declared tensor. In its shape `null` stands for the number of rows, which varies. */
export interface TensorDeclaration {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: ReadonlyArray<number | null>;
}

/** A feature that the model needs, at this index of its rows. */
export interface FeatureReference {
  readonly name: string;
  /** Hash of the feature's definition: a feature with the same name and another meaning does not fit. */
  readonly hash: string;
}

export const HEAD_KINDS = ['probability', 'amount', 'count', 'number'] as const;

/** `probability` is from 0 to 1, `amount` and `count` are not negative, `number` is any finite one. */
export type HeadKind = (typeof HEAD_KINDS)[number];

/** One number that the model computes for a profile. */
export interface Head {
  /** Name used in conditions, the ledger and HTTP: a CEL identifier. */
  readonly name: string;
  /** The tensor that holds it, and its column there. */
  readonly output: string;
  readonly column: number;
  /** Meaning of the number, for people. */
  readonly meaning: string;
  readonly kind: HeadKind;
  /** Prediction horizon; undefined where it does not apply. */
  readonly horizonDays: number | undefined;
  readonly unit: string;
  /** Range of valid values, both ends included. */
  readonly range: { readonly min: number; readonly max: number };
}

/** The part of `manifest.json` that the code uses; other fields (metrics, training range) are for people. */
export interface ModelManifest {
  readonly name: string;
  readonly kind: 'tabular';
  readonly file: { readonly name: string; readonly sha256: string };
  readonly inputs: readonly TensorDeclaration[];
  readonly outputs: readonly TensorDeclaration[];
  /** Features of a row, in order. The platform may compute further ones, and in another order. */
  readonly features: readonly FeatureReference[];
  /** In the order of score vectors. */
  readonly heads: readonly Head[];
  /** Index of each head in a score vector, by name. */
  readonly slots: ReadonlyMap<string, number>;
}
