import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createApiClient } from './client.js';

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

describe('the API client', () => {
  let server: Server;
  let asked: Array<Pick<IncomingMessage, 'method' | 'url' | 'headers'> & { readonly body: string }>;
  let reply: Reply | 'silence';

  beforeEach(async () => {
    asked = [];
    reply = { body: '{}' };
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      if (reply !== 'silence') response.writeHead(reply.status ?? 200, reply.headers).end(reply.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  function open(options: { timeoutMs?: number; signal?: AbortSignal } = {}) {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const services: string[] = [];
    const urlOf = (service: string) => {
      services.push(service);
      return url;
    };
    return { client: createApiClient({ urlOf, token: 'pt_x', ...options }), services };
  }

  it('puts each part where it belongs', async () => {
    const { client, services } = open();
    await client.call('getFeatures', { path: { userId: 'ada & co/1' }, query: {} });
    await client.call('listActions', { query: { userId: 'ada & co', limit: 5 } });
    await client.call('getFeaturesOfMany', { body: { userIds: ['ada'] } });
    await client.call('countStages');
    expect(services).toEqual(['feature-store', 'action', 'feature-store', 'scoring']);
    expect(asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/v1/features/ada%20%26%20co%2F1', ''],
      ['GET', '/v1/actions?userId=ada+%26+co&limit=5', ''],
      ['POST', '/v1/features', '{"userIds":["ada"]}'],
      ['GET', '/v1/stages', ''],
    ]);
    for (const { headers } of asked) expect(headers.authorization).toBe('Bearer pt_x');
  });

  it('gives the answer as it is described', async () => {
    reply = { body: '{"mode":"events","logTime":null}' };
    const { mode, logTime } = await open().client.call('getClock');
    expect([mode, logTime]).toEqual(['events', null]);
  });

  it.each([
    [403, '{"code":"forbidden","detail":"no scope"}', { code: 'forbidden', retriable: false }],
    [409, '{"code":"conflict","detail":"wall clock"}', { code: 'conflict', retriable: false }],
    [503, '{"code":"dependency_unavailable","detail":"away"}', { code: 'dependency_unavailable', retriable: true }],
    [500, '{"code":"internal","detail":"internal error"}', { code: 'dependency_unavailable', retriable: true }],
    [502, '<html>', { code: 'dependency_unavailable', retriable: true }],
    [404, 'not here', { code: 'not_found', retriable: false }],
    [418, 'teapot', { code: 'contract_violation', retriable: false }],
  ])('makes an AppError of %i %s', async (status, body, error) => {
    reply = { status, body, headers: { 'retry-after': '2' } };
    await expect(open().client.call('getClock')).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining(`ingest answers ${status}`),
      details: { status, retryAfterMs: 2_000 },
    });
  });

  it('gives up on silence, on nobody, and when it is asked to', async () => {
    reply = 'silence';
    const silent = open({ timeoutMs: 20 }).client.call('getClock');
    await expect(silent).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
    const controller = new AbortController();
    const pending = open({ signal: controller.signal }).client.call('getClock');
    controller.abort();
    await expect(pending).rejects.toMatchObject({ code: 'timeout', retriable: false });
    const nobody = createApiClient({ urlOf: () => 'http://127.0.0.1:1', token: 'pt_x' });
    await expect(nobody.call('getClock')).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
  });
});
