import { compareMeans, compareShares, type Effect, toGuardrailState } from './effect.js';
import { compareEffects } from './interaction.js';
import { createRatioTest, type RatioState } from './ratio.js';
import { adjustByBefore, createMoments, type Moments, type Sample, toWinsorLimit } from './sample.js';

/** One exposed person, in the order of exposure, and what came of it. */
export interface Observed {
  readonly arm: string;
  /** Its window for conversion, revenue and harms is over: only then it is compared by them. */
  readonly isWindowOver: boolean;
  readonly converted: boolean;
  readonly revenue: number;
  readonly revenueBefore: number;
  readonly unsubscribed: boolean;
  readonly complained: boolean;
  /** After 30, 60, 90 days; undefined before that is known. */
  readonly returned: ReadonlyArray<boolean | undefined>;
  /** Its arms in experiments of other layers. */
  readonly others: ReadonlyMap<string, string>;
}

export interface ReportQuestion {
  readonly arms: ReadonlyArray<{ readonly name: string; readonly propensity: number }>;
  readonly control: string;
  /** Of each metric, over all comparisons with the control and all looks. */
  readonly alpha: number;
  /** Of an arm and the control together, where intervals are narrowest; fixed before the first look. */
  readonly plannedPersons: number;
  /** Increase of a harm that is tolerated, as a share of the persons. */
  readonly toleratedHarm: number;
  /** Experiments of other layers: their control, and the arm that is compared with it. */
  readonly others: ReadonlyArray<{ readonly experiment: string; readonly control: string; readonly arm: string }>;
}

interface ArmFigure {
  readonly arm: string;
  /** Those compared by this metric. */
  readonly persons: number;
  /** Share or mean. */
  readonly value: number;
  /** Difference to the control; absent for the control itself. */
  readonly effect?: Effect;
  readonly guardrail?: ReturnType<typeof toGuardrailState>;
}

export interface Metric {
  readonly name: string;
  readonly arms: readonly ArmFigure[];
}

interface Interaction {
  readonly arm: string;
  readonly experiment: string;
  readonly otherArm: string;
  /** Difference of the arm's effect on conversion between the other experiment's arm and its control. */
  readonly effect: Effect;
}

export interface ExperimentReport {
  readonly persons: number;
  /** One count more than there are arms where probabilities are less than 1 together: of arms that nobody is in. */
  readonly ratio: RatioState;
  /** While it ran, as probabilities are more than 1 together: neither the ratio nor the rest should be believed. */
  readonly hasChangedWeights: boolean;
  readonly metrics: readonly Metric[];
  readonly cuped: {
    readonly theta: number;
    readonly varianceReduction: number;
    /** Arms whose persons had spent more or less before than the control's: then no figure of CUPED should be believed. */
    readonly unbalanced: readonly string[];
    /** Arms of which nobody can tell yet. */
    readonly tooFew: readonly string[];
  };
  /** Revenue above it is cut off; Infinity where nobody has any. */
  readonly winsorLimit: number;
  readonly interactions: readonly Interaction[];
}

const WINSOR_QUANTILE = 0.99;
/** Sums of probabilities may differ from 1 by this much. */
const SUM_ROUNDING = 1e-6;
const RETURN_NAMES = ['returned after 30 days', 'returned after 60 days', 'returned after 90 days'];

/** The report of one experiment. */
export function reportExperiment(persons: readonly Observed[], question: ReportQuestion): ExperimentReport {
  const over = persons.filter(({ isWindowOver }) => isWindowOver);
  const winsorLimit = toWinsorLimit(
    over.map(({ revenue }) => revenue),
    WINSOR_QUANTILE,
  );
  const moments = question.arms.map(({ name }) =>
    toRevenue(
      over.filter(({ arm }) => arm === name),
      winsorLimit,
    ),
  );
  const { samples, theta, varianceReduction } = adjustByBefore(moments);
  const before = toMeans(
    question,
    moments.map((one) => one.before()),
  );
  return {
    persons: persons.length,
    ratio: toRatio(persons, question),
    hasChangedWeights: toPropensitySum(question) > 1 + SUM_ROUNDING,
    metrics: [
      { name: 'conversion', arms: toShares(question, over, ({ converted }) => converted) },
      {
        name: 'revenue',
        arms: toMeans(
          question,
          moments.map((one) => one.values()),
        ),
      },
      { name: 'revenue by CUPED', arms: toMeans(question, samples) },
      ...RETURN_NAMES.map((name, index) => ({
        name,
        arms: toShares(question, persons, ({ returned }) => returned[index]),
      })),
      {
        name: 'unsubscribed',
        arms: withGuardrail(
          question,
          toShares(question, over, (one) => one.unsubscribed),
        ),
      },
      {
        name: 'complained',
        arms: withGuardrail(
          question,
          toShares(question, over, (one) => one.complained),
        ),
      },
    ],
    cuped: {
      theta,
      varianceReduction,
      unbalanced: before.filter(({ effect }) => effect?.isSignificant).map(({ arm }) => arm),
      tooFew: before.filter(({ effect }) => effect?.method === 'too_few').map(({ arm }) => arm),
    },
    winsorLimit,
    interactions: toInteractions(question, over),
  };
}

