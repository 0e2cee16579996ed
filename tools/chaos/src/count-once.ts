import { type ApiClient, createApiClient } from '@perennial/client';
import { MESSAGE_IDS_MAX } from '@perennial/feature-engine';
import { isAppError, retry } from '@perennial/kernel';

/** Maximum of users in one request. */
const USERS_PER_REQUEST = 1_000;
/** The first request after an idle time may find that a connection to Redis was lost, and gets 503. */
const RETRY = {
  attemptsMax: 5,
  initialMs: 500,
  maxMs: 5_000,
  isRetriable: (error: unknown) => isAppError(error) && error.retriable,
};

/**
 * Users whose features do not count each of their accepted events exactly once, however often it was sent and under
 * whichever of their ids. The reference run processes the same repeats, so the comparison with it cannot find this. Users
 * with more events than the number of remembered message ids are left out, because the guarantee ends there. `store` is a
 * feature-store, `wanted` the events of each user.
 */
export async function findMiscounts(
  store: { readonly url: string; readonly token: string },
  wanted: ReadonlyMap<string, number>,
): Promise<string[]> {
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
