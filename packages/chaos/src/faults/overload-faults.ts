import { AppError, systemClock } from '@perennial/kernel';
import type { Fault } from './fault.js';

const FACTOR = 5;

/** More than the doors let in: the clients are told to come again later, and do. */
function createOverload(name: string, { seconds, ...more }: Overload): Fault {
  return {
    name,
    row: 15,
    lane: 'services',
    ...more,
    async run({ workload }, draw) {
      const held = draw.between(...seconds);
      const before = workload.acknowledged.busy.answers;
      workload.rateFactor = FACTOR;
      await systemClock.wait(held * 1000);
      workload.rateFactor = 1;
      const refused = workload.acknowledged.busy.answers - before;
      if (refused === 0) throw new AppError('contract_violation', 'no door said 429 or 503');
      return `${FACTOR} times the rate, ${held} s, 429 or 503 to ${refused} requests`;
    },
  };
}

interface Overload {
  readonly seconds: readonly [min: number, max: number];
  readonly runSecondsMin?: number;
}

export const OVERLOAD_FAULTS: readonly Fault[] = [
  createOverload('overload', { seconds: [5, 10] }),
  createOverload('overload-long', { seconds: [60, 60], runSecondsMin: 120 }),
];
