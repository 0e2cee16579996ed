import { AppError } from '@perennial/kernel';
import { addOperation, type FastifyInstance } from '@perennial/service-host';
import type { Advance, ClockDriver } from '../clock/clock-driver.js';
import { LIMITS } from '../domain/limits.js';
import { parseMoment } from '../domain/parse-timestamp.js';
import { countTicks, TICK_STEP_MAX_MS, TICKS_MAX } from '../domain/plan-ticks.js';
import { Rejection } from '../domain/rejection.js';
import type { IngestContext } from './ingest-context.js';
import { type AdvanceRequest, advanceClock, getClock } from './operations.js';

export interface ClockRoutesOptions {
  readonly ingest: IngestContext;
  /** Absent in wall mode. */
  readonly driver: ClockDriver | undefined;
  readonly lastTickMs: () => number | undefined;
  readonly partitions: number;
}

/** GET and POST /v1/clock: reports log time and (in events mode) moves it. */
export function addClockRoutes(server: FastifyInstance, options: ClockRoutesOptions): void {
  const { ingest, driver, lastTickMs, partitions } = options;

  addOperation(server, getClock, async () => {
    const timeMs = driver === undefined ? lastTickMs() : await driver.logTime();
    return { mode: ingest.clockMode, logTime: timeMs === undefined ? null : new Date(timeMs).toISOString() };
  });

  addOperation(server, advanceClock, async ({ body }) => {
    if (driver === undefined) throw new AppError('conflict', 'the wall clock drives time in this namespace');
    const advance = toAdvance(body, { partitions, nowMs: ingest.clock.now() });
    const last = await driver.logTime();
    if (countTicks({ ...advance, last }) > TICKS_MAX) {
      throw invalid(`more than ${TICKS_MAX} ticks: move the clock in parts, or in larger steps`);
    }
    return { logTime: new Date(await driver.advance(advance)).toISOString() };
  });
}

function toAdvance(
  { to, from, stepMs = TICK_STEP_MAX_MS, received = {} }: AdvanceRequest,
  { partitions, nowMs }: { partitions: number; nowMs: number },
): Advance {
  return {
    to: parseTime(to, { field: 'to', nowMs }),
    from: from === undefined ? undefined : parseTime(from, { field: 'from', nowMs }),
    stepMs,
    received: toReceived(received, partitions),
  };
}

/** A tick from the future cannot be undone, so `to` has the bounds of a timestamp. */
function parseTime(value: string | number, { field, nowMs }: { field: string; nowMs: number }): number {
  const moment = parseMoment(value, field);
  if (moment instanceof Rejection) throw invalid(moment.message);
  if (moment < LIMITS.timestampMinMs) throw invalid(`${field} is before 1990`);
  if (moment > nowMs + LIMITS.futureMaxMs) throw invalid(`${field} is more than 24 h ahead`);
  return moment;
}

function toReceived(received: Readonly<Record<string, number>>, partitions: number): ReadonlyMap<number, number> {
  return new Map(
    Object.entries(received).map(([name, next]) => {
      const partition = /^\d{1,6}$/.test(name) ? Number(name) : Number.NaN;
      if (partition < partitions) return [partition, next];
      throw invalid(`received names partition ${name.slice(0, 20)}; there are ${partitions}`);
    }),
  );
}

function invalid(message: string): AppError {
  return new AppError('contract_violation', message);
}
