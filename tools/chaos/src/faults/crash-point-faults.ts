import { AppError, systemClock } from '@perennial/kernel';
import { listCrashPoints } from '../crash-points.js';
import type { Fault } from './fault.js';

/**
 * The other lane may have made the broker or a store unavailable for a minute: then nothing is committed or published.
 */
const REACHED_WITHIN_MS = 120_000;
const POLL_MS = 50;

/** A process ends itself with SIGKILL when it next reaches a named point of its own code. */
const killAtCrashPoint: Fault = {
  name: 'kill-at-crash-point',
  row: 1,
  lane: 'services',
  async run({ fleet }, draw) {
    const instance = draw.pick(fleet.instances);
    const point = draw.pick(listCrashPoints(instance.service));
    const what = `${instance.service}-${instance.index}, ${point}`;
    const isReached = fleet.killAt(instance, point);
    const deadline = systemClock.now() + REACHED_WITHIN_MS;
    while (!isReached()) {
      if (systemClock.now() > deadline) throw new AppError('timeout', `${what} was not reached`);
      await systemClock.wait(POLL_MS);
    }
    return what;
  },
};

export const CRASH_POINT_FAULTS: readonly Fault[] = [killAtCrashPoint];
