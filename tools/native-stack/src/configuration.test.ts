import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { LOGGING, toServerProperties } from './kafka.js';
import { checkNode, parseJavaVersion, toDiskCheck } from './machine.js';
import { toPom } from './maven.js';
import { isPortFree, pickPort, requirePort } from './ports.js';
import { toPostgresSettings } from './postgres.js';
import { toRedisConfiguration } from './redis.js';
import { createStackState, toEndpoints } from './stack-state.js';

describe('configuration of the parts', () => {
  it('has Kafka listen on loopback only, with one replica and no waiting group', () => {
    const text = toServerProperties({ port: 1111, controllerPort: 2222, dataDir: '/d' });
    expect(text).toContain('listeners=PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222\n');
    expect(text).toContain('group.initial.rebalance.delay.ms=0\n');
    expect(text).toContain('auto.create.topics.enable=false\n');
  });

  it('sends the clients of a detour to the proxy', () => {
    const kafkaDetour = { port: 3333, advertisedPort: 4444 };
    const text = toServerProperties({ port: 1111, controllerPort: 2222, kafkaDetour, dataDir: '/d' });
    expect(text).toContain(
      'listeners=PLAINTEXT://127.0.0.1:1111,DETOUR://127.0.0.1:3333,CONTROLLER://127.0.0.1:2222\n',
    );
    expect(text).toContain('advertised.listeners=PLAINTEXT://127.0.0.1:1111,DETOUR://127.0.0.1:4444\n');
  });

  it('has Redis make every commit durable and evict nothing', () => {
    const text = toRedisConfiguration({ port: 1, dataDir: '/with space', password: 'secret' });
    for (const line of [
      'appendfsync always',
      'maxmemory-policy noeviction',
      'requirepass secret',
      'dir "/with space"',
      'bind 127.0.0.1',
      'loglevel warning',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('has each part write its log to its output, which is kept small, and to no file of its own', () => {
    expect(LOGGING.match(/\.type=\w+/g)).toEqual(['.type=Console', '.type=PatternLayout']);
    const postgres = toPostgresSettings({ port: 1, ephemeral: false });
    expect(postgres.split('\n')).toEqual(
      expect.arrayContaining(['logging_collector = off', "log_destination = 'stderr'"]),
    );
    expect(toRedisConfiguration({ port: 1, dataDir: '/d', password: 'x' })).not.toMatch(/^(logfile|syslog)/m);
  });

  it('gives up durability of PostgreSQL only for data that is thrown away', () => {
    expect(toPostgresSettings({ port: 1, ephemeral: false })).not.toContain('fsync');
    expect(toPostgresSettings({ port: 1, ephemeral: true })).toContain('fsync = off');
  });

  it('writes a project that depends on the artifacts', () => {
    expect(toPom(['g:a:1'])).toContain(
      '<dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version></dependency>',
    );
  });

  it('gives each stack its own passwords, and endpoints once it has ports', () => {
    const one = createStackState({ name: 'a', dataDir: '/d', owner: null });
    const two = createStackState({ name: 'a', dataDir: '/d', owner: null });
    expect(one.passwords.redis).not.toBe(two.passwords.redis);
    expect(toEndpoints(one)).toBeUndefined();
    one.ports = { kafka: 1, redis: 2, postgres: 3 };
    expect(toEndpoints(one)?.kafkaBrokers).toBe('127.0.0.1:1');
  });
});

describe('machine', () => {
  it.each([
    ['20.19.0', true],
    ['20.18.9', false],
    ['24.0.0', true],
    ['18.20.0', false],
  ])('Node.js %s is new enough: %s', (version, ok) => expect(checkNode(version).ok).toBe(ok));

  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_292"', 8],
    ['command not found', undefined],
    [undefined, undefined],
  ])('reads %j as Java %s', (output, major) => expect(parseJavaVersion(output)).toBe(major));

  it('names a disk that is nearly full, and what to do', () => {
    expect(toDiskCheck('/srv/perennial', 0.25 * 1024 ** 3)).toEqual({
      what: 'disk space',
      ok: false,
      found: '0.3 GB free at /srv/perennial',
      remedy: expect.stringMatching(/the disk of \/srv\/perennial is nearly full: free \d+ GB, or put PERENNIAL_HOME/),
    });
    expect(toDiskCheck('/srv/perennial', 100 * 1024 ** 3)).toMatchObject({ ok: true, remedy: null });
  });

  it('names a port that is taken, and picks another where it may', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    expect(await isPortFree(port)).toBe(false);
    expect(await pickPort(port)).not.toBe(port);
    await expect(requirePort(port, { owner: 'Kafka', option: '--kafka-port' })).rejects.toThrow(
      `port ${port} for Kafka is taken`,
    );
    server.close();
  });
});
