import { type Figure, toFigure, toMoments } from './figure.js';
import { predictRewards } from './reward-model.js';
import { type LoggedRow, type RowProblem, type TargetPolicy, type WeighedRow, weighRows } from './row.js';
import { type SwitchInput, toBiasAtMost, toSwitchValues, toThreshold } from './switch.js';

interface EvaluationSettings {
  /** All that may be drawn, in the order of the policy's probabilities. */
  readonly options: readonly string[];
  /** Half width of intervals in standard errors: 1.96 (95 %) where left out. */
  readonly z?: number | undefined;
  /** Shrinks the reward model: rows' worth of belief that an option is like the mean of all; 1 where left out. */
  readonly ridge?: number | undefined;
  /** Largest weight that Switch-DR uses: the square root of the number of rows where left out. */
  readonly threshold?: number | undefined;
}

export interface Evaluation {
  /** Rows that count. */
  readonly rows: number;
  /** Rows left out: where they are many, all figures are of another log than the one meant. */
  readonly problems: readonly RowProblem[];
  /** Undefined below two good rows. */
  readonly figures: Figures | undefined;
}

interface SwitchFigure extends Figure {
  /** Larger weights are left to the reward model. */
  readonly threshold: number;
  /** How far off that may be, were the model as wrong as can be; not in the interval. */
  readonly biasAtMost: number;
}

export interface Figures {
  /** Mean reward of the log as it is. */
  readonly logged: Figure;
  /** Of the weights: 1 but for chance where logged propensities are those of the draws. An interval without 1 says they are not. */
  readonly meanWeight: Figure;
  readonly ips: Figure;
  readonly snips: Figure;
  readonly dr: Figure;
  readonly switchDr: SwitchFigure;
}

/** What the mean reward would have been had `policy` drawn, from rows that another policy drew with known probabilities. */
export function evaluate(rows: readonly LoggedRow[], policy: TargetPolicy, settings: EvaluationSettings): Evaluation {
  const { weighed, problems } = weighRows(rows, { options: settings.options, policy });
  return { rows: weighed.length, problems, figures: weighed.length < 2 ? undefined : toFigures(weighed, settings) };
}

function toFigures(rows: readonly WeighedRow[], settings: EvaluationSettings): Figures {
  const { z = 1.96, ridge = 1 } = settings;
  const weights = Float64Array.from(rows, ({ weight }) => weight);
  const rewards = Float64Array.from(rows, ({ reward }) => reward);
  const ones = new Float64Array(rows.length).fill(1);
  const weighted = weights.map((weight, row) => weight * (rewards[row] as number));
  const input = toSwitchInput(rows, { options: settings.options.length, ridge });
  const threshold = settings.threshold ?? toThreshold(rows.length);
  return {
    logged: toFigure(rewards, { weights: ones, z }),
    meanWeight: toFigure(weights, { weights, z }),
    ips: toFigure(weighted, { weights, z }),
    snips: toFigure(toNormalised(weighted, weights), { weights, z }),
    dr: toFigure(toSwitchValues(input, Number.POSITIVE_INFINITY), { weights, z }),
    switchDr: {
      threshold,
      biasAtMost: toBiasAtMost(input, threshold),
      ...toFigure(toSwitchValues(input, threshold), {
        weights: weights.map((weight) => (weight <= threshold ? weight : 0)),
        z,
      }),
    },
  };
}

/**
 * Values whose mean is sum(w r) / sum(w), self-normalised (Swaminathan & Joachims 2015), and whose variance is that of the
 * ratio by the delta method: estimate + w (r - estimate) / mean of w.
 */
function toNormalised(weighted: Float64Array, weights: Float64Array): Float64Array {
  const meanWeight = toMoments(weights).mean;
  const ratio = meanWeight === 0 ? Number.NaN : toMoments(weighted).mean / meanWeight;
  return weighted.map((value, row) => ratio + (value - (weights[row] as number) * ratio) / meanWeight);
}

/** What the doubly robust estimate is made of (Dudik, Langford, Li 2011): expected reward + weighted error of the model. */
function toSwitchInput(
  rows: readonly WeighedRow[],
  model: { readonly options: number; readonly ridge: number },
): SwitchInput {
  const predicted = predictRewards(rows, model);
  const rewards = rows.map(({ reward }) => reward);
  const range = rewards.reduce((most, r) => Math.max(most, r)) - rewards.reduce((least, r) => Math.min(least, r));
  return {
    weights: Float64Array.from(rows, ({ weight }) => weight),
    residuals: Float64Array.from(rows, ({ reward, option }, row) => reward - (predicted[row]?.[option] as number)),
    expected: Float64Array.from(rows, ({ target }, row) =>
      (predicted[row] as Float64Array).reduce((sum, value, option) => sum + value * (target[option] as number), 0),
    ),
    rewardRange: range,
  };
}
