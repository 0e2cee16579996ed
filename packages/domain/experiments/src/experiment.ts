/** A question put to chance: which arm a person is in decides what it may get. */
export interface Experiment {
  readonly name: string;
  /** Experiments of one layer never share a person; those of different layers are independent. */
  readonly layer: string;
  /** Another salt puts other persons into each arm. Never change it while the experiment runs. */
  readonly salt: string;
  /** The part of its layer that it has, in [0, 1): see `layOutTraffic`. */
  readonly slice: Slice;
  /** In the order of the file; at least two. */
  readonly arms: readonly Arm[];
}

export interface Arm {
  readonly name: string;
  /** Relative to the other arms; above 0. */
  readonly weight: number;
}

/** From `from` up to but not including `to`. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/** The arm of one person in one experiment. */
export interface Assignment {
  readonly experiment: string;
  readonly arm: string;
  /** The probability with which persons of the experiment get this arm, in (0, 1]. */
  readonly propensity: number;
}

/** The arms of an experiment of a learning strategy, unless its file names others: weights as of a start without knowledge. */
export const LEARNING_ARMS: readonly Arm[] = [
  { name: 'learned', weight: 6 },
  { name: 'random', weight: 1 },
  { name: 'usual', weight: 2 },
  { name: 'holdout', weight: 1 },
];
