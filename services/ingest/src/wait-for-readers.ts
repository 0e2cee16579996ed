import { AppError, type Clock, systemClock } from '@perennial/kernel';
import type { RuleReaders } from './ports.js';

const LIMITS = {
  /** A process looks every ten seconds, and one that was killed is forgotten after thirty. */
  waitMs: 60_000,
  pollMs: 250,
} as const;

/**
 * Waits until every process of ingest reads events by the rules with this hash: what is sent from then on is read by them. Throws
 * `timeout` with the names of those that do not; the rules are in force all the same.
 */
export async function waitForReaders(
  readers: Pick<RuleReaders, 'listBehind'>,
  { hash, clock = systemClock }: { readonly hash: string; readonly clock?: Clock },
): Promise<void> {
  const untilMs = clock.steadyMs() + LIMITS.waitMs;
  for (;;) {
    const behind = await readers.listBehind(hash);
    if (behind.length === 0) return;
    if (clock.steadyMs() >= untilMs) {
      const waited = `after ${LIMITS.waitMs / 1_000} s ${behind.join(', ')} still read${behind.length === 1 ? 's' : ''} ids by other rules`;
      throw new AppError(
        'timeout',
        `the rules are in force, but ${waited}: see the logs there, then do the same again`,
      );
    }
    await clock.wait(LIMITS.pollMs);
  }
}
