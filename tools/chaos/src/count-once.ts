import { MESSAGE_IDS_MAX } from '@perennial/feature-engine';
import { AppError, isAppError, retry } from '@perennial/kernel';

/** As many as one request may ask for. */
const USERS_PER_REQUEST = 1_000;
const TIMEOUT_MS = 30_000;
/** Whoever asks first finds out that a connection to Redis was lost while nobody asked, and is told 503. */
const RETRY = {
  attemptsMax: 5,
  initialMs: 500,
  maxMs: 5_000,
  isRetriable: (error: unknown) => isAppError(error) && error.retriable,
};

/**
 * Users whose features do not count each of their accepted events once, however often it came: the reference run folds the
 * same repeats and could not tell. Not asked of users with more events than message ids are remembered: what is promised ends
 * there. `store` is a feature-store.
 */
export async function findMiscounts(
  store: { readonly url: string; readonly token: string },
  { accepted, userOf }: { accepted: ReadonlySet<string>; userOf: ReadonlyMap<string, string> },
): Promise<string[]> {
  const wanted = new Map<string, number>();
  for (const [messageId, userId] of userOf) {
    if (accepted.has(messageId)) wanted.set(userId, (wanted.get(userId) ?? 0) + 1);
  }
  const users = [...wanted].flatMap(([userId, count]) => (count > MESSAGE_IDS_MAX ? [] : [userId]));
  const miscounts: string[] = [];
  for (let from = 0; from < users.length; from += USERS_PER_REQUEST) {
    const asked = users.slice(from, from + USERS_PER_REQUEST);
    const counted = await retry(() => readCounts(store, asked), RETRY);
    for (const [userId, count] of counted) {
      if (count !== wanted.get(userId)) miscounts.push(`${userId} counts ${count} of ${wanted.get(userId)} events`);
    }
  }
  return miscounts;
}

async function readCounts(
  { url, token }: { readonly url: string; readonly token: string },
  userIds: readonly string[],
): Promise<Map<string, number>> {
  const response = await fetch(`${url}/v1/features`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ userIds }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    const message = `the features could not be read: ${response.status}`;
    throw new AppError('dependency_unavailable', message, { retriable: response.status === 503 });
  }
  const { profiles } = (await response.json()) as {
    profiles: ReadonlyArray<{ userId: string; features: Readonly<Record<string, number | null>> }>;
  };
  return new Map(profiles.map(({ userId, features }) => [userId, features.events_count_all ?? 0]));
}
