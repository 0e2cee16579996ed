import { type ApiClient, createApiClient } from '@perennial/client';
import { MESSAGE_IDS_MAX } from '@perennial/feature-engine';
import { isAppError, retry } from '@perennial/kernel';

/** As many as one request may ask for. */
const USERS_PER_REQUEST = 1_000;
/** Whoever asks first finds out that a connection to Redis was lost while nobody asked, and gets 503. */
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
  const client = createApiClient({ urlOf: () => store.url, token: store.token });
  const miscounts: string[] = [];
  for (let from = 0; from < users.length; from += USERS_PER_REQUEST) {
    const asked = users.slice(from, from + USERS_PER_REQUEST);
    const counted = await retry(() => readCounts(client, asked), RETRY);
    for (const [userId, count] of counted) {
      if (count !== wanted.get(userId)) miscounts.push(`${userId} counts ${count} of ${wanted.get(userId)} events`);
    }
  }
  return miscounts;
}

async function readCounts(client: ApiClient, userIds: readonly string[]): Promise<Map<string, number>> {
  const { profiles } = await client.call('getFeaturesOfMany', { body: { userIds } });
  return new Map(profiles.map(({ userId, features }) => [userId, features.events_count_all ?? 0]));
}
