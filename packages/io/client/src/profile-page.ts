import { AppError, toMessage } from '@perennial/kernel';
import type { ApiClient } from './client.js';

type Client = Pick<ApiClient, 'call'>;

/** Changes of stage and of segments, and actions, on one page. */
const LISTED_MAX = 10;

/** Each part of the page, by the service that owns it, and what it is called where it is missing. */
const PARTS = {
  /** Of feature-store: who it is, traits, account, events, features. */
  known: { title: 'who it is, with traits, events and features,', load: loadKnown },
  /** Of feature-store: tags given and taken by hand or by lists, the newest first; those that it has are in `known`. */
  tagChanges: { title: 'the history of tags', load: loadTagChanges },
  /** Of feature-store: which ids are one with it. */
  identity: { title: 'the list of its ids', load: loadIdentity },
  /** Of scoring: stage, scores, segments, when time alone may move it. */
  standing: { title: 'stage and scores', load: loadStanding },
  /** Of scoring: changes of stage with their reasons, the newest first. */
  transitions: { title: 'the history of stages', load: loadTransitions },
  /** Of scoring: entries into segments and exits, the newest first. */
  segmentChanges: { title: 'the history of segments', load: loadSegmentChanges },
  /** Of action: the newest first. */
  actions: { title: 'the list of actions', load: loadActions },
  /** Of action: what waits, and which contacts caps and cooldowns count. */
  contacts: { title: 'the list of waiting actions', load: loadContacts },
} as const;

type Part = keyof typeof PARTS;

/**
 * What the services know of one user: each part as its operation answers it (`proto/openapi`). A part is null where its service does not answer.
 */
export type ProfilePage = {
  readonly [Name in Part]: Awaited<ReturnType<(typeof PARTS)[Name]['load']>> | null;
} & {
  readonly userId: string;
  /** What is missing on the page, and why. */
  readonly problems: readonly string[];
};

/** Asks all services at once. One that does not answer leaves a gap with its reason; an id that is none is an error. */
export async function loadProfilePage(client: Client, userId: string): Promise<ProfilePage> {
  const problems: string[] = [];
  const entries = await Promise.all(
    (Object.keys(PARTS) as Part[]).map(async (name) => {
      const { title, load } = PARTS[name];
      try {
        return [name, await load(client, userId)] as const;
      } catch (error) {
        // An id that is none is so for every service.
        if (error instanceof AppError && error.code === 'config_invalid') throw error;
        problems.push(`${title} is missing: ${toMessage(error)}`);
        return [name, null] as const;
      }
    }),
  );
  return { userId, ...Object.fromEntries(entries), problems } as unknown as ProfilePage;
}

function loadKnown(client: Client, userId: string) {
  return client.call('getKnownProfile', { path: { userId } });
}

async function loadTagChanges(client: Client, userId: string) {
  return (await client.call('getTags', { path: { userId } })).history.slice(0, LISTED_MAX);
}

function loadIdentity(client: Client, id: string) {
  return client.call('getIdentity', { path: { id }, query: {} });
}

function loadStanding(client: Client, userId: string) {
  return client.call('getProfile', { path: { userId } });
}

async function loadTransitions(client: Client, userId: string) {
  return (await client.call('listTransitions', { query: { userId, limit: LISTED_MAX } })).transitions;
}

async function loadSegmentChanges(client: Client, userId: string) {
  return (await client.call('listSegmentChanges', { query: { userId, limit: LISTED_MAX } })).changes;
}

async function loadActions(client: Client, userId: string) {
  return (await client.call('listActions', { query: { userId, limit: LISTED_MAX } })).actions;
}

function loadContacts(client: Client, userId: string) {
  return client.call('getContacts', { path: { userId } });
}
