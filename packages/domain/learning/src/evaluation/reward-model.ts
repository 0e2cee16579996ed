import { createSeededRandom } from '@perennial/kernel';
import { decompose, solveLower, solveUpper } from '../linear.js';
import type { WeighedRow } from './row.js';

/** Expected reward of each option for a row's features, within the range of rewards. */
type RewardModel = (features: readonly number[]) => Float64Array;

interface RewardModelSettings {
  readonly options: number;
  /** Rows' worth of belief that an option is like the mean of all. */
  readonly ridge: number;
}

/** Two, so that no row is predicted by a model that has seen its reward: else the errors would look too small. */
const FOLDS = 2;

/**
 * Expected rewards by row and option from a model fitted on the other half of the rows (cross-fitting; Chernozhukov et al. 2018).
 */
export function predictRewards(rows: readonly WeighedRow[], settings: RewardModelSettings): readonly Float64Array[] {
  const folds = toFolds(rows.length);
  const models = Array.from({ length: FOLDS }, (_, fold) =>
    fitRewards(
      rows.filter((_row, index) => folds[index] !== fold),
      settings,
    ),
  );
  return rows.map(({ features }, index) => (models[folds[index] as number] as RewardModel)(features));
}

/**
 * One row of each pair of neighbours is in each half, so a log in the order of time has no drift between them; which one is
 * drawn from a seed, else halves of a log whose options alternate would have one option each.
 */
export function toFolds(rows: number): Uint8Array {
  const random = createSeededRandom(1);
  const folds = new Uint8Array(rows);
  for (let row = 0; row < rows; row += 2) {
    const first = random() < 0.5 ? 0 : 1;
    folds.set([first, 1 - first].slice(0, rows - row), row);
  }
  return folds;
}

/**
 * A ridge regression per option on the distance from the mean of all rewards. Without features it is the option's mean,
 * shrunk to that of all; an option that was never drawn is the mean of all.
 */
function fitRewards(rows: readonly WeighedRow[], { options, ridge }: RewardModelSettings): RewardModel {
  const rewards = rows.map(({ reward }) => reward);
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / Math.max(1, rows.length);
  const low = rewards.reduce((least, reward) => Math.min(least, reward), Number.POSITIVE_INFINITY);
  const high = rewards.reduce((most, reward) => Math.max(most, reward), Number.NEGATIVE_INFINITY);
  const width = 1 + (rows[0]?.features.length ?? 0);
  const byOption = Array.from({ length: options }, () => createNormalEquations(width, ridge));
  for (const { option, features, reward } of rows) byOption[option]?.add([1, ...features], reward - mean);
  const coefficients = byOption.map((equations) => equations.solve());
  return (features) =>
    Float64Array.from(coefficients, (beta) => {
      let sum = mean + (beta[0] as number);
      for (let at = 0; at < features.length; at += 1) sum += (beta[at + 1] as number) * (features[at] as number);
      return Math.min(high, Math.max(low, sum));
    });
}

/** (X'X + ridge I) beta = X'y, solved by Cholesky's decomposition: positive definite, as ridge > 0. */
function createNormalEquations(width: number, ridge: number) {
  const matrix = Array.from({ length: width }, (_, row) =>
    Float64Array.from({ length: width }, (_value, column) => (row === column ? ridge : 0)),
  );
  const right = new Float64Array(width);
  return {
    add(x: readonly number[], y: number) {
      for (let row = 0; row < width; row += 1) {
        const line = matrix[row] as Float64Array;
        for (let column = 0; column <= row; column += 1) {
          line[column] = (line[column] as number) + (x[row] as number) * (x[column] as number);
        }
        right[row] = (right[row] as number) + (x[row] as number) * y;
      }
    },
    solve(): Float64Array {
      const lower = decompose(matrix);
      return solveUpper(lower, solveLower(lower, right));
    },
  };
}
