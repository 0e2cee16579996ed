import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { requireValid } from '@perennial/expressions';
import { AppError, must } from '@perennial/kernel';
import { type ModelManifest, parseManifest } from '@perennial/model-manifest';
import { createPseudonymizer } from '@perennial/privacy';
import { parseSegments } from '@perennial/segments';
import type { FastifyInstance } from '@perennial/service-host';
import { createTestServer, listContract, listRoutes } from '@perennial/service-host/testing';
import type { SegmentStore } from '../adapters/segment-store.js';
import type { TransitionStore } from '../adapters/transition-store.js';
import type { ScoringState } from '../domain/state.js';
import { OPERATIONS } from './operations.js';
import { addScoringRoutes } from './routes.js';

const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const state: ScoringState = {
  asOfMs: 1_700_000_000_000,
  specHash: '',
  values: [],
  lastEventAtMs: 0,
  subject: Buffer.alloc(0),
  timeZone: '',
  attributes: [],
  stage: { stage: 'loyal', sinceMs: 1_690_000_000_000, number: 5 },
  nextCheckAtMs: undefined,
  scores: { modelHash: 'm1', values: [0.5, 0.25] },
  segments: { number: 1, members: [{ name: 'buyers', sinceMs: 1_690_000_000_000 }], waiting: [] },
};
const manifests = new Map([['m1', toManifest('renewal', 'lifetime_value')]]);

function toManifest(...names: string[]): ModelManifest {
  const parsed = parseManifest({
    formatVersion: 2,
    name: 'small',
    kind: 'tabular',
    file: { name: 'model.onnx', sha256: 'a'.repeat(64) },
    inputs: [{ name: 'features', dtype: 'float32', shape: [null, 1] }],
    outputs: [{ name: 'all', dtype: 'float32', shape: [null, names.length] }],
    features: [{ name: 'visits_7d', hash: 'a'.repeat(64) }],
    heads: names.map((name, column) => ({ name, output: 'all', column, meaning: name, kind: 'number' })),
  });
  if ('problems' in parsed) throw new Error(parsed.problems.join());
  return parsed.manifest;
}

const ADA = pseudonymizer.toProfileKey({ userId: 'ada' });
const ADA_STATE: ScoringState = {
  ...state,
  subject: pseudonymizer.seal('ada'),
  segments: {
    number: 2,
    members: [
      { name: 'buyers', sinceMs: 1 },
      { name: 'vip', sinceMs: 2 },
    ],
    waiting: [],
  },
};

const RULES = requireValid(
  parseSegments(
    `version: 1
segments:
  buyers: { when: features.orders_count_all >= 1, description: Has ordered }
  basket: { did: { type: track, name: Product Added }, butNot: { type: page }, within: 1h }
tags: { vip: { kind: manual, owner: sales } }
`,
    { fileName: 'segments.yaml', featureNames: ['orders_count_all'] },
  ),
);

const segments: SegmentStore = {
  insert: async () => undefined,
  countMembers: async () => ({ buyers: 2, big_spenders: 4, nobody: 0 }),
  listMembers: async (segment, { after, limit }) =>
    ['', ADA, 'gone']
      .filter((profileKey) => segment === 'buyers' && profileKey > (after ?? ''))
      .map((profileKey) => ({ profileKey, since: '2026-03-01T12:00:00.000Z' }))
      .slice(0, limit),
  listChanges: async () => [],
};

let server: FastifyInstance;
let store: TransitionStore;

beforeEach(() => {
  store = {
    insert: async () => undefined,
    countStages: async () => ({ loyal: 2, new: 3 }),
    list: async () => [],
  };
  server = createTestServer();
  const states = new Map([
    [pseudonymizer.toProfileKey({ userId: 'ada & co/1' }), state],
    [ADA, ADA_STATE],
  ]);
  addScoringRoutes(server, {
    pseudonymizer,
    readStates: async (keys) => keys.map((key) => ({ state: states.get(key), logTimeMs: 0, inForce: new Map() })),
    loadManifest: async (hash) => must(manifests.get(hash), hash),
    transitions: { ...store, countStages: () => store.countStages() },
    lag: () => 7,
    segments,
    segmentLag: () => 3,
    loadSegments: async () => ({ rules: RULES, number: 2 }),
    loadPopulation: () => Promise.reject(new Error('no population in this test')),
  });
});
afterEach(() => server.close());

