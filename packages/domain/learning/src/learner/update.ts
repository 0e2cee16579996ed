import { decompose, solveLower, solveUpper } from '../linear.js';
import type { Snapshot } from './snapshot.js';
import type { Context, Layout } from './spec.js';

const { exp, log1p, abs, max } = Math;

/** What came of a draw, once that is known: a reward, or that none came in time. */
export interface Outcome {
  /** Name of the option that was drawn. */
  readonly option: string;
  /** As it was at the draw. */
  readonly context: Context;
  readonly isRewarded: boolean;
  /** Of the draw. */
  readonly atMs: number;
}

/** Draws of one option in one context: how many, with how many rewards, each weighed by its age. */
interface Group {
  readonly effects: readonly number[];
  tries: number;
  rewards: number;
}

/** Newton's method needs 4 to 8; this is an end for outcomes of absurd numbers. */
const STEPS_MAX = 50;
/** In log-odds. */
const TOLERANCE = 1e-10;

/**
 * The snapshot after these outcomes, all together: what was believed before, decayed to the latest of them, times their
 * likelihood, as a normal distribution around its mode (Laplace; Chapelle & Li 2011, Algorithm 3). Late outcomes count as they would have
 * in time. Outcomes of options that the spec has not (any more) are left out.
 */
export function update(layout: Layout, snapshot: Snapshot, outcomes: readonly Outcome[]): Snapshot {
  const lastMs = outcomes.reduce((latest, { atMs }) => max(latest, atMs), snapshot.lastMs);
  const { groups, pulls, rewards } = group(layout, { snapshot, outcomes, lastMs });
  const prior = decay(layout, snapshot, lastMs);
  let means: Float64Array = prior.means.slice();
  let precisions = toCurvature(prior.precisions, { groups, means });
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const gradient = toGradient(prior, { groups, means });
    const lower = decompose(precisions);
    const change = solveUpper(lower, solveLower(lower, gradient));
    means = climb(prior, { groups, means, change });
    precisions = toCurvature(prior.precisions, { groups, means });
    if (change.every((value) => abs(value) < TOLERANCE)) break;
  }
  return { number: snapshot.number + 1, lastMs, means, precisions, pulls, rewards };
}

function group(
  layout: Layout,
  {
    snapshot,
    outcomes,
    lastMs,
  }: { readonly snapshot: Snapshot; readonly outcomes: readonly Outcome[]; readonly lastMs: number },
) {
  const numbers = new Map(layout.options.map(({ name }, option) => [name, option]));
  const [pulls, rewards] = [snapshot.pulls.slice(), snapshot.rewards.slice()];
  const groups = new Map<string, Group>();
  // By time, so that sums of weights do not depend on the order of outcomes either.
  for (const { option: name, context, isRewarded, atMs } of outcomes.toSorted((a, b) => a.atMs - b.atMs)) {
    const option = numbers.get(name);
    if (option === undefined) continue;
    const effects = layout.toEffects(option, context);
    const key = effects.join();
    const found = groups.get(key) ?? { effects, tries: 0, rewards: 0 };
    groups.set(key, found);
    const weight = toWeight(layout, lastMs - atMs);
    found.tries += weight;
    pulls[option] = (pulls[option] as number) + 1;
    if (!isRewarded) continue;
    found.rewards += weight;
    rewards[option] = (rewards[option] as number) + 1;
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
  return { groups: sorted, pulls, rewards };
}

function toWeight({ halfLifeMs }: Layout, ageMs: number): number {
  return halfLifeMs === undefined ? 1 : 2 ** (-ageMs / halfLifeMs);
}

interface Normal {
  readonly means: Float64Array;
  readonly precisions: readonly Float64Array[];
}

/** What was learnt counts less by its age, down to the prior: precisions and their products with means go back to those of the prior. */
function decay(layout: Layout, { means, precisions, lastMs }: Snapshot, nowMs: number): Normal {
  const kept = lastMs === 0 ? 1 : toWeight(layout, nowMs - lastMs);
  if (kept === 1) return { means, precisions };
  const { priorMeans, priorPrecisions } = layout;
  const before = multiply(precisions, means);
  const shifted = before.map(
    (value, row) => kept * value + (1 - kept) * (priorPrecisions[row] as number) * (priorMeans[row] as number),
  );
  const decayed = precisions.map((line, row) =>
    line.map((value, column) => kept * value + (row === column ? (1 - kept) * (priorPrecisions[row] as number) : 0)),
  );
  const lower = decompose(decayed);
  return { precisions: decayed, means: solveUpper(lower, solveLower(lower, shifted)) };
}

interface At {
  readonly groups: readonly Group[];
  readonly means: Float64Array;
}

/** A Newton step, halved as often as the posterior would fall: it is concave, so a short enough one climbs. */
function climb(prior: Normal, { groups, means, change }: At & { readonly change: Float64Array }): Float64Array {
  const start = toLogPosterior(prior, { groups, means });
  let length = 1;
  for (let halvings = 0; halvings < 30; halvings += 1) {
    const next = means.map((mean, row) => mean + length * (change[row] as number));
    if (toLogPosterior(prior, { groups, means: next }) >= start) return next;
    length /= 2;
  }
  return means;
}

function toLogPosterior(prior: Normal, { groups, means }: At): number {
  const distance = means.map((mean, row) => mean - (prior.means[row] as number));
  const curved = multiply(prior.precisions, distance);
  let sum = curved.reduce((total, value, row) => total - (value * (distance[row] as number)) / 2, 0);
  for (const { effects, tries, rewards } of groups) {
    const odds = toLogOdds(effects, means);
    sum += rewards * odds - tries * (max(odds, 0) + log1p(exp(-abs(odds))));
  }
  return sum;
}

function toGradient(prior: Normal, { groups, means }: At): Float64Array {
  const gradient = multiply(
    prior.precisions,
    means.map((mean, row) => (prior.means[row] as number) - mean),
  );
  for (const { effects, tries, rewards } of groups) {
    const error = rewards - tries * toProbability(toLogOdds(effects, means));
    for (const effect of effects) gradient[effect] = (gradient[effect] as number) + error;
  }
  return gradient;
}

function toCurvature(prior: readonly Float64Array[], { groups, means }: At): readonly Float64Array[] {
  const curvature = prior.map((line) => line.slice());
  for (const { effects, tries } of groups) {
    const probability = toProbability(toLogOdds(effects, means));
    const weight = tries * probability * (1 - probability);
    for (const row of effects) {
      const line = curvature[row] as Float64Array;
      for (const column of effects) if (column <= row) line[column] = (line[column] as number) + weight;
    }
  }
  return curvature;
}

/** A symmetric matrix, given by its lower triangle, times a vector. */
function multiply(lower: readonly Float64Array[], vector: Float64Array): Float64Array {
  const product = new Float64Array(vector.length);
  for (const [row, line] of lower.entries()) {
    for (let column = 0; column <= row; column += 1) {
      product[row] = (product[row] as number) + (line[column] as number) * (vector[column] as number);
      if (column < row)
        product[column] = (product[column] as number) + (line[column] as number) * (vector[row] as number);
    }
  }
  return product;
}

/** The sum of an option's effects. */
export function toLogOdds(effects: readonly number[], values: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < effects.length; at += 1) sum += values[effects[at] as number] as number;
  return sum;
}

export function toProbability(logOdds: number): number {
  return 1 / (1 + exp(-logOdds));
}
