import { describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { ID_STRENGTHS } from '@perennial/identity';
import type { ReadStates } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { createTestServer } from '@perennial/service-host/testing';
import type { ActionState } from '../domain/action-state.js';
import type { StoredAction } from '../joins.js';
import { addContactRoutes } from './contact-routes.js';

const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const toKey = (userId: string) => pseudonymizer.toProfileKey({ userId });
const NIGHT = Date.UTC(2026, 0, 15, 23);
const ADA: ActionState = {
  history: {
    contacts: [
      { atMs: NIGHT - 2 * 86_400_000, channel: 'email' },
      { atMs: NIGHT - 86_400_000, channel: 'email', strategy: 'welcome', category: 'service' },
    ],
    signals: { eventsAtMs: { 'Ticket Opened': NIGHT - 86_400_000 }, grants: { wechat: 2 } },
    lastUsedAtMs: { welcome: NIGHT - 86_400_000 },
    pending: [
      {
        strategy: 'win_back',
        causeId: 'transition:3',
        event: undefined,
        causedAtMs: NIGHT,
        dueAtMs: NIGHT + 9 * 3_600_000,
        expiresAtMs: NIGHT + 86_400_000,
        reasons: ['became dormant, was loyal'],
      },
    ],
  },
  stage: 'dormant',
  subject: Buffer.alloc(0),
  timeZone: '',
  modelHash: '',
  facts: undefined,
};
const to = { key: toKey('ada'), strength: ID_STRENGTHS.user, subject: Buffer.alloc(0) };
const STORED = new Map<string, StoredAction>([
  [toKey('ada'), ADA],
  [toKey('phone'), { node: { kind: 'forwarder', to, sinceMs: 0 }, profile: undefined }],
]);

async function ask(userId: string) {
  const server = createTestServer();
  const readStates: ReadStates<StoredAction> = async (keys) =>
    keys.map((key) => ({ state: STORED.get(key), logTimeMs: NIGHT, inForce: new Map() }));
  addContactRoutes(server, { readStates, pseudonymizer });
  return server.inject({ url: `/v1/contacts/${encodeURIComponent(userId)}`, headers: TEST_AUTHORIZATION });
}

describe('GET /v1/contacts/{userId}', () => {
  it('answers what waits and which contacts count, also by the id of a profile that has joined', async () => {
    const expected = {
      waiting: [
        {
          strategy: 'win_back',
          cause: { kind: 'transition', id: '3' },
          causedAt: '2026-01-15T23:00:00.000Z',
          dueAt: '2026-01-16T08:00:00.000Z',
          expiresAt: '2026-01-16T23:00:00.000Z',
          reasons: ['became dormant, was loyal'],
        },
      ],
      contacts: [
        { at: '2026-01-13T23:00:00.000Z', channel: 'email' },
        { at: '2026-01-14T23:00:00.000Z', channel: 'email', strategy: 'welcome', category: 'service' },
      ],
      events: { 'Ticket Opened': '2026-01-14T23:00:00.000Z' },
      grants: { wechat: 2 },
      lastUsed: { welcome: '2026-01-14T23:00:00.000Z' },
    };
    expect((await ask('ada')).json()).toEqual({ userId: 'ada', ...expected });
    expect((await ask('phone')).json()).toEqual({ userId: 'phone', ...expected });
  });

  it('answers for nobody, and rejects an empty id', async () => {
    expect((await ask('bo')).json()).toEqual({
      userId: 'bo',
      waiting: [],
      contacts: [],
      lastUsed: {},
      events: {},
      grants: {},
    });
    expect((await ask(' ')).statusCode).toBe(400);
  });
});
