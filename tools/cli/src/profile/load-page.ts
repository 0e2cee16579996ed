import { AppError, toMessage } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';

type Client = Platform['client'];

/** Changes of stage, and actions, on one page. */
const LISTED_MAX = 10;

/** What the services know of one user: each part by the service that owns it. */
export interface ProfilePage {
  /** Of feature-store: who it is, traits, account, events, features. */
  readonly known: Awaited<ReturnType<typeof loadKnown>>;
  /** Of scoring: stage, scores, segments, when time alone may move it; null where scoring does not answer. */
  readonly standing: Awaited<ReturnType<typeof loadStanding>> | null;
  /** Of scoring: changes of stage with their reasons, the newest first. */
  readonly transitions: Awaited<ReturnType<typeof loadTransitions>> | null;
  /** Of action: the newest first. */
  readonly actions: Awaited<ReturnType<typeof loadActions>> | null;
  /** What is missing on the page, and why. */
  readonly problems: readonly string[];
}

/** Asks all services at once. One that does not answer leaves a gap with its reason; feature-store, which knows who it is, may not. */
export async function loadProfilePage(client: Client, userId: string): Promise<ProfilePage> {
  const problems: string[] = [];
  const orGap = async <T>(what: string, asked: Promise<T>): Promise<T | null> => {
    try {
      return await asked;
    } catch (error) {
      // An id that is none is so for every service.
      if (error instanceof AppError && error.code === 'config_invalid') throw error;
      problems.push(`${what} is missing: ${toMessage(error)}`);
      return null;
    }
  };
  const [known, standing, transitions, actions] = await Promise.all([
    loadKnown(client, userId),
    orGap('stage and scores', loadStanding(client, userId)),
    orGap('the history of stages', loadTransitions(client, userId)),
    orGap('the list of actions', loadActions(client, userId)),
  ]);
  return { known, standing, transitions, actions, problems };
}

function loadKnown(client: Client, userId: string) {
  return client.call('getKnownProfile', { path: { userId } });
}

function loadStanding(client: Client, userId: string) {
  return client.call('getProfile', { path: { userId } });
}

async function loadTransitions(client: Client, userId: string) {
  return (await client.call('listTransitions', { query: { userId, limit: LISTED_MAX } })).transitions;
}

async function loadActions(client: Client, userId: string) {
  return (await client.call('listActions', { query: { userId, limit: LISTED_MAX } })).actions;
}
