import { AppError, systemClock } from '@perennial/kernel';
import type { Fault } from './fault.js';

const FACTOR = 5;
/** Longer than ingest, or what it depends on, is unavailable. */
const BUSY_WAIT_MS_MAX = 90_000;
const BUSY_POLL_MS = 500;

/** More than ingest accepts: the clients get 429 or 503, and retry later. */
function createOverload(name: string, { seconds, ...more }: Overload): Fault {
  return {
    name,
    row: 15,
    lane: 'services',
    ...more,
    async run({ workload }, draw) {
      const startedMs = systemClock.steadyMs();
      const beforehand = workload.acknowledged.busy.answers;
      const turnedAway = () => workload.acknowledged.busy.answers - beforehand;
      workload.rateFactor = FACTOR;
      await systemClock.wait(draw.between(...seconds) * 1000);
      // The other lane may have disconnected ingest: it cannot answer before it is reachable again.
      while (turnedAway() === 0 && systemClock.steadyMs() - startedMs < BUSY_WAIT_MS_MAX)
        await systemClock.wait(BUSY_POLL_MS);
      workload.rateFactor = 1;
      if (turnedAway() === 0) throw new AppError('contract_violation', 'no ingest answered 429 or 503');
      const held = Math.round((systemClock.steadyMs() - startedMs) / 1000);
      return `${FACTOR} times the rate, ${held} s, 429 or 503 to ${turnedAway()} requests`;
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
