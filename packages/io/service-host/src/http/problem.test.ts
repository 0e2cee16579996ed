import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { createTestServer } from '@perennial/service-host/testing';
import { toProblemReply } from './problem.js';

describe('problem details', () => {
  it.each([
    ['contract_violation', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['not_found', 404],
    ['conflict', 409],
    ['limit_exceeded', 413],
    ['dependency_unavailable', 503],
  ] as const)('give %s the status %i', (code, status) => {
    const { problem } = toProblemReply(new AppError(code, 'what happened'), '/v1/x');
    expect(problem).toMatchObject({ type: `urn:perennial:problem:${code}`, status, code, detail: 'what happened' });
    expect(problem.instance).toBe('/v1/x');
  });

  it('hide what is internal', () => {
    for (const error of [new Error('password 1'), new AppError('data_damaged', 'password 1'), 'password 1']) {
      const { problem } = toProblemReply(error, '/');
      expect(problem).toMatchObject({ status: 500, code: 'internal', detail: 'internal error' });
    }
  });

  it('name each field that validation rejects', async () => {
    const server = createTestServer();
    const body = { type: 'object', required: ['ids'], properties: { ids: { type: 'array', minItems: 2 } } };
    server.post('/things', { schema: { body }, config: { access: 'open' } }, () => 'never');
    const ask = async (payload: object) => (await server.inject({ method: 'POST', url: '/things', payload })).json();
    expect(await ask({})).toMatchObject({
      status: 400,
      code: 'contract_violation',
      detail: 'ids is missing',
      errors: [{ in: 'body', field: 'ids', detail: 'is missing' }],
    });
    expect(await ask({ ids: [1] })).toMatchObject({ errors: [{ in: 'body', field: 'ids' }] });
    await server.close();
  });
});
