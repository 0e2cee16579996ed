import { createSeededRandom } from '@perennial/kernel';
import type { LoggedRow, TargetPolicy } from './row.js';

export const OPTIONS = ['none', 'coupon', 'points'];

/** Chances of a reward, and probabilities of the log and of the policy in question, by context (new, loyal) and option. */
const CHANCES = [
  [0.05, 0.3, 0.1],
  [0.2, 0.25, 0.4],
];
const LOGGING = [
  [0.2, 0.2, 0.6],
  [0.7, 0.2, 0.1],
];
const TARGET = [
  [0.1, 0.8, 0.1],
  [0.1, 0.2, 0.7],
];

/** Contexts are equally frequent. */
export const TRUTH = mean([0, 1].map((context) => dot(TARGET[context] ?? [], CHANCES[context] ?? [])));

export const targetPolicy: TargetPolicy = ({ features }) => TARGET[features?.[0] ?? 0] ?? [];

/** A log of a world whose truth is known. */
export function drawLog({ seed, rows }: { readonly seed: number; readonly rows: number }): LoggedRow[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: rows }, () => {
    const context = random() < 0.5 ? 0 : 1;
    const probabilities = LOGGING[context] as number[];
    const option = draw(probabilities, random());
    return {
      option: OPTIONS[option] as string,
      propensity: probabilities[option] as number,
      reward: random() < (CHANCES[context]?.[option] as number) ? 1 : 0,
      features: [context],
    };
  });
}

function draw(probabilities: readonly number[], at: number): number {
  let left = at;
  const found = probabilities.findIndex((probability) => {
    left -= probability;
    return left < 0;
  });
  return found === -1 ? probabilities.length - 1 : found;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
