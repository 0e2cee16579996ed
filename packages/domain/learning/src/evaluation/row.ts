/** One decision of the log: what was drawn, how likely the draw was, and what came of it. */
export interface LoggedRow {
  readonly option: string;
  /** Probability in (0, 1] with which the logging policy drew this option, here and then. */
  readonly propensity: number;
  readonly reward: number;
  /** What the reward model may use: of one length in all rows. Nothing where it is left out. */
  readonly features?: readonly number[] | undefined;
  /** Where the row stands, e.g. `log.csv:17`. Its number, from 1, where left out. */
  readonly place?: string | undefined;
}

/** Probabilities with which a policy would draw each option for this row, in the order of the options; they sum to 1. */
export type TargetPolicy = (row: LoggedRow, index: number) => ArrayLike<number>;

type RowReason =
  | 'option unknown'
  | 'propensity not in (0, 1]'
  | 'reward not a number'
  | 'features not numbers'
  | 'features of another length'
  | 'policy gives no distribution';

/** A row that no estimate uses, and why. */
export interface RowProblem {
  readonly place: string;
  readonly reason: RowReason;
  /** What stands there. */
  readonly value: string;
}

/** A row that was read, with what the estimators need of it. */
export interface WeighedRow {
  readonly option: number;
  readonly reward: number;
  readonly features: readonly number[];
  /** The target policy's probabilities, by option. */
  readonly target: ArrayLike<number>;
  /** Target's probability of the logged option, divided by its propensity. */
  readonly weight: number;
}

/** How far from 1 a policy's probabilities may sum up to. */
const SUM_TOLERANCE = 1e-6;

/** Reads all rows; each bad one is reported once, with the first of its problems, and left out. */
export function weighRows(
  rows: readonly LoggedRow[],
  { options, policy }: { readonly options: readonly string[]; readonly policy: TargetPolicy },
): { readonly weighed: readonly WeighedRow[]; readonly problems: readonly RowProblem[] } {
  const numbers = new Map(options.map((option, index) => [option, index]));
  const width = rows[0]?.features?.length ?? 0;
  const weighed: WeighedRow[] = [];
  const problems: RowProblem[] = [];
  for (const [index, row] of rows.entries()) {
    const option = numbers.get(row.option);
    const report = (reason: RowReason, value: unknown) =>
      problems.push({ place: row.place ?? `row ${index + 1}`, reason, value: String(value) });
    const features = row.features ?? [];
    if (option === undefined) report('option unknown', row.option);
    else if (!(row.propensity > 0 && row.propensity <= 1)) report('propensity not in (0, 1]', row.propensity);
    else if (!Number.isFinite(row.reward)) report('reward not a number', row.reward);
    else if (features.length !== width) report('features of another length', features.length);
    else if (!features.every(Number.isFinite)) report('features not numbers', features);
    else {
      const target = policy(row, index);
      if (!isDistribution(target, options.length)) report('policy gives no distribution', Array.from(target));
      else {
        const weight = (target[option] as number) / row.propensity;
        weighed.push({ option, reward: row.reward, features, target, weight });
      }
    }
  }
  return { weighed, problems };
}

function isDistribution(probabilities: ArrayLike<number>, length: number): boolean {
  let sum = 0;
  for (let option = 0; option < probabilities.length; option += 1) {
    const probability = probabilities[option] as number;
    if (!(probability >= 0)) return false;
    sum += probability;
  }
  return probabilities.length === length && Math.abs(sum - 1) <= SUM_TOLERANCE;
}
