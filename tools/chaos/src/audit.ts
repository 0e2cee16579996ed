import { toConsumerGroup, toTopic } from '@perennial/contracts';
import { type Log, readUnread } from '@perennial/kafka';
import { AppError, type Clock, systemClock } from '@perennial/kernel';
import type { Fleet } from './fleet.js';

/** Short, so that the end of the log is archived soon: a file is closed when its window has ended. */
export const ARCHIVE_WINDOW_SECONDS = '5';
/** The command's limit: above the profiles of any run. */
const SAMPLE_MAX = '100000';
const WAIT_MS_MAX = 90_000;
const POLL_MS = 500;
const GROUP = 'event-archive';

/** What `audit features` found of all profiles. */
export interface Audit {
  readonly profiles: number;
  readonly vectors: number;
  readonly mismatches: number;
  /** The first of them, as text. */
  readonly first: readonly string[];
}

/**
 * Waits until all that `event.accepted` holds now is archived; new records must still be coming, since a file is closed by the
 * next window's first record. Throws `timeout`.
 */
export async function waitForArchive(
  log: Log,
  { namespace, clock = systemClock }: { readonly namespace: string; readonly clock?: Clock },
): Promise<void> {
  const at = { groupId: toConsumerGroup(namespace, GROUP), topic: toTopic(namespace, 'eventAccepted') };
  const ends = [...(await readUnread(log, at))].map(([partition, { to }]) => ({ partition, to }));
  const deadlineMs = clock.steadyMs() + WAIT_MS_MAX;
  for (;;) {
    const unread = await readUnread(log, at);
    const behind = ends.filter(({ partition, to }) => (unread.get(partition)?.from ?? 0) < to);
    if (behind.length === 0) return;
    if (clock.steadyMs() > deadlineMs)
      throw new AppError(
        'timeout',
        `the archive is behind on partitions ${behind.map((end) => end.partition).join(', ')}`,
      );
    await clock.wait(POLL_MS);
  }
}

/** Computes the vectors of all profiles again from the archive, and compares them bit for bit with those that were served. */
export async function auditAll(fleet: Pick<Fleet, 'runCommand'>): Promise<Audit> {
  const printed = await fleet.runCommand('feature-store', ['audit', '--sample', SAMPLE_MAX]);
  const answer = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Omit<Audit, 'first'> & { first: unknown[] };
  const { profiles, vectors, mismatches, first } = answer;
  return { profiles, vectors, mismatches, first: first.map((found) => JSON.stringify(found)) };
}
