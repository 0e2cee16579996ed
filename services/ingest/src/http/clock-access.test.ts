import { describe, expect, it } from '@jest/globals';
import { SCOPES, type Scope } from '@perennial/access';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { createIngestHarness, WRITE_KEY } from '../testing/fakes.js';

/** The clock of a namespace moves every profile: an operator's token, not a write key, which is in every page. */
describe('who may use /v1/clock', () => {
  const ask = async (method: 'GET' | 'POST', headers: Record<string, string>, scopes?: readonly Scope[]) => {
    const { server } = createIngestHarness(scopes === undefined ? {} : { scopes });
    const request = { method, url: '/v1/clock', headers, ...(method === 'POST' && { payload: { to: '2026-01-01' } }) };
    const { statusCode } = await server.inject(request);
    await server.close();
    return statusCode;
  };

  it.each(SCOPES)('with the scope %s', async (scope) => {
    expect(await ask('GET', TEST_AUTHORIZATION, [scope])).toBe(scope === 'read' ? 200 : 403);
    // In wall mode an operator is answered that there is nothing to move.
    expect(await ask('POST', TEST_AUTHORIZATION, [scope])).toBe(scope === 'operate' ? 409 : 403);
  });

  it.each([
    ['nothing', {}],
    ['a write key', { authorization: `Bearer ${WRITE_KEY}` }],
    ['a write key as user', { authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}` }],
  ])('not with %s', async (_name, headers) => {
    expect(await ask('GET', headers as Record<string, string>)).toBe(401);
    expect(await ask('POST', headers as Record<string, string>)).toBe(401);
  });
});
