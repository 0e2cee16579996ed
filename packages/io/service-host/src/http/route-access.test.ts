import { afterEach, describe, expect, it } from '@jest/globals';
import { createAccess } from '@perennial/access';
import { createTestAccess, TEST_AUTHORIZATION, TEST_TOKEN } from '@perennial/access/testing';
import { AppError } from '@perennial/kernel';
import { createTestServer } from '@perennial/service-host/testing';
import type { FastifyInstance } from 'fastify';
import type { RouteAccess } from './route-access.js';

describe('access to routes', () => {
  const servers: FastifyInstance[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  function create(...options: Parameters<typeof createTestServer>): FastifyInstance {
    const server = createTestServer(...options);
    servers.push(server);
    return server;
  }

  function createWithRoutes(...options: Parameters<typeof createTestServer>): FastifyInstance {
    const server = create(...options);
    for (const access of ['open', 'write-key', 'read', 'write', 'operate'] satisfies RouteAccess[]) {
      server.get(`/${access}`, { config: { access } }, () => ({ ok: true }));
      server.post(`/${access}`, { config: { access } }, () => ({ ok: true }));
    }
    return server;
  }

  it('is declared by every route, or the server does not start', async () => {
    expect(() => create().get('/forgotten', () => 'x')).toThrow('GET /forgotten does not declare config.access');
    const nested = create();
    void nested.register(async (scope) => {
      scope.post('/forgotten', () => 'x');
    });
    await expect(nested.ready()).rejects.toThrow('POST /forgotten does not declare config.access');
  });

  it('needs a token but where it is open', async () => {
    const server = createWithRoutes();
    for (const url of ['/open', '/write-key', '/health/live', '/health/ready', '/metrics']) {
      expect([url, (await server.inject(url)).statusCode]).toEqual([url, 200]);
    }
    for (const url of ['/read', '/write', '/operate']) {
      for (const method of ['GET', 'HEAD', 'POST'] as const) {
        expect([url, method, (await server.inject({ method, url })).statusCode]).toEqual([url, method, 401]);
        expect((await server.inject({ method, url, headers: TEST_AUTHORIZATION })).statusCode).toBe(200);
      }
    }
    expect((await server.inject('/nowhere')).statusCode).toBe(404);
  });

  it('says what was wrong with a token', async () => {
    const server = createWithRoutes({ access: createTestAccess(['read']) });
    const ask = async (url: string, authorization?: string) => {
      const reply = await server.inject({ url, headers: authorization === undefined ? {} : { authorization } });
      return [reply.statusCode, reply.headers['www-authenticate'], reply.json().code];
    };
    expect(await ask('/read')).toEqual([401, 'Bearer realm="perennial"', 'unauthenticated']);
    for (const header of [`Bearer ${TEST_TOKEN}x`, 'Bearer x', `Basic ${TEST_TOKEN}`, 'Bearer', 'Bearer a b']) {
      expect(await ask('/read', header)).toEqual([401, 'Bearer error="invalid_token"', 'unauthenticated']);
    }
    const lacks = [403, 'Bearer error="insufficient_scope", scope="operate"', 'forbidden'];
    expect(await ask('/operate', TEST_AUTHORIZATION.authorization)).toEqual(lacks);
    expect((await ask('/read', `bearer ${TEST_TOKEN}`))[0]).toBe(200);
  });

  it('reads no body of a stranger', async () => {
    const server = createWithRoutes();
    const headers = { 'content-type': 'application/json' };
    expect((await server.inject({ method: 'POST', url: '/read', headers, payload: '{' })).statusCode).toBe(401);
  });

  it('answers 503 while the store is away and the token is not remembered', async () => {
    const away = new AppError('dependency_unavailable', 'PostgreSQL is away', { retriable: true });
    const server = createWithRoutes({ access: createAccess({ findByHash: () => Promise.reject(away) }) });
    const reply = await server.inject({ url: '/read', headers: TEST_AUTHORIZATION });
    expect([reply.statusCode, reply.headers['retry-after']]).toEqual([503, '1']);
  });

  it('closes /metrics where configuration says so', async () => {
    const server = create({ metricsAccess: 'token' });
    expect((await server.inject('/metrics')).statusCode).toBe(401);
    expect((await server.inject({ url: '/metrics', headers: TEST_AUTHORIZATION })).statusCode).toBe(200);
  });
});
