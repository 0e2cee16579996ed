import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toRedisCheck } from './machine.js';
import { findWriter } from './redis.js';
import { findRedis } from './redis-program.js';
import { canRead, hasKnownHoles, isUsable, parseRedisVersion, type RedisVersion } from './redis-version.js';

const redis = (version: string): RedisVersion => ({ name: 'Redis', version });
const valkey = (version: string): RedisVersion => ({ name: 'Valkey', version });

describe('version of a server', () => {
  it('is read from its own words', () => {
    expect(parseRedisVersion('Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=1')).toEqual(
      valkey('9.1.2'),
    );
    expect(parseRedisVersion('Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0')).toEqual(redis('7.0.15'));
    expect(parseRedisVersion('bash: redis-server: command not found')).toBeUndefined();
    expect([isUsable(redis('5.0.14')), isUsable(redis('6.2.6'))]).toEqual([false, true]);
  });

  it.each([
    [redis('6.2.6'), true],
    [redis('6.2.19'), true],
    [redis('6.2.20'), false],
    [redis('7.0.15'), true],
    [redis('7.2.10'), true],
    [redis('7.2.11'), false],
    [redis('8.0.3'), true],
    [redis('8.4.0'), false],
    [redis('10.0.0'), false],
    [valkey('7.2.10'), true],
    [valkey('8.0.2'), true],
    [valkey('8.1.4'), false],
    [valkey('9.1.2'), false],
  ])('%j has known holes: %s', (version, holes) => expect(hasKnownHoles(version)).toBe(holes));

  it.each([
    [valkey('9.1.2'), undefined, true],
    [valkey('9.1.2'), redis('6.2.6'), true],
    [valkey('9.1.2'), redis('7.2.11'), true],
    [valkey('9.1.2'), redis('7.4.6'), false],
    [redis('8.4.0'), valkey('9.1.2'), false],
    [redis('8.4.0'), redis('7.2.4'), true],
    [redis('7.2.4'), redis('8.4.0'), false],
    [valkey('8.1.4'), valkey('9.1.2'), false],
  ])('%j reads what %j wrote: %s', (server, writtenBy, reads) => expect(canRead(server, writtenBy)).toBe(reads));
});

describe('the server to start', () => {
  let folder: string;
  const path = process.env.PATH;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'redis-program-'));
    process.env.PATH = join(folder, 'bin');
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });

  function install(file: string, { name, version }: RedisVersion): void {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), `#!/bin/sh\necho '${name} server v=${version} sha=0'\n`);
    chmodSync(join(folder, file), 0o755);
  }
  const find = (writtenBy?: RedisVersion) => {
    const found = findRedis(join(folder, 'cache'), writtenBy);
    return found && `${found.name} ${found.version}`;
  };

  it('is one of the PATH, but not one with known holes where there is another', () => {
    expect(find()).toBeUndefined();
    install('cache/redis-jar-1.4.3/redis-server', redis('6.2.6'));
    expect(find()).toBe('Redis 6.2.6');
    install('bin/redis-server', redis('7.0.15'));
    expect(find()).toBe('Redis 7.0.15');
    install('cache/valkey-9.1.2.post2/valkey-server', valkey('9.1.2'));
    expect(find()).toBe('Valkey 9.1.2');
    install('bin/redis-server', redis('8.4.0'));
    expect(find()).toBe('Redis 8.4.0');
    install('bin/redis-server', redis('5.0.0'));
    expect(find()).toBe('Valkey 9.1.2');
  });

  it('is one that can read the data', () => {
    install('bin/redis-server', redis('8.4.0'));
    install('cache/valkey-9.1.2.post2/valkey-server', valkey('9.1.2'));
    expect(find(valkey('9.1.2'))).toBe('Valkey 9.1.2');
    expect(find(redis('8.0.0'))).toBe('Redis 8.4.0');
    expect(find(valkey('9.2.0'))).toBeUndefined();
  });

  it('is the one that wrote the data of an earlier version, where no other can read them', () => {
    const data = join(folder, 'data');
    const findFor = () => find(findWriter(data));
    install('bin/redis-server', redis('7.4.2'));
    install('cache/valkey-9.1.2.post2/valkey-server', valkey('9.1.2'));
    expect(findFor()).toBe('Valkey 9.1.2');
    mkdirSync(join(data, 'appendonlydir'), { recursive: true });
    expect(findFor()).toBe('Redis 7.4.2');
    install('bin/redis-server', redis('7.0.15'));
    expect(findFor()).toBe('Valkey 9.1.2');
    writeFileSync(join(data, 'written-by.json'), JSON.stringify(valkey('9.1.2')));
    install('bin/redis-server', redis('8.4.0'));
    expect(findFor()).toBe('Valkey 9.1.2');
  });
});

describe('what doctor says of it', () => {
  it('names the version, and warns of one with known holes', () => {
    expect(toRedisCheck({ program: { command: 'valkey-server', ...valkey('9.1.2') }, canFetch: false })).toMatchObject({
      ok: true,
      found: 'Valkey 9.1.2 (valkey-server)',
      remedy: null,
    });
    const old = { command: 'redis-server', ...redis('7.0.15') };
    expect(toRedisCheck({ program: old, canFetch: true })).toMatchObject({
      found: 'Valkey is fetched from PyPI with pip',
      remedy: null,
    });
    for (const program of [old, undefined]) {
      const check = toRedisCheck({ program, canFetch: false });
      expect(check.ok).toBe(true);
      expect(check.found).toMatch(/CVE-2025-49844|known holes/);
      expect(check.remedy).toContain('install');
    }
  });
});
