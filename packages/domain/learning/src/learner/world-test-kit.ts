import { createSeededRandom } from '@perennial/kernel';
import type { LoggedRow } from '../evaluation/row.js';
import { createDrawer } from './draw.js';
import { createSnapshot, type Snapshot } from './snapshot.js';
import { type Context, type LearnerSpec, toLayout } from './spec.js';
import { type Outcome, update } from './update.js';

export const SPEC: LearnerSpec = {
  dimensions: [
    { name: 'channel', values: ['push', 'mail'] },
    { name: 'offer', values: ['none', 'coupon', 'points'] },
    { name: 'tone', values: ['plain', 'warm'] },
  ],
  contexts: [{ name: 'stage', values: ['new', 'loyal'] }],
  floor: 0.05,
  baseRate: 0.1,
};
export const LAYOUT = toLayout(SPEC);
export const STAGES = ['new', 'loyal'];

/** Log-odds of a reward: of everybody, and of each stage. No fixed option is best for both. */
const EFFECTS: Readonly<Record<string, number>> = { mail: 0.5, none: -0.6, coupon: 0.2, points: 0.2, warm: 0.2 };
const BY_STAGE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  new: { coupon: 1, points: -0.3 },
  loyal: { coupon: -0.3, points: 1 },
};

export function toTruth(option: string, { stage = '' }: Context): number {
  const odds = option
    .split('/')
    .reduce((sum, value) => sum + (EFFECTS[value] ?? 0) + (BY_STAGE[stage]?.[value] ?? 0), -2.2);
  return 1 / (1 + Math.exp(-odds));
}

export function toBestRate(context: Context): number {
  return Math.max(...LAYOUT.options.map(({ name }) => toTruth(name, context)));
}

/** Rates of all options, and the best of them, by stage. */
const RATES = Object.fromEntries(
  STAGES.map((stage) => {
    const rates = LAYOUT.options.map(({ name }) => toTruth(name, { stage }));
    return [stage, { rates, best: Math.max(...rates) }];
  }),
);

interface Life {
  readonly snapshot: Snapshot;
  /** All draws in order, with what came of them. */
  readonly log: readonly (Outcome & LoggedRow)[];
  /** Expected rewards missed, against the best option of each person. */
  readonly regret: number;
  /** The same, had one option been drawn always. */
  readonly fixedRegrets: readonly number[];
}

/** A learner's life: so many batches of draws, each followed by an update. */
export function live({
  seed,
  batches,
  batchSize,
}: {
  readonly seed: number;
  readonly batches: number;
  readonly batchSize: number;
}): Life {
  const random = createSeededRandom(seed);
  const log: (Outcome & LoggedRow)[] = [];
  const fixedRegrets = LAYOUT.options.map(() => 0);
  let snapshot = createSnapshot(LAYOUT);
  let regret = 0;
  for (let batch = 0; batch < batches; batch += 1) {
    const drawer = createDrawer(LAYOUT, snapshot);
    for (let person = 0; person < batchSize; person += 1) {
      const context = { stage: random() < 0.5 ? 'new' : 'loyal' };
      const draw = drawer.draw(context, `${seed}.${log.length}`);
      const isRewarded = random() < toTruth(draw.option, context);
      log.push({ ...draw, context, isRewarded, reward: isRewarded ? 1 : 0, atMs: log.length });
      const { rates = [], best = 0 } = RATES[context.stage] ?? {};
      regret += best - toTruth(draw.option, context);
      for (const [option, rate] of rates.entries()) {
        fixedRegrets[option] = (fixedRegrets[option] as number) + best - rate;
      }
    }
    snapshot = update(LAYOUT, snapshot, log.slice(-batchSize));
  }
  return { snapshot, log, regret, fixedRegrets };
}