const ask = (url: string) => server.inject({ url, headers: TEST_AUTHORIZATION });

describe('scoring routes', () => {
  it('are those of the contract', () => expect(listRoutes(server)).toEqual(listContract(OPERATIONS)));

  it('answers a profile by its external id', async () => {
    const reply = await ask(`/v1/profiles/${encodeURIComponent('ada & co/1')}`);
    expect(reply.json()).toEqual({
      userId: 'ada & co/1',
      known: true,
      asOf: '2023-11-14T22:13:20.000Z',
      stage: 'loyal',
      since: '2023-07-22T04:26:40.000Z',
      transitionNumber: 5,
      nextCheckAt: null,
      scores: { renewal: 0.5, lifetime_value: 0.25 },
      segments: [{ name: 'buyers', since: '2023-07-22T04:26:40.000Z' }],
    });
  });

  it('answers a stranger as unknown', async () => {
    const reply = await ask('/v1/profiles/nobody');
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toMatchObject({
      userId: 'nobody',
      known: false,
      stage: null,
      transitionNumber: 0,
      scores: null,
    });
  });

  it('counts stages, and says how far behind the count is', async () => {
    expect((await ask('/v1/stages')).json()).toEqual({
      profiles: 5,
      stages: { loyal: 2, new: 3 },
      transitionsNotYetCounted: 7,
    });
  });

  it('lists the segments in force and those that still have members, and says how far behind the counts are', async () => {
    const pattern = { kind: 'segment', owner: '', minStayMs: 0, maxStayMs: null, leave: null };
    expect((await ask('/v1/segments')).json()).toEqual({
      version: 2,
      segments: [
        {
          name: 'buyers',
          members: 2,
          definition: {
            ...pattern,
            description: 'Has ordered',
            when: 'features.orders_count_all >= 1',
            sequence: null,
          },
        },
        {
          name: 'basket',
          members: 0,
          definition: {
            ...pattern,
            description: '',
            when: null,
            sequence: {
              did: { type: 'track', name: 'Product Added' },
              butNot: { type: 'page', name: null },
              withinMs: 3_600_000,
            },
          },
        },
        {
          name: 'vip',
          members: 0,
          definition: { ...pattern, kind: 'manual', owner: 'sales', description: '', when: null, sequence: null },
        },
        { name: 'big_spenders', members: 4, definition: null },
      ],
      population: null,
      thresholds: {},
      changesNotYetCounted: 3,
    });
  });

  it('pages the members of a segment, with the id of those that have one', async () => {
    const first = (await ask('/v1/segments/buyers/members?limit=1')).json() as { next: string };
    const since = '2026-03-01T12:00:00.000Z';
    expect(first).toMatchObject({
      segment: 'buyers',
      members: [{ profileKey: ADA, userId: 'ada', since, tags: ['vip'] }],
    });
    const second = (await ask(`/v1/segments/buyers/members?limit=1&cursor=${first.next}`)).json();
    expect(second).toEqual({
      segment: 'buyers',
      members: [{ profileKey: 'gone', userId: null, since, tags: [] }],
      next: null,
    });
    expect((await ask('/v1/segments/nobody/members')).json()).toEqual({ segment: 'nobody', members: [], next: null });
  });

  it('answers 503 while PostgreSQL is away', async () => {
    store = {
      ...store,
      countStages: () => Promise.reject(new AppError('dependency_unavailable', 'away', { retriable: true })),
    };
    expect((await ask('/v1/stages')).statusCode).toBe(503);
  });

  it('answers by the longest id that the front door takes, however it is written', async () => {
    const reply = await ask(`/v1/profiles/${encodeURIComponent('漢'.repeat(256))}`);
    expect(reply.json()).toMatchObject({ known: false });
  });

  it.each([
    '/v1/transitions',
    '/v1/transitions?userId=',
    '/v1/transitions?userId=a&userId=b',
    '/v1/transitions?userId=a&limit=0',
    '/v1/segment-changes',
    `/v1/segments/${'x'.repeat(64)}/members`,
    `/v1/profiles/${'x'.repeat(257)}`,
    '/v1/profiles/%20',
  ])('rejects %s', async (url) => {
    expect((await ask(url)).statusCode).toBe(400);
  });
});
