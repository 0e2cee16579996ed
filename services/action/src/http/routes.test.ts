import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { createPseudonymizer } from '@perennial/privacy';
import type { FastifyInstance } from '@perennial/service-host';
import { createTestServer, listContract, listRoutes } from '@perennial/service-host/testing';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import type { Ledger } from '../adapters/ledger.js';
import { createActionTelemetry } from '../telemetry.js';
import { addContactRoutes } from './contact-routes.js';
import { addExperimentRoutes } from './experiment-routes.js';
import { addExplanationRoutes } from './explanation-routes.js';
import { OPERATIONS } from './operations.js';
import { addActionRoutes } from './routes.js';

const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');

const ENTRY: NonNullable<Awaited<ReturnType<Ledger['find']>>> = {
  actionId: 'a1',
  profileKey: 'p1',
  strategy: 'welcome',
  channel: 'email',
  template: 'hello',
  parameters: {},
  stage: 'new',
  cause: { kind: 'event', id: 'm1' },
  reasons: ['entered new'],
  policyVersion: 3,
  modelHash: '',
  scores: {},
  decidedAt: '2026-05-01T12:00:00.000Z',
  expiresAt: '2026-05-02T12:00:00.000Z',
  cost: 0.1,
  state: 'opened',
  outcomes: [{ outcome: 'opened', at: '2026-05-01T13:00:00.000Z', channel: 'email', value: null }],
};

let server: FastifyInstance;
let asked: unknown[];
let away: boolean;

beforeEach(() => {
  asked = [];
  away = false;
  const answer = async <T>(value: T): Promise<T> => {
    if (away) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    return value;
  };
  const ledger: Ledger = {
    insert: async () => undefined,
    insertOutcomes: async () => undefined,
    listByProfile(profileKey, { limit }) {
      asked.push([profileKey, limit]);
      return answer([]);
    },
    find: (actionId) => answer(actionId === ENTRY.actionId ? ENTRY : undefined),
    totals: () =>
      answer([
        { strategy: 'welcome', actions: 3, cost: 0.03 },
        { strategy: 'win_back_offer', actions: 1, cost: 6 },
      ]),
  };
  const metrics = createMetrics({ service: 'action', namespace: 'live', processMetrics: false });
  const telemetry = createActionTelemetry(createSilentLogger(), metrics);
  telemetry.idle('no_policy');
  server = createTestServer();
  addActionRoutes(server, { ledger, pseudonymizer, telemetry, ledgerLag: () => 2 });
  const exposures = { insert: async () => undefined, list: async () => [], totals: async () => [] };
  addExperimentRoutes(server, { exposures, exposureLag: () => 0 });
  addContactRoutes(server, { pseudonymizer, readStates: async () => [] });
  const artifacts = { spec: () => Promise.reject(new Error('none')), policy: () => Promise.reject(new Error('none')) };
  addExplanationRoutes(server, { pseudonymizer, readStates: async () => [], artifacts, namespace: 'live' });
});
afterEach(() => server.close());

const ask = (url: string) => server.inject({ url, headers: TEST_AUTHORIZATION });

describe('action routes', () => {
  it('are those of the contract', () => expect(listRoutes(server)).toEqual(listContract(OPERATIONS)));

  it("list a user's actions by the profile's key", async () => {
    const reply = await ask('/v1/actions?userId=ada&limit=7');
    expect(reply.json()).toEqual({ userId: 'ada', actions: [], next: null });
    await ask('/v1/actions?userId=ada');
    const key = pseudonymizer.toProfileKey({ userId: 'ada' });
    expect(asked).toEqual([
      // One more than requested, to find out whether there is a next page.
      [key, 8],
      [key, 101],
    ]);
  });

  it('give one action with what came of it, and say where there is none', async () => {
    expect((await ask('/v1/actions/a1')).json()).toEqual(ENTRY);
    const missing = await ask('/v1/actions/a2');
    expect([missing.statusCode, missing.json().detail]).toEqual([404, 'the ledger has no action a2']);
  });

  it('sum up the ledger and this process', async () => {
    expect((await ask('/v1/summary')).json()).toEqual({
      actions: { total: 4, cost: 6.03, byStrategy: { welcome: 3, win_back_offer: 1 } },
      process: { results: { no_policy: 1 }, suppressed: {} },
      ledgerLag: 2,
    });
  });

  it.each([
    ['', 'userId is missing'],
    ['userId=', 'userId must NOT have fewer than 1 characters'],
    ['userId=%20', 'userId is empty'],
    ['userId=a&userId=b', 'userId must be string'],
    [`userId=${'x'.repeat(257)}`, 'userId must NOT have more than 256 characters'],
    ['userId=a&limit=0', 'limit must be >= 1'],
    ['userId=a&limit=501', 'limit must be <= 500'],
    ['userId=a&limit=ten', 'limit must be integer'],
    ['userId=a&cursor=eA', 'cursor is not the next of a page of this list'],
    ['limit=0', 'userId is missing; limit must be >= 1'],
  ])('reject ?%.30s', async (query, message) => {
    const reply = await ask(`/v1/actions?${query}`);
    expect([reply.statusCode, reply.json().detail]).toEqual([400, message]);
    expect(asked).toEqual([]);
  });

  it.each(['/v1/actions?userId=ada', '/v1/actions/a1', '/v1/summary'])(
    'answer 503 for %s while PostgreSQL is away',
    async (url) => {
      away = true;
      expect((await ask(url)).statusCode).toBe(503);
    },
  );
});
