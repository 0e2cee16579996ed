import { AppError } from '@perennial/kernel';
import type { FastifyInstance } from '@perennial/service-host';
import type { Advance, ClockDriver } from '../clock/clock-driver.js';
import { LIMITS } from '../domain/limits.js';
import { isJsonObject } from '../domain/parse-properties.js';
import { parseMoment } from '../domain/parse-timestamp.js';
import { countTicks, TICK_STEP_MAX_MS, TICK_STEP_MIN_MS, TICKS_MAX } from '../domain/plan-ticks.js';
import { Rejection } from '../domain/rejection.js';
import type { DoorContext } from './door.js';

export interface ClockRoutesOptions {
  readonly door: DoorContext;
  /** Absent where the wall clock drives. */
  readonly driver: ClockDriver | undefined;
  readonly lastTickMs: () => number | undefined;
  readonly partitions: number;
}

/** GET and POST /v1/clock: what time the log has, and (where event time drives) moving it on. */
export function addClockRoutes(server: FastifyInstance, options: ClockRoutesOptions): void {
  const { door, driver, lastTickMs, partitions } = options;

  server.get('/v1/clock', { config: { access: 'read' } }, async () => {
    const timeMs = driver === undefined ? lastTickMs() : await driver.logTime();
    return { mode: door.clockMode, logTime: timeMs === undefined ? null : new Date(timeMs).toISOString() };
  });

  server.post('/v1/clock', { config: { access: 'operate' } }, async ({ body }) => {
    if (!isJsonObject(body)) throw invalid('the body must be a JSON object');
    if (driver === undefined) throw new AppError('conflict', 'the wall clock drives time in this namespace');
    const advance = parseAdvance(body, { partitions, nowMs: door.clock.now() });
    const last = await driver.logTime();
    if (countTicks({ ...advance, last }) > TICKS_MAX) {
      throw invalid(`more than ${TICKS_MAX} ticks: move the clock in parts, or in larger steps`);
    }
    return { logTime: new Date(await driver.advance(advance)).toISOString() };
  });
}

function parseAdvance(
  body: Readonly<Record<string, unknown>>,
  { partitions, nowMs }: { partitions: number; nowMs: number },
): Advance {
  const to = parseTime(body.to, { field: 'to', nowMs });
  if (to === undefined) throw invalid('to is missing');
  const from = parseTime(body.from, { field: 'from', nowMs });
  const stepMs = body.stepMs ?? TICK_STEP_MAX_MS;
  if (
    typeof stepMs !== 'number' ||
    !Number.isInteger(stepMs) ||
    stepMs < TICK_STEP_MIN_MS ||
    stepMs > TICK_STEP_MAX_MS
  ) {
    throw invalid(`stepMs must be an integer from ${TICK_STEP_MIN_MS} to ${TICK_STEP_MAX_MS}`);
  }
  return { from, to, stepMs, received: parseReceived(body.received, partitions) };
}

/** A tick from the future cannot be taken back, so `to` has the bounds of a timestamp. */
function parseTime(value: unknown, { field, nowMs }: { field: string; nowMs: number }): number | undefined {
  const moment = parseMoment(value, field);
  if (moment instanceof Rejection) throw invalid(moment.message);
  if (moment === undefined) return undefined;
  if (moment < LIMITS.timestampMinMs) throw invalid(`${field} is before 1990`);
  if (moment > nowMs + LIMITS.futureMaxMs) throw invalid(`${field} is more than 24 h ahead`);
  return moment;
}

function parseReceived(value: unknown, partitions: number): ReadonlyMap<number, number> {
  if (value === undefined || value === null) return new Map();
  if (!isJsonObject(value)) throw invalid('received must be an object of next offsets by partition');
  return new Map(
    Object.entries(value).map(([name, next]) => {
      const partition = /^\d{1,6}$/.test(name) ? Number(name) : Number.NaN;
      if (!(partition < partitions))
        throw invalid(`received names partition ${name.slice(0, 20)}; there are ${partitions}`);
      if (typeof next !== 'number' || !Number.isSafeInteger(next) || next < 0) {
        throw invalid(`received.${name} must be an offset`);
      }
      return [partition, next];
    }),
  );
}

function invalid(message: string): AppError {
  return new AppError('contract_violation', message);
}
