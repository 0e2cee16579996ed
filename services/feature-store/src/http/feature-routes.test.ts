import { describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { INITIAL_RATES } from '@perennial/commerce';
import type { Rollout } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, type FeatureDefinition, FeatureSpecs } from '@perennial/feature-engine';
import { ID_STRENGTHS, INITIAL_RULES } from '@perennial/identity';
import { AppError, must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { createTestServer, listContract, listRoutes } from '@perennial/service-host/testing';
import { createMetrics } from '@perennial/telemetry';
import { addSaid, NOTHING_KNOWN } from '@perennial/traits';
import type { ProfileState } from '../domain/profile-state.js';
import { createFills } from '../fill/fills.js';
import type { StoredProfile } from '../identity/stored-profile.js';
import type { RetractionAnswer, RetractionRequest } from '../retract/retractor.js';
import { createFeatureTelemetry } from '../telemetry.js';
import { addFeatureRoutes } from './feature-routes.js';
import { addIdentityRoutes } from './identity-routes.js';
import { OPERATIONS } from './operations.js';
import { addRetractionRoutes } from './retraction-routes.js';
import { addTagRoutes } from './tag-routes.js';

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const PAGES: FeatureDefinition = {
  name: 'pages_count_all',
  unit: 'pages',
  event: { type: 'page', name: undefined },
  aggregation: 'count',
  windowMs: undefined,
};
const GROWN = [PAGES, ...ECOMMERCE_FEATURES];
const { advance, apply, empty } = specs.initial;
const NOON = Date.UTC(2024, 4, 15, 12);
const LOG_TIME = NOON + 86_400_000;
const pseudonymizer = createPseudonymizer('a secret of more than thirty-two characters');

describe('the routes', () => {
  it('are those of the contract', () => expect(listRoutes(setUp({}).server)).toEqual(listContract(OPERATIONS)));
});

describe('GET /v1/features/{userId}', () => {
  it('answers a profile at the log time of its partition', async () => {
    const { get } = setUp({ profiles: { anna: toStored({ asOfMs: NOON }) } });
    const response = await get('anna');
    expect(response.statusCode).toBe(200);
    const body = response.json();
    expect(body).toMatchObject({ userId: 'anna', known: true, asOf: '2024-05-16T12:00:00.000Z' });
    expect(Object.keys(body.features)).toEqual(specs.initial.names);
    expect(body.units).toMatchObject({ orders_count_all: 'orders', orders_revenue_sum_all: 'USD' });
    expect(body.features).toMatchObject({
      orders_count_all: 1,
      orders_revenue_sum_all: 9.99,
      orders_recency_days: 1,
      orders_gap_mean_days: null,
    });
  });

  it('gives the features that are named, and says which are not there', async () => {
    const { get, post } = setUp({ profiles: { anna: toStored({ asOfMs: NOON }) } });
    const some = (await get('anna', 'names=orders_count_all,orders_count_30d')).json();
    expect(some).toMatchObject({ specHash: specs.initial.specHash });
    expect(some.features).toEqual({ orders_count_all: 1, orders_count_30d: 1 });
    expect(some.units).toEqual({ orders_count_all: 'orders', orders_count_30d: 'orders' });
    const many = (await post({ userIds: ['anna', 'nobody'], names: ['orders_count_all'] })).json();
    expect(many.profiles.map(({ features }: { features: unknown }) => features)).toEqual([
      { orders_count_all: 1 },
      { orders_count_all: 0 },
    ]);
    const wrong = await get('anna', 'names=orders_count_all,order_cuont,x');
    expect([wrong.statusCode, wrong.json().detail]).toEqual([
      400,
      'names: the spec in force has no feature "order_cuont", "x"',
    ]);
    expect((await post({ userIds: ['anna'], names: ['constructor'] })).statusCode).toBe(400);
  });

  it('counts the values that a known profile has not', async () => {
    const { get, post, text } = setUp({ profiles: { anna: toStored({ asOfMs: NOON }) } });
    await get('anna');
    await post({ userIds: ['anna', 'anna', 'nobody'] });
    expect(await text()).toMatch(/features_served_missing_total\{.*feature="orders_gap_mean_days".*\} 3\n/);
    expect(await text()).not.toMatch(/features_served_missing_total\{.*feature="orders_count_all".*\}/);
  });

  it('answers under the spec in force, also for who was last seen under the one before', async () => {
    const inForce = new Map([['features', { kind: 'features', number: 2, hash: 'artifact-2' }]]);
    const { get } = setUp({ profiles: { anna: toStored({ asOfMs: NOON }) }, inForce });
    expect((await get('anna')).json().features).toMatchObject({ orders_count_all: 1, pages_count_all: 0 });
    expect((await get('nobody')).json().features).toMatchObject({ orders_count_all: 0, pages_count_all: 0 });
  });

  it('answers at the time of the state where that is ahead of the ticks', async () => {
    const { get } = setUp({ profiles: { anna: toStored({ asOfMs: LOG_TIME + 1 }) } });
    expect((await get('anna')).json()).toMatchObject({ asOf: '2024-05-16T12:00:00.001Z' });
  });

  it('answers for a user who is one with another as for that one, by one more read', async () => {
    const { get, reads } = setUp({ profiles: { anna: toStored({ asOfMs: NOON }), bert: toForwarder('anna') } });
    const { userId, ...joined } = (await get('bert')).json();
    expect(userId).toBe('bert');
    expect((await get('anna')).json()).toEqual({ userId: 'anna', ...joined });
    expect(reads).toEqual([1, 1, 1]);
  });

  it('does not follow forged forwarders in a circle', async () => {
    const { get } = setUp({ profiles: { anna: toForwarder('bert'), bert: toForwarder('anna') } });
    expect((await get('anna')).statusCode).toBe(400);
  });

  it('answers for a user nobody has heard of', async () => {
    const { get } = setUp({});
    const response = await get('nobody');
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({
      userId: 'nobody',
      known: false,
      asOf: '2024-05-16T12:00:00.000Z',
      features: { orders_count_all: 0, orders_recency_days: null, products_distinct_90d: 0 },
    });
  });

  it.each(['a/b', 'ünï ✨ 漢字', '__proto__', 'a%b', '漢'.repeat(256)])('takes the id %s', async (userId) => {
    const { get } = setUp({ profiles: { [userId]: toStored({ asOfMs: NOON }) } });
    expect((await get(userId)).json()).toMatchObject({ userId, known: true });
  });

  it.each([
    ['x'.repeat(257), 'userId must NOT have more than 256 characters'],
    ['x'.repeat(10_000), 'userId must NOT have more than 256 characters'],
    // 256 characters for people, 512 when counted as UTF-16 code units as events are.
    ['😀'.repeat(256), 'userId has 512 characters, 256 at most'],
    ['', 'userId must NOT have fewer than 1 characters'],
    [' ', 'userId is empty'],
  ])('rejects the id %.10s', async (userId, message) => {
    const response = await setUp({}).get(userId);
    expect([response.statusCode, response.json().detail]).toEqual([400, message]);
  });

  it('is 503 while the store is away, and 500 for a state it cannot read', async () => {
    const away = setUp({
      failure: new AppError('dependency_unavailable', 'redis connection lost', { retriable: true }),
    });
    expect((await away.get('anna')).statusCode).toBe(503);
    const garbage = setUp({ failure: new AppError('dependency_misconfigured', 'a state of version 9') });
    expect((await garbage.get('anna')).statusCode).toBe(500);
  });
});

describe('POST /v1/profiles/{userId}/retractions', () => {
  it('takes an event back, and names the features that keep it wherever they are read', async () => {
    const { retract, requests } = setUp({});
    const response = await retract('anna', { messageId: 'm', reason: 'ticket 4711', by: 'olga' });
    expect([response.statusCode, response.json()]).toMatchObject([
      200,
      { messageId: 'm', result: 'taken_back', event: null, inexact: ['orders_recency_days'] },
    ]);
    const key = pseudonymizer.toProfileKey({ userId: 'anna' });
    expect(requests).toMatchObject([
      { profile: { key }, messageId: 'm', reason: 'ticket 4711', by: 'olga', early: false },
    ]);
    expect((await retract('anna', { messageId: 'unknown' })).statusCode).toBe(404);
    const wrong = (await retract('anna', { early: 'yes', reason: 'x'.repeat(501) })).json().detail;
    for (const part of ['messageId', 'early', 'reason']) expect(wrong).toContain(part);
  });

  it('shows them in GET until their windows have passed it', async () => {
    const stored = toStored({ asOfMs: NOON });
    const order = { messageId: 'm', type: 'track', name: 'Order Completed', timestampMs: NOON };
    const event = { ...order, properties: { revenue: 9.99 } };
    const counted = { event, added: 'all' as const };
    const { state: engine } = specs.initial.takeBack(stored.engine, { messageId: 'm', counted, receivedAtMs: NOON });
    const { get, post, getProfile } = setUp({ profiles: { anna: { ...stored, engine } } });
    const { inexact, features } = (await get('anna')).json();
    expect(inexact).toEqual(['orders_recency_days', 'orders_tenure_days', 'orders_gap_mean_days']);
    expect(features).toMatchObject({ orders_count_all: 0, orders_revenue_sum_all: 0 });
    expect((await get('anna', 'names=orders_count_all,orders_tenure_days')).json().inexact).toEqual([
      'orders_tenure_days',
    ]);
    expect((await getProfile('anna')).json().inexact).toEqual(inexact);
    expect((await post({ userIds: ['anna', 'nobody'] })).json().profiles).toMatchObject([{ inexact }, { inexact: [] }]);
  });
});

describe('GET /v1/profiles/{userId}', () => {
  it('answers who it is, also by the id of one that has joined it', async () => {
    const event = { type: 'identify', name: '', atMs: NOON };
    const traits = [{ name: 'plan', value: { kind: 'text', text: 'pro' } as const }];
    const about = addSaid(NOTHING_KNOWN, { event, traits, accountId: 'acme' });
    const values = Array.from({ length: 9 }, (_, index) => [NOON + index, 20 + index] as const);
    const outliers = [{ event: 'Order Completed', property: 'revenue', values, flagged: 1 }];
    const reported = { id: 'acme', asOfMs: NOON, values: { 'account.traits.seats': 12 } };
    const anna = { ...toStored({ asOfMs: NOON }), about, timeZone: 'Asia/Tokyo', account: reported, outliers };
    const { getProfile } = setUp({ profiles: { anna, bert: toForwarder('anna') } });
    const at = '2024-05-15T12:00:00.000Z';
    const expected = {
      known: true,
      profileKey: pseudonymizer.toProfileKey({ userId: 'anna' }),
      timeZone: 'Asia/Tokyo',
      lastEventAt: at,
      traits: [{ name: 'plan', type: 'text', value: 'pro', at, before: [] }],
      account: { id: 'acme', since: at },
      reported: { asOf: at, values: { 'account.traits.seats': 12 } },
      outliers: [{ event: 'Order Completed', property: 'revenue', flagged: 1, median: 24 }],
      events: [{ type: 'identify', name: '', at }],
    };
    expect((await getProfile('anna')).json()).toMatchObject({ userId: 'anna', ...expected });
    expect((await getProfile('bert')).json()).toMatchObject({ userId: 'bert', ...expected });
    expect((await getProfile('anna')).json().features).toMatchObject({ orders_count_all: 1 });
  });

  it('answers for nobody, and for a state from before this was kept', async () => {
    const anna = toStored({ asOfMs: NOON });
    const { getProfile } = setUp({ profiles: { anna, tagged: { ...anna, lastEventAtMs: 0 } } });
    const nothing = { traits: [], account: null, reported: null, tops: {}, events: [] };
    expect((await getProfile('anna')).json()).toMatchObject({ known: true, ...nothing });
    for (const id of ['tagged', 'nobody'])
      expect((await getProfile(id)).json()).toMatchObject({ known: false, lastEventAt: null, ...nothing });
    expect((await getProfile(' ')).statusCode).toBe(400);
  });
});

describe('GET /v1/accounts/{groupId}', () => {
  it('answers what its members did, how many they are, and when it reported to them', async () => {
    const event = { type: 'group', name: '', atMs: NOON };
    const traits = [{ name: 'seats', value: { kind: 'number', number: 12 } as const }];
    const about = addSaid(NOTHING_KNOWN, { event, traits, accountId: undefined });
    const group = { members: ['a', 'b'], cutOff: 3, reported: {}, reportedAtMs: NOON };
    const { getAccount } = setUp({ accounts: { acme: { ...toStored({ asOfMs: NOON }), about, group } } });
    const at = '2024-05-15T12:00:00.000Z';
    expect((await getAccount('acme')).json()).toMatchObject({
      groupId: 'acme',
      known: true,
      accountKey: pseudonymizer.toProfileKey({ accountId: 'acme' }),
      lastEventAt: at,
      traits: [{ name: 'seats', value: 12 }],
      members: { count: 2, cutOff: 3, reportedAt: at },
      features: { orders_count_all: 1 },
      events: [{ type: 'group', at }],
    });
  });

  it('answers for one that nobody is in, and is no way to profiles', async () => {
    const { getAccount } = setUp({ profiles: { anna: toStored({ asOfMs: NOON }) } });
    expect((await getAccount('anna')).json()).toMatchObject({
      known: false,
      members: { count: 0, cutOff: 0, reportedAt: null },
    });
    expect((await getAccount(' ')).statusCode).toBe(400);
  });
});

describe('POST /v1/features', () => {
  it('answers in the order asked, repeats and unknown ones included, with one read', async () => {
    const { post, reads } = setUp({
      profiles: { a: toStored({ asOfMs: NOON }), b: toStored({ asOfMs: LOG_TIME + 5 }) },
    });
    const response = await post({ userIds: ['b', 'x', 'a', 'b', 7] });
    expect(response.statusCode).toBe(200);
    const { profiles } = response.json() as { profiles: Array<{ userId: string; known: boolean }> };
    expect(profiles.map(({ userId, known }) => [userId, known])).toEqual([
      ['b', true],
      ['x', false],
      ['a', true],
      ['b', true],
      ['7', false],
    ]);
    expect(reads).toEqual([5]);
  });

  it('takes none, and a thousand of the longest', async () => {
    const { post } = setUp({});
    expect((await post({ userIds: [] })).json()).toEqual({ profiles: [], units: {} });
    const userIds = Array.from({ length: 1000 }, (_, i) => `${i}${'漢'.repeat(252)}`);
    const response = await post({ userIds });
    expect(response.statusCode).toBe(200);
    expect(response.json().profiles).toHaveLength(1000);
  });

  it.each([
    [{}, 'userIds is missing'],
    [[], 'the body must be object'],
    ['"a"', 'the body must be object'],
    [{ userIds: 'a' }, 'userIds must be array'],
    [{ userIds: ['a', null] }, 'userIds/1 must be string,integer'],
    [{ userIds: ['a', 'b', ''] }, 'userIds/2 must NOT have fewer than 1 characters'],
    [{ userIds: ['x'.repeat(257)] }, 'userIds/0 must NOT have more than 256 characters'],
    [{ userIds: Array(1001).fill('a') }, 'userIds must NOT have more than 1000 items'],
    ['{"userIds":', ''],
  ])('rejects %.40j', async (body, message) => {
    const response = await setUp({}).post(body);
    expect(response.statusCode).toBe(400);
    expect(response.json().detail).toContain(message);
  });
});

interface Fixture {
  /** States by user id. */
  readonly profiles?: Record<string, StoredProfile>;
  readonly accounts?: Readonly<Record<string, StoredProfile>>;
  readonly failure?: Error;
  readonly inForce?: ReadonlyMap<string, Rollout>;
}

function setUp({ profiles = {}, accounts = {}, failure, inForce = new Map() }: Fixture) {
  const byKey = new Map([
    ...Object.entries(profiles).map(([userId, state]) => [pseudonymizer.toProfileKey({ userId }), state] as const),
    ...Object.entries(accounts).map(
      ([accountId, state]) => [pseudonymizer.toProfileKey({ accountId }), state] as const,
    ),
  ]);
  const reads: number[] = [];
  const readStates: ReadStates<StoredProfile> = async (keys) => {
    if (failure !== undefined) throw failure;
    reads.push(keys.length);
    return keys.map((key) => ({ state: byKey.get(key), logTimeMs: LOG_TIME, inForce }));
  };
  const { requests, retractor } = createRetractor();
  const metrics = createMetrics({ service: 'feature-store', namespace: 'live', processMetrics: false });
  const server = createTestServer();
  // As if another instance had put it in force: this instance has not read it yet.
  const loadSpecs = async () => void specs.add('artifact-2', GROWN);
  addIdentityRoutes(server, { readStates, pseudonymizer, loadIdentity: async () => INITIAL_RULES });
  addRetractionRoutes(server, { retractor: { ...retractor, stop: () => undefined }, pseudonymizer });
  addTagRoutes(server, {} as never);
  addFeatureRoutes(server, {
    readStates,
    pseudonymizer,
    telemetry: createFeatureTelemetry(metrics),
    specs,
    loadSpecs,
    loadRates: async () => INITIAL_RATES,
    fills: createFills({ load: async () => Buffer.alloc(0) }, specs),
  });
  return {
    server,
    reads,
    requests,
    retract: (userId: string, body: object, headers = TEST_AUTHORIZATION) =>
      server.inject({
        method: 'POST',
        url: `/v1/profiles/${encodeURIComponent(userId)}/retractions`,
        headers: { 'content-type': 'application/json', ...headers },
        payload: JSON.stringify(body),
      }),
    text: () => metrics.registry.metrics(),
    get: (userId: string, query = '') =>
      server.inject({ url: `/v1/features/${encodeURIComponent(userId)}?${query}`, headers: TEST_AUTHORIZATION }),
    getProfile: (userId: string) =>
      server.inject({ url: `/v1/profiles/${encodeURIComponent(userId)}`, headers: TEST_AUTHORIZATION }),
    getAccount: (groupId: string) =>
      server.inject({ url: `/v1/accounts/${encodeURIComponent(groupId)}`, headers: TEST_AUTHORIZATION }),
    post: (body: unknown) =>
      server.inject({
        method: 'POST',
        url: '/v1/features',
        headers: { 'content-type': 'application/json', ...TEST_AUTHORIZATION },
        payload: typeof body === 'string' ? body : must(JSON.stringify(body), 'body'),
      }),
  };
}

/** Takes back whatever is asked for, but for one id. */
function createRetractor() {
  const requests: RetractionRequest[] = [];
  const retractor = {
    retract: async (request: RetractionRequest): Promise<RetractionAnswer> => {
      requests.push(request);
      const { messageId, profile } = request;
      if (messageId === 'unknown')
        throw new AppError('not_found', 'no event of this profile has the message id unknown');
      return {
        profileKey: profile.key,
        messageId,
        result: 'taken_back',
        event: null,
        inexact: ['orders_recency_days'],
      };
    },
  };
  return { requests, retractor };
}

function toForwarder(userId: string): StoredProfile {
  const to = { key: pseudonymizer.toProfileKey({ userId }), strength: ID_STRENGTHS.user, subject: Buffer.from('s') };
  return { node: { kind: 'forwarder', to, sinceMs: NOON }, profile: undefined };
}

function toStored({ asOfMs }: { asOfMs: number }): ProfileState {
  const order = {
    messageId: 'm',
    type: 'track',
    name: 'Order Completed',
    timestampMs: NOON,
    properties: { revenue: 9.99 },
  };
  const engine = apply(advance(empty, asOfMs), order).state;
  const { validUntilMs } = specs.initial.vector(engine, asOfMs);
  return { engine, subject: Buffer.from('s'), timeZone: '', lastEventAtMs: NOON, validUntilMs };
}
