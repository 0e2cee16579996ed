import { randomInt } from 'node:crypto';
import { parseWhole } from './options.js';

const SEED_MAX = 2 ** 31;
const MINUTES_MAX = 100_000;
const MS_PER_MINUTE = 60_000;

/** The first seed of a run for which none was given. */
export function drawSeed(): number {
  return randomInt(1, SEED_MAX);
}

/** When a run of so many minutes ends, epoch ms; without minutes never. */
export function toEndMs(minutes: number | undefined): number {
  return minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + minutes * MS_PER_MINUTE;
}

/** Above what is drawn, since a long run counts up from there. */
export function parseSeed(text: string): number {
  return parseWhole(text, { min: 0, max: 2 * SEED_MAX });
}

export function parseMinutes(text: string): number {
  return parseWhole(text, { min: 1, max: MINUTES_MAX });
}
