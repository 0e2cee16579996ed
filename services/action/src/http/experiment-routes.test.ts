import { describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { createTestServer } from '@perennial/service-host/testing';
import type { Exposures } from '../adapters/exposures.js';
import { addExperimentRoutes } from './experiment-routes.js';

function open() {
  const asked: unknown[] = [];
  const at = new Date(0).toISOString();
  const exposures: Exposures = {
    insert: async () => undefined,
    async list(experiment, range) {
      asked.push([experiment, range]);
      return ['a', 'b', 'c']
        .map((profileKey) => ({ profileKey, arm: 'usual', propensity: 0.5, firstAt: at }))
        .filter(({ profileKey }) => profileKey > (range.after?.profileKey ?? ''))
        .slice(0, range.limit);
    },
    totals: async () => [
      { experiment: 'size', layer: 'default', arm: 'usual', propensity: 0.5, profiles: 3, firstAt: at, lastAt: at },
    ],
  };
  const server = createTestServer();
  addExperimentRoutes(server, { exposures, exposureLag: () => 4 });
  return { asked, ask: (url: string) => server.inject({ url, headers: TEST_AUTHORIZATION }) };
}

describe('experiment routes', () => {
  it('count arms, and say what is not counted yet', async () => {
    const reply = (await open().ask('/v1/experiments')).json();
    expect(reply).toMatchObject({ arms: [{ experiment: 'size', profiles: 3 }], lag: 4 });
  });

  it('list exposures page by page', async () => {
    const { ask, asked } = open();
    const first = (await ask('/v1/experiments/size/exposures?limit=2')).json();
    expect(first.exposures).toHaveLength(2);
    const second = (await ask(`/v1/experiments/size/exposures?limit=2&cursor=${first.next}`)).json();
    expect(second).toMatchObject({ exposures: [{ profileKey: 'c' }], next: null });
    expect(asked[0]).toEqual(['size', { after: undefined, limit: 3 }]);
  });

  it('reject a cursor of another list', async () => {
    expect((await open().ask('/v1/experiments/size/exposures?cursor=eA')).statusCode).toBe(400);
  });
});
