export const MANIFEST_FORMAT_VERSION = 2;

/** Numbers that a model gives a profile; a score vector has one for each. */
export const HEADS_MAX = 64;
export const FEATURES_MAX = 1_024;
export const TENSORS_MAX = 64;
/** Metrics and the like included. */
export const MANIFEST_BYTES_MAX = 1_048_576;
export const MEANING_LENGTH_MAX = 500;
export const UNIT_LENGTH_MAX = 100;
export const HORIZON_DAYS_MAX = 3_660;

type TensorDtype = 'float32' | 'float64';

/** A tensor as declared: `null` is the number of rows, which varies. */
export interface TensorDeclaration {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: ReadonlyArray<number | null>;
}

/** A feature that the model needs, at this place of its rows. */
export interface FeatureReference {
  readonly name: string;
  /** Hash of the feature's definition: a feature of that name that means something else will not do. */
  readonly hash: string;
}

export const HEAD_KINDS = ['probability', 'amount', 'count', 'number'] as const;

/** `probability` is from 0 to 1, `amount` and `count` are not negative, `number` is any finite one. */
export type HeadKind = (typeof HEAD_KINDS)[number];

/** One number that the model gives a profile. */
export interface Head {
  /** What conditions, the ledger and HTTP call it: a CEL identifier. */
  readonly name: string;
  /** The tensor that holds it, and the column there. */
  readonly output: string;
  readonly column: number;
  /** For people: what the number says. */
  readonly meaning: string;
  readonly kind: HeadKind;
  /** How far ahead it looks; undefined where that has no sense. */
  readonly horizonDays: number | undefined;
  readonly unit: string;
  /** Values that a sound model gives, both ends included. */
  readonly range: { readonly min: number; readonly max: number };
}

/** The part of `manifest.json` that the code relies on; other fields (metrics, training range) are for people. */
export interface ModelManifest {
  readonly name: string;
  readonly kind: 'tabular';
  readonly file: { readonly name: string; readonly sha256: string };
  readonly inputs: readonly TensorDeclaration[];
  readonly outputs: readonly TensorDeclaration[];
  /** What a row consists of, in order. The platform may compute others besides, and in another order. */
  readonly features: readonly FeatureReference[];
  /** In the order of score vectors. */
  readonly heads: readonly Head[];
  /** Where the value of a head lies in a score vector, by its name. */
  readonly slots: ReadonlyMap<string, number>;
}