/** An arm that nobody is in is in no table of exposures: the probability that is left is that of such arms. */
function toRatio(persons: readonly Observed[], question: ReportQuestion): RatioState {
  const { arms } = question;
  const missing = 1 - toPropensitySum(question);
  const propensities = arms.map(({ propensity }) => propensity);
  const test = createRatioTest(missing > SUM_ROUNDING ? [...propensities, missing] : propensities);
  const indexes = new Map(arms.map(({ name }, index) => [name, index]));
  for (const { arm } of persons) {
    const index = indexes.get(arm);
    if (index !== undefined) test.add(index);
  }
  return test.state();
}

function toPropensitySum({ arms }: ReportQuestion): number {
  return arms.reduce((sum, { propensity }) => sum + propensity, 0);
}

function toRevenue(persons: readonly Observed[], limit: number): Moments {
  const moments = createMoments();
  for (const { revenue, revenueBefore } of persons) {
    moments.add(Math.min(revenue, limit), Math.min(revenueBefore, limit));
  }
  return moments;
}

/** Those for whom it is undefined do not count yet. */
function toShares(
  question: ReportQuestion,
  persons: readonly Observed[],
  read: (person: Observed) => boolean | undefined,
): readonly ArmFigure[] {
  const shares = question.arms.map(({ name }) => {
    const known = persons.filter((person) => person.arm === name && read(person) !== undefined);
    return { persons: known.length, successes: known.filter(read).length };
  });
  return toFigures(
    question,
    shares,
    ({ persons: count, successes }) => (count === 0 ? 0 : successes / count),
    compareShares,
  );
}

function toMeans(question: ReportQuestion, samples: readonly Sample[]): readonly ArmFigure[] {
  return toFigures(question, samples, ({ mean }) => mean, compareMeans);
}

function toFigures<S extends { readonly persons: number }>(
  { arms, control, alpha, plannedPersons }: ReportQuestion,
  samples: readonly S[],
  toValue: (sample: S) => number,
  compare: (arm: S, against: S, plan: { alpha: number; plannedPersons: number }) => Effect,
): readonly ArmFigure[] {
  const against = samples[arms.findIndex(({ name }) => name === control)];
  const plan = { alpha: alpha / Math.max(1, arms.length - 1), plannedPersons };
  return samples.map((sample, index) => {
    const arm = arms[index]?.name ?? '';
    const figure = { arm, persons: sample.persons, value: toValue(sample) };
    return against === undefined || arm === control ? figure : { ...figure, effect: compare(sample, against, plan) };
  });
}

function withGuardrail({ toleratedHarm }: ReportQuestion, figures: readonly ArmFigure[]): readonly ArmFigure[] {
  return figures.map((figure) =>
    figure.effect === undefined ? figure : { ...figure, guardrail: toGuardrailState(figure.effect, toleratedHarm) },
  );
}

/** Of each arm with each other experiment; alpha is divided among all of them. */
function toInteractions(question: ReportQuestion, persons: readonly Observed[]): readonly Interaction[] {
  const { arms, control, others, alpha, plannedPersons } = question;
  const pairs = arms
    .filter(({ name }) => name !== control)
    .flatMap(({ name: arm }) => others.map((other) => ({ arm, other })));
  const plan = { alpha: alpha / Math.max(1, pairs.length), plannedPersons };
  return pairs.map(({ arm, other }) => {
    const { experiment, arm: otherArm, control: otherControl } = other;
    const cell = (own: string, ofOther: string): Sample => {
      const moments = createMoments();
      for (const person of persons) {
        if (person.arm === own && person.others.get(experiment) === ofOther) moments.add(Number(person.converted), 0);
      }
      return moments.values();
    };
    const effect = compareEffects(
      {
        inFirst: [cell(arm, otherArm), cell(control, otherArm)],
        inControl: [cell(arm, otherControl), cell(control, otherControl)],
      },
      plan,
    );
    return { arm, experiment, otherArm, effect };
  });
}
