import { afterEach, describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import { createTestServer } from '@perennial/service-host/testing';
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { addOperation, defineOperation } from './operation.js';

const moveThing = defineOperation({
  id: 'moveThing',
  method: 'POST',
  path: '/things/{name}/moves',
  access: 'operate',
  summary: 'Moves it.',
  parameters: Type.Object({ name: Type.String({ maxLength: 5 }) }),
  query: Type.Object({ steps: Type.Optional(Type.Integer({ minimum: 1, default: 3 })) }),
  body: Type.Object({ to: Type.Array(Type.Integer(), { minItems: 1 }) }),
  answer: Type.Object({ moved: Type.String() }),
});

describe('an operation', () => {
  let server: FastifyInstance;
  afterEach(() => server.close());

  async function ask(url: string, payload: unknown) {
    server = createTestServer();
    addOperation(server, moveThing, async ({ path, query, body }) => ({
      moved: `${path.name} by ${query.steps} to ${body.to.join()}`,
    }));
    return server.inject({ method: 'POST', url, headers: TEST_AUTHORIZATION, payload: payload as object });
  }

  it('gives its handler each part as its schema says', async () => {
    expect((await ask('/things/a%2Fb/moves?steps=7', { to: [1, 2] })).json()).toEqual({ moved: 'a/b by 7 to 1,2' });
    expect((await ask('/things/x/moves', { to: [1] })).json()).toEqual({ moved: 'x by 3 to 1' });
  });

  it.each([
    ['/things/x/moves?steps=0', { to: [1] }, { in: 'query', field: 'steps', detail: 'must be >= 1' }],
    ['/things/x/moves?steps=many', { to: [1] }, { in: 'query', field: 'steps', detail: 'must be integer' }],
    [
      '/things/abcdef/moves',
      { to: [1] },
      { in: 'path', field: 'name', detail: 'must NOT have more than 5 characters' },
    ],
    ['/things/x/moves', {}, { in: 'body', field: 'to', detail: 'is missing' }],
    // Values in a body are not converted: "1" is not a number there.
    ['/things/x/moves', { to: ['1'] }, { in: 'body', field: 'to/0', detail: 'must be integer' }],
    ['/things/x/moves', { to: [] }, { in: 'body', field: 'to', detail: 'must NOT have fewer than 1 items' }],
  ])('rejects %s with %j', async (url, body, error) => {
    const reply = await ask(url, body);
    expect(reply.statusCode).toBe(400);
    expect(reply.json()).toMatchObject({ code: 'contract_violation', errors: [error] });
  });

  it('names every field at fault, twenty at most', async () => {
    expect((await ask('/things/x/moves', { to: ['a', 1, 'b'] })).json().errors).toHaveLength(2);
    expect((await ask('/things/x/moves', { to: Array(30).fill('a') })).json().errors).toHaveLength(20);
  });
});
