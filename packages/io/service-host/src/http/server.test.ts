import { afterEach, describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { createTestServer } from '@perennial/service-host/testing';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from './health-routes.js';
import { listen } from './listen.js';

const open = { config: { access: 'open' } } as const;

describe('http server', () => {
  const servers: FastifyInstance[] = [];
  let readiness: Readiness = { ready: true, reasons: [] };

  function create(): FastifyInstance {
    const server = createTestServer({ readiness: () => readiness });
    servers.push(server);
    return server;
  }

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  it('tells health, readiness with reasons, and metrics by route', async () => {
    const server = create();
    server.get('/users/:id', open, () => ({ ok: true }));
    expect((await server.inject('/health/live')).statusCode).toBe(200);
    readiness = { ready: false, reasons: ['kafka is away'], notes: ['a source repeats'] };
    const ready = await server.inject('/health/ready');
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toEqual({ ready: false, reasons: ['kafka is away'], notes: ['a source repeats'] });
    await server.inject('/users/42');
    const metrics = (await server.inject('/metrics')).body;
    expect(metrics).toContain('route="/users/:id"');
    expect(metrics).not.toContain('42"');
    expect(metrics).toMatch(/^service_ready\{.*\} 0$/m);
  });

  it('maps errors, hiding what is internal', async () => {
    const server = create();
    server.get('/away', open, () => {
      throw new AppError('dependency_unavailable', 'kafka is away', { retriable: true });
    });
    server.get('/broken', open, () => {
      throw new Error('password is 123');
    });
    const away = await server.inject('/away');
    expect(away.statusCode).toBe(503);
    expect(away.headers['retry-after']).toBe('1');
    const broken = await server.inject('/broken');
    expect(broken.statusCode).toBe(500);
    expect(broken.body).not.toContain('123');
    expect(broken.json()).toMatchObject({ status: 500, code: 'internal', detail: 'internal error' });
    const nowhere = await server.inject('/nowhere?secret=1');
    expect(nowhere.headers['content-type']).toBe('application/problem+json');
    expect(nowhere.json()).toEqual({
      type: 'urn:perennial:problem:not_found',
      title: 'Not Found',
      status: 404,
      detail: 'there is no route GET /nowhere',
      instance: '/nowhere',
      code: 'not_found',
    });
    expect(
      (
        await server.inject({
          method: 'POST',
          url: '/health/live',
          payload: '{',
          headers: { 'content-type': 'application/json' },
        })
      ).statusCode,
    ).toBe(400);
  });

  it('stops as soon as the requests in flight are answered, whatever their connections would keep', async () => {
    const server = create();
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    let entered = false;
    let stopping = false;
    server.addHook('preClose', async () => {
      stopping = true;
    });
    server.get('/slow', open, async () => {
      entered = true;
      while (!stopping) await wait(5);
      return { ok: true };
    });
    const url = await listen(server, { host: '127.0.0.1', port: 0 });
    const pending = fetch(`${url}/slow`);
    while (!entered) await wait(5);
    const closed = server.close();
    expect((await pending).headers.get('connection')).toBe('close');
    await closed;
  });

  it('names a taken port and the variable', async () => {
    const url = await listen(create(), { host: '127.0.0.1', port: 0 });
    const port = Number(new URL(url).port);
    await expect(listen(create(), { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringMatching(new RegExp(`${port}.*PORT`)),
    });
  });
});
