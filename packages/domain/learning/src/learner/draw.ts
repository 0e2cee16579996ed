import { createSeededRandom, toUnitInterval } from '@perennial/kernel';
import { decompose, solveUpper } from '../linear.js';
import type { Snapshot } from './snapshot.js';
import type { Context, Layout } from './spec.js';
import { toLogOdds, toProbability } from './update.js';

const { cos, log, sqrt, PI } = Math;

interface Draw {
  readonly option: string;
  /** Exactly the probability with which this snapshot draws it in this context. */
  readonly propensity: number;
}

/** What is believed of an option in a context. */
interface Belief {
  readonly option: string;
  /** Expected probability of a reward, and its 95 % interval. */
  readonly rate: number;
  readonly low: number;
  readonly high: number;
  /** Share of worlds of the posterior in which no option is better. */
  readonly best: number;
  /** With the floor. */
  readonly propensity: number;
}

/** A snapshot, ready to be drawn from. */
export interface Drawer {
  /** Deterministic: a hash of the id of the decision draws. */
  draw(context: Context, decisionId: string): Draw;
  describe(context: Context): readonly Belief[];
  /** Of P(best), as a share of its largest: 1 where all options may be best alike, 0 where one is for certain. */
  toEntropy(context: Context): number;
}

/** Worlds drawn from the posterior. More make P(best) finer; propensities are exact with any number. */
const WORLDS = 1_000;
/** Contexts whose probabilities are kept; there are seldom more. */
const CONTEXTS_MAX = 1_000;

/**
 * Thompson sampling whose propensity is known: P(best) has no formula, so it is counted in a thousand worlds drawn from the posterior
 * (seeded by the number of the snapshot), and the options are drawn by these shares, mixed with the floor.
 */
export function createDrawer(layout: Layout, snapshot: Snapshot): Drawer {
  const worlds = drawWorlds(snapshot);
  const known = new Map<string, readonly Belief[]>();
  const describe = (context: Context): readonly Belief[] => {
    // The effects of one option tell the values of the context that are known.
    const key = layout.toEffects(0, context).join();
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= CONTEXTS_MAX) known.clear();
    const effects = layout.options.map((_, option) => layout.toEffects(option, context));
    const beliefs = toBeliefs(layout, { worlds, effects });
    known.set(key, beliefs);
    return beliefs;
  };
  return {
    describe,
    draw(context, decisionId) {
      const beliefs = describe(context);
      let left = toUnitInterval('learner', layout.hash, decisionId);
      const found = beliefs.find(({ propensity }) => {
        left -= propensity;
        return left < 0;
      });
      // Propensities sum to 1 but for rounding, and all are above 0.
      const { option, propensity } = found ?? (beliefs.at(-1) as Belief);
      return { option, propensity };
    },
    toEntropy(context) {
      const beliefs = describe(context);
      const sum = beliefs.reduce((total, { best }) => total - (best === 0 ? 0 : best * log(best)), 0);
      return sum / log(beliefs.length);
    },
  };
}

/** Effects in worlds of the posterior: means + L'^-1 z, where L L' is the precision. */
function drawWorlds({ means, precisions, number }: Snapshot): readonly Float64Array[] {
  const lower = decompose(precisions);
  const random = createSeededRandom(number);
  return Array.from({ length: WORLDS }, () => {
    // Box & Muller 1958
    const normals = means.map(() => sqrt(-2 * log(1 - random())) * cos(2 * PI * random()));
    return solveUpper(lower, normals).map((value, effect) => value + (means[effect] as number));
  });
}

function toBeliefs(
  { options, floor }: Layout,
  { worlds, effects }: { readonly worlds: readonly Float64Array[]; readonly effects: readonly (readonly number[])[] },
): readonly Belief[] {
  const wins = new Float64Array(options.length);
  const logOdds = options.map(() => new Float64Array(worlds.length));
  for (const [world, values] of worlds.entries()) {
    let best = 0;
    for (let option = 0; option < options.length; option += 1) {
      const own = logOdds[option] as Float64Array;
      own[world] = toLogOdds(effects[option] as readonly number[], values);
      if ((own[world] as number) > (logOdds[best]?.[world] as number)) best = option;
    }
    wins[best] = (wins[best] as number) + 1;
  }
  return options.map(({ name }, option) => {
    const sorted = (logOdds[option] as Float64Array).sort();
    const best = (wins[option] as number) / worlds.length;
    return {
      option: name,
      rate: sorted.reduce((sum, odds) => sum + toProbability(odds), 0) / worlds.length,
      low: toProbability(sorted[Math.floor(0.025 * worlds.length)] as number),
      high: toProbability(sorted[Math.floor(0.975 * worlds.length)] as number),
      best,
      propensity: floor / options.length + (1 - floor) * best,
    };
  });
}
