import { toAsymptoticAlpha } from './effect.js';
import { toNormalQuantile } from './normal.js';
import { toMixtureBoundary } from './sequence.js';

// Under Jest each use of a global is looked up through its sandbox, and this one is in the innermost loop.
const { exp } = Math;

export interface PowerQuestion {
  /** Share of the control that converts, in (0, 1); or the control's mean, when `deviation` is given. */
  readonly baseline: number;
  /** The least difference to the baseline that is worth finding, in the same unit; may be negative. */
  readonly mde: number;
  /** Standard deviation of a value a person; absent for shares. */
  readonly deviation?: number | undefined;
  /** Arms of equal weight, the control among them. */
  readonly arms: number;
  /** Probability that the difference is found by the last look. */
  readonly power: number;
  /** Over all comparisons with the control together. */
  readonly alpha: number;
  /** At equal distances until the last. */
  readonly looks: number;
}

export interface PowerPlan {
  /** At the last look; equal to `personsPerArm` times the arms. */
  readonly persons: number;
  readonly personsPerArm: number;
  /** Share of `persons` after which it is found or ended, on average, when the difference is as planned. */
  readonly expectedShare: number;
  /** What a plain z test at one look would need, which may not be looked at before. */
  readonly fixedPersonsPerArm: number;
  /** Alpha of one comparison: that of all by their number (Bonferroni). */
  readonly comparisonAlpha: number;
}

/**
 * Persons for a confidence sequence, narrowest at the last look, to find a difference. The probability that a Brownian
 * motion with drift has left the boundary by the last look follows from step-by-step integration of its density
 * (Armitage, McPherson & Rowe 1969); persons from the drift that gives the power.
 */
export function planPersons(question: PowerQuestion): PowerPlan {
  const { baseline, mde, deviation, arms, power, alpha, looks } = question;
  const comparisonAlpha = alpha / (arms - 1);
  const variance =
    deviation === undefined ? toShareVariance(baseline) + toShareVariance(baseline + mde) : 2 * deviation ** 2;
  const toPersonsPerArm = (drift: number): number => Math.ceil((drift ** 2 * variance) / mde ** 2);
  const sequenceAlpha = deviation === undefined ? toAsymptoticAlpha(comparisonAlpha) : comparisonAlpha;
  const boundaries = toBoundaries(looks, sequenceAlpha);
  const drift = findDrift(boundaries, power);
  const personsPerArm = toPersonsPerArm(drift);
  return {
    persons: personsPerArm * arms,
    personsPerArm,
    expectedShare: toCrossing(boundaries, drift).expectedShare,
    fixedPersonsPerArm: toPersonsPerArm(toNormalQuantile(1 - comparisonAlpha / 2) + toNormalQuantile(power)),
    comparisonAlpha,
  };
}

/** Standard errors at each of `looks` looks of a sequence that is narrowest at the last. */
export function toBoundaries(looks: number, alpha: number): readonly number[] {
  return Array.from({ length: looks }, (_, look) => toMixtureBoundary(look + 1, { alpha, plannedPersons: looks }));
}

/**
 * The probability that |z| exceeds its boundary at one of the looks, and the share of the persons used until then, when z has a mean
 * of `drift` at the last look. Boundaries in standard errors, looks at equal distances.
 */
export function toCrossing(
  boundaries: readonly number[],
  drift: number,
): { readonly probability: number; readonly expectedShare: number } {
  const looks = boundaries.length;
  const deviation = Math.sqrt(1 / looks);
  const shift = drift / looks;
  let grid: Grid = { points: Float64Array.of(0), masses: Float64Array.of(1) };
  let expectedShare = 0;
  for (let look = 0; look < looks; look += 1) {
    expectedShare += sum(grid.masses) / looks;
    // The score after this look, in units in which its variance at the last look is 1.
    const edge = (boundaries[look] as number) * Math.sqrt((look + 1) / looks);
    const span = Math.min(edge, Math.abs(drift) + 9);
    grid = toNextGrid(grid, { span, shift, deviation });
  }
  return { probability: 1 - sum(grid.masses), expectedShare };
}

interface Grid {
  readonly points: Float64Array;
  readonly masses: Float64Array;
}

/** The distribution of those still within [-span, span] after one more step, by intervals small beside a step's deviation. */
function toNextGrid({ points, masses }: Grid, step: { span: number; shift: number; deviation: number }): Grid {
  const { span, shift, deviation } = step;
  const cells = Math.max(40, Math.ceil((2 * span) / (deviation / 5)));
  const width = (2 * span) / cells;
  const next = { points: new Float64Array(cells), masses: new Float64Array(cells) };
  const factor = width / (deviation * Math.sqrt(2 * Math.PI));
  for (let cell = 0; cell < cells; cell += 1) {
    const at = -span + (cell + 0.5) * width;
    let mass = 0;
    for (let i = 0; i < points.length; i += 1) {
      const z = (at - (points[i] as number) - shift) / deviation;
      if (z < 8 && z > -8) mass += (masses[i] as number) * exp((-z * z) / 2);
    }
    next.points[cell] = at;
    next.masses[cell] = mass * factor;
  }
  return next;
}

function findDrift(boundaries: readonly number[], power: number): number {
  let low = 0;
  let high = 12;
  for (let step = 0; step < 20; step += 1) {
    const middle = (low + high) / 2;
    if (toCrossing(boundaries, middle).probability < power) low = middle;
    else high = middle;
  }
  return high;
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i += 1) total += values[i] as number;
  return total;
}

function toShareVariance(share: number): number {
  return share * (1 - share);
}
