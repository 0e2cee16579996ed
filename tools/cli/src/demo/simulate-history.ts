import { createSeededRandom } from '@perennial/kernel';
import { HISTORY_HEADER } from './cdnow.js';
import { drawExponential } from './exponential.js';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(1997, 0, 1);

export interface SimulationOptions {
  readonly seed: number;
  readonly customers: number;
  /** Customers begin within the first quarter, as in CDNOW, and are observed for this long. */
  readonly days: number;
}

/**
 * A purchase history by the BTYD model (Fader, Hardie and Lee 2005): each customer buys at an individual rate and may
 * become inactive for good after any purchase. Shaped like CDNOW: many buy once, a few for years.
 */
export function simulateHistory({ seed, customers, days }: SimulationOptions): string {
  const random = createSeededRandom(seed);
  const rows: string[] = [];
  for (let customer = 1; customer <= customers; customer++) {
    const meanGapDays = 20 + drawExponential(random, 120);
    const leaves = 0.15 + 0.5 * random();
    const spend = 12 + drawExponential(random, 24);
    for (let day = random() * 84; day < days; day += drawExponential(random, meanGapDays)) {
      const date = new Date(START_MS + Math.floor(day) * DAY_MS).toISOString().slice(0, 10);
      const quantity = 1 + Math.floor(drawExponential(random, 1.4));
      const value = (spend * (0.6 + 0.8 * random())).toFixed(2);
      rows.push(`sim-${String(customer).padStart(5, '0')},${date},purchase,,,${quantity},${value},`);
      if (random() < leaves) break;
    }
  }
  return `${HISTORY_HEADER}\n${rows.join('\n')}\n`;
}
