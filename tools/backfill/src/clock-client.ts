import { type ApiClient, createApiClient } from '@perennial/client';
import { AppError, isAppError } from '@perennial/kernel';
import { type IngestAddress, resolveUrl } from './ingest-address.js';
import { BACKFILL_LIMITS } from './limits.js';
import { askPatiently, type Retrying } from './retrying.js';

type ClockAddress = Pick<IngestAddress, 'ingestUrl' | 'token'>;

/**
 * Makes ingest write ticks up to `toMs`, an hour apart, to every partition; resolves when they are acknowledged. With
 * `received`, ingest first ingests `event.received` up to these offsets, so that no tick overtakes an event.
 */
export async function advanceClock(
  address: ClockAddress,
  request: { toMs: number; received?: Readonly<Record<string, number>> | undefined },
  retrying: Retrying,
): Promise<void> {
  const body = {
    to: new Date(request.toMs).toISOString(),
    stepMs: BACKFILL_LIMITS.tickStepMs,
    ...(request.received === undefined ? {} : { received: request.received }),
  };
  await callClock(address, retrying, (client) => client.call('advanceClock', { body }));
}

/**
 * The log time of the namespace, ms; undefined before its first tick. Throws `config_invalid` in clock mode `wall`,
 * where log time is already later than any history.
 */
export async function readLogTime(address: ClockAddress, retrying: Retrying): Promise<number | undefined> {
  const { mode, logTime } = await callClock(address, retrying, (client) => client.call('getClock'));
  if (mode !== 'events') {
    const message =
      'this namespace runs by the wall clock: backfill into another one (--namespace NAME), which events drive';
    throw new AppError('config_invalid', message);
  }
  return logTime === null ? undefined : Date.parse(logTime);
}

async function callClock<T>(
  address: ClockAddress,
  retrying: Retrying,
  ask: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const client = createApiClient({
    urlOf: () => resolveUrl(address),
    token: address.token,
    timeoutMs: BACKFILL_LIMITS.requestTimeoutMs,
    signal: retrying.signal,
  });
  try {
    return await askPatiently(() => ask(client), retrying);
  } catch (error) {
    if (!isAppError(error, 'unauthenticated') && !isAppError(error, 'forbidden')) throw error;
    throw new AppError('config_invalid', `ingest rejects the token: ${error.message}`, { cause: error });
  }
}
