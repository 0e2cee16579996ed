import type { PowerQuestion } from '@perennial/experiments';
import { AppError } from '@perennial/kernel';

/** Options of `experiments plan` as they were typed. */
export interface PlanTexts {
  readonly baseline: string;
  readonly mde: string;
  readonly deviation?: string;
  readonly arms: string;
  readonly power: string;
  readonly alpha: string;
  readonly looks?: string;
  readonly traffic?: string;
}

export interface PlanOptions {
  /** `looks` is absent when days of traffic decide it. */
  readonly question: Omit<PowerQuestion, 'looks'>;
  readonly looks: number | undefined;
  /** Persons a day, all arms together. */
  readonly traffic: number | undefined;
}

/** One look a day for two months; more looks change the number of persons by a hundredth or less. */
export const LOOKS_MAX = 60;
const ARMS_MAX = 16;
const AMOUNT_MAX = 1e9;

/** Throws `config_invalid` with a line for each problem. */
export function readPlanOptions(texts: PlanTexts): PlanOptions {
  const problems: string[] = [];
  const read = (name: keyof PlanTexts, { min, max, isWhole = false }: Bounds): number => {
    const text = texts[name] ?? '';
    const value = /^-?(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
    const kind = isWhole ? 'a whole number' : 'a number';
    problems.push(`--${name} is ${JSON.stringify(text)} but must be ${kind} from ${min} to ${max}`);
    return Number.NaN;
  };
  const isShare = texts.deviation === undefined;
  const question = {
    baseline: read('baseline', isShare ? { min: 0.0001, max: 0.9999 } : { min: -AMOUNT_MAX, max: AMOUNT_MAX }),
    mde: read('mde', isShare ? { min: -1, max: 1 } : { min: -AMOUNT_MAX, max: AMOUNT_MAX }),
    deviation: isShare ? undefined : read('deviation', { min: 1e-6, max: AMOUNT_MAX }),
    arms: read('arms', { min: 2, max: ARMS_MAX, isWhole: true }),
    power: read('power', { min: 0.5, max: 0.99 }),
    alpha: read('alpha', { min: 0.001, max: 0.2 }),
  };
  const looks = texts.looks === undefined ? undefined : read('looks', { min: 1, max: LOOKS_MAX, isWhole: true });
  const traffic = texts.traffic === undefined ? undefined : read('traffic', { min: 1, max: AMOUNT_MAX, isWhole: true });
  const { baseline, mde } = question;
  if (mde === 0) problems.push('--mde is 0 but no number of persons finds no difference');
  const reached = baseline + mde;
  if (isShare && (reached <= 0 || reached >= 1)) {
    problems.push(`--mde is ${JSON.stringify(texts.mde)} but baseline and mde together must lie between 0 and 1`);
  }
  if (problems.length > 0) throw new AppError('config_invalid', problems.join('\n'));
  return { question, looks, traffic };
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly isWhole?: boolean;
}
