import { AppError } from '@perennial/kernel';
import type { Answer, IngestAddress, Retrying } from './http-client.js';
import { callIngest } from './http-client.js';
import { BACKFILL_LIMITS } from './limits.js';

/**
 * Has ingest write ticks up to `toMs`, an hour apart, to every partition; resolves when they are acknowledged. With
 * `received`, ingest first takes in `event.received` up to these offsets, so that no tick overtakes an event.
 */
export async function advanceClock(
  address: IngestAddress,
  request: { toMs: number; received?: Readonly<Record<string, number>> | undefined },
  retrying: Retrying,
): Promise<void> {
  const body = {
    to: new Date(request.toMs).toISOString(),
    stepMs: BACKFILL_LIMITS.tickStepMs,
    ...(request.received === undefined ? {} : { received: request.received }),
  };
  const answer = await callIngest(address, { path: '/v1/clock', by: 'token', body: JSON.stringify(body) }, retrying);
  if (answer.status !== 200) throw toRefusal(answer);
}

/**
 * The log time of the namespace, ms; undefined before its first tick. Throws `config_invalid` where the wall clock drives:
 * a history would be in the past of every timer there.
 */
export async function readLogTime(address: IngestAddress, retrying: Retrying): Promise<number | undefined> {
  const answer = await callIngest(address, { path: '/v1/clock', by: 'token' }, retrying);
  if (answer.status !== 200) throw toRefusal(answer);
  const { mode, logTime } = answer.body as { mode?: unknown; logTime?: unknown };
  if (mode !== 'events') {
    const message =
      'this namespace runs by the wall clock: backfill into another one (--namespace NAME), which events drive';
    throw new AppError('config_invalid', message);
  }
  return typeof logTime === 'string' ? Date.parse(logTime) : undefined;
}

function toRefusal({ status, body }: Answer): AppError {
  const said = typeof body === 'string' ? body : JSON.stringify(body);
  return new AppError('dependency_misconfigured', `ingest refuses /v1/clock (${status}): ${said}`);
}
