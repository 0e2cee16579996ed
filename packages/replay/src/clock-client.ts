import { AppError } from '@perennial/kernel';
import type { IngestAddress, Retrying } from './http-client.js';
import { postToIngest } from './http-client.js';
import { REPLAY_LIMITS } from './limits.js';

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
    stepMs: REPLAY_LIMITS.tickStepMs,
    ...(request.received === undefined ? {} : { received: request.received }),
  };
  const answer = await postToIngest(address, '/v1/clock', JSON.stringify(body), retrying);
  if (answer.status === 200) return;
  const said = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  throw new AppError('dependency_misconfigured', `ingest does not set the clock (${answer.status}): ${said}`);
}
