import type { NoticeType } from '@perennial/contracts';
import type { Operation } from '@perennial/service-host';
import type { CallType } from '../domain/event-shape.js';
import {
  defineBatchOperation,
  defineCallOperation,
  defineNoticeOperation,
  definePosthogOperation,
  takeWebhook,
} from './operations.js';

const CALL_PATHS: Readonly<Record<string, CallType>> = {
  '/v1/track': 'track',
  '/v1/identify': 'identify',
  '/v1/page': 'page',
  '/v1/screen': 'screen',
  '/v1/group': 'group',
  '/v1/alias': 'alias',
  '/v1/t': 'track',
  '/v1/i': 'identify',
  '/v1/p': 'page',
  '/v1/s': 'screen',
  '/v1/g': 'group',
  '/v1/a': 'alias',
};
/** The last one is where RudderStack's JavaScript SDK sends beacons, with the write key in the query. */
const BATCH_PATHS = ['/v1/batch', '/v1/b', '/v1/import', '/beacon/v1/batch'];
const POSTHOG_BATCH_PATHS = ['/batch', '/batch/'];
/** Where PostHog's browser SDK sends, beacons included: an event, a list of events, or a batch. */
const POSTHOG_PATHS = ['/e', '/e/', '/i/v0/e', '/i/v0/e/', '/capture', '/capture/'];

/** Where other systems report: one, a list, or a batch. */
const NOTICE_PATHS: Readonly<Record<string, NoticeType>> = {
  '/v1/outcomes': 'outcome',
  '/v1/contacts': 'contact',
  '/v1/consents': 'consent',
};

export const CALLS = Object.entries(CALL_PATHS).map(([path, callType]) => ({
  callType,
  operation: defineCallOperation(path, toId(path)),
}));
export const BATCHES = BATCH_PATHS.map((path) => defineBatchOperation(path, toId(path)));
export const POSTHOG_BATCHES = [
  ...POSTHOG_BATCH_PATHS.map((path) => defineBatchOperation(path, toId(path))),
  ...POSTHOG_PATHS.map((path) => definePosthogOperation(path, toId(path))),
];

export const NOTICES = Object.entries(NOTICE_PATHS).map(([path, callType]) => ({
  callType,
  operation: defineNoticeOperation(path, toId(path)),
}));

/** The contract of the event routes. */
export const EVENT_OPERATIONS: readonly Operation[] = [
  ...CALLS.map(({ operation }) => operation),
  ...BATCHES,
  ...POSTHOG_BATCHES,
  ...NOTICES.map(({ operation }) => operation),
  takeWebhook,
];

/** Every path that accepts events, but the webhook's: errors of these have one form. */
export const EVENT_PATHS: readonly string[] = EVENT_OPERATIONS.filter((one) => one !== takeWebhook).map(
  ({ path }) => path,
);

/** Those that pages may use: servers report outcomes and contacts, and need no CORS. */
export const PAGE_PATHS: readonly string[] = EVENT_PATHS.filter(
  (path) => path !== '/v1/outcomes' && path !== '/v1/contacts',
);

/** `/v1/track` gives `post_v1_track`: a unique id per path. */
function toId(path: string): string {
  return `post${path.replaceAll('/', '_')}`;
}
