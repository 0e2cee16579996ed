import { CHAIN, readLags } from '@perennial/backfill';
import { AppError, createSeededRandom, systemClock, toMessage } from '@perennial/kernel';
import { createDraw, type Draw, type Fault } from './faults/fault.js';
import type { World } from './world.js';

/** One fault as injected. */
export interface Injected {
  readonly fault: string;
  readonly row: number;
  readonly what: string;
  /** Records in flight between the services when it began. */
  readonly inFlight: number;
  /** Time from the end of the fault until the services had caught up; undefined if not within CATCH_UP_WAIT_MS_MAX. */
  readonly catchUpMs: number | undefined;
  /** Time from its beginning until the services had caught up. */
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface LaneOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: readonly Fault[];
  readonly eventsPerSecond: number;
  readonly onProgress: (message: string) => void;
}

const PAUSE_MS = { min: 500, max: 4_000 };
const CATCH_UP_WAIT_MS_MAX = 120_000;
const CATCH_UP_POLL_MS = 250;
/** Longer than the session timeout. */
const WATCH_MS = 8_000;
/**
 * A lag of at most this share of a second's events at each hop counts as caught up: group offsets are committed twice a
 * second.
 */
const CAUGHT_UP_SECONDS = 0.7;

/** Runs both lanes of faults until the time is over; each fault is measured until the services have caught up. */
export async function injectFaults(world: World, options: LaneOptions): Promise<Injected[]> {
  const deadline = systemClock.now() + options.seconds * 1000;
  const injected: Injected[] = [];
  const lanes = ['services', 'infrastructure'] as const;
  let failed = false;
  const ended = await Promise.allSettled(
    lanes.map(async (lane, index) => {
      const faults = options.faults.filter((fault) => fault.lane === lane);
      const draw = createDraw(createSeededRandom(options.seed * lanes.length + index));
      while (faults.length > 0 && !failed && systemClock.now() < deadline) {
        await systemClock.wait(draw.between(PAUSE_MS.min, PAUSE_MS.max));
        const fault = draw.pick(faults);
        options.onProgress(`fault ${fault.name}`);
        const done = await inject(world, fault, { draw, options }).catch((error: unknown) => {
          failed = true;
          throw error;
        });
        injected.push(done);
        const caughtUp = done.catchUpMs === undefined ? 'NOT caught up' : `caught up in ${done.catchUpMs} ms`;
        options.onProgress(`fault ${fault.name}: ${done.what}; ${done.inFlight} records in flight, ${caughtUp}`);
      }
    }),
  );
  // Only when both lanes have ended, so that one lane does not restart what the other has stopped.
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
  return injected;
}

async function inject(
  world: World,
  fault: Fault,
  { draw, options }: { draw: Draw; options: LaneOptions },
): Promise<Injected> {
  const inFlight = (await readLagTotal(world)) ?? 0;
  const fromMs = systemClock.now();
  const what = await fault.run(world, draw).catch((cause: unknown) => {
    throw new AppError('dependency_unavailable', `the fault ${fault.name} could not be done: ${toMessage(cause)}`, {
      cause,
    });
  });
  const endedAtMs = systemClock.now();
  const catchUpMs = await waitUntilCaughtUp(world, options.eventsPerSecond);
  const untilMs = endedAtMs + (catchUpMs ?? CATCH_UP_WAIT_MS_MAX);
  return { fault: fault.name, row: fault.row, what, inFlight, catchUpMs, fromMs, untilMs };
}

/**
 * Milliseconds until the lag was last above the usual; undefined when it stays above. It keeps watching for a while,
 * because a killed process is noticed only after its session timeout.
 */
async function waitUntilCaughtUp(world: World, eventsPerSecond: number): Promise<number | undefined> {
  const startedMs = systemClock.now();
  const lagMax = eventsPerSecond * CAUGHT_UP_SECONDS * CHAIN.length;
  let behindMs = 0;
  for (;;) {
    const lag = await readLagTotal(world);
    const elapsedMs = systemClock.now() - startedMs;
    if (lag === undefined || lag > lagMax) behindMs = elapsedMs;
    if (elapsedMs - behindMs >= WATCH_MS) return behindMs;
    if (elapsedMs >= CATCH_UP_WAIT_MS_MAX) return undefined;
    await systemClock.wait(CATCH_UP_POLL_MS);
  }
}

/** Records not yet processed, of all consumers; undefined while the broker is unavailable. */
async function readLagTotal({ log, namespace }: World): Promise<number | undefined> {
  try {
    const { lags } = await readLags({ log, namespace });
    return Object.values(lags).reduce((sum, lag) => sum + lag, 0);
  } catch {
    // The other lane has made the broker unavailable: retry.
    return undefined;
  }
}
