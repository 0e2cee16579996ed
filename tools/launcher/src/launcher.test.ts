import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { toEnvironmentHash, toServiceEnvironment } from './environment.js';
import {
  listNamespaces,
  loadNamespaceState,
  type NamespaceState,
  removeNamespaceState,
  saveNamespaceState,
} from './namespace-state.js';
import { listTopicSpecs, parseRegistered } from './provision.js';
import { loadSecret } from './secret.js';

const INPUT = {
  service: 'ingest',
  namespace: 'live',
  clockMode: 'wall',
  secret: 's',
  endpoints: { kafkaBrokers: 'k', redisUrl: 'r', postgresUrl: 'p' },
  port: 1,
  folders: {
    snapshotDir: '/home/some one/snapshots',
    artifactsDir: '/home/some one/artifacts',
    archiveDir: '/home/some one/archive',
  },
  extra: {},
} as const;

describe('environment of a service', () => {
  it('names every dependency, and the clock mode to ingest only', () => {
    expect(toServiceEnvironment(INPUT)).toEqual({
      PERENNIAL_NAMESPACE: 'live',
      PERENNIAL_SECRET: 's',
      KAFKA_BROKERS: 'k',
      REDIS_URL: 'r',
      POSTGRES_URL: 'p',
      HOST: '127.0.0.1',
      PORT: '1',
      INSTANCE_ID: '1',
      PERENNIAL_SNAPSHOTS: 'file:///home/some%20one/snapshots',
      PERENNIAL_ARTIFACTS: 'file:///home/some%20one/artifacts',
      PERENNIAL_CLOCK_MODE: 'wall',
    });
    expect(toServiceEnvironment({ ...INPUT, service: 'action' })).not.toHaveProperty('PERENNIAL_CLOCK_MODE');
    expect(toServiceEnvironment({ ...INPUT, service: 'feature-store' })).toMatchObject({
      PERENNIAL_ARCHIVE: 'file:///home/some%20one/archive',
    });
  });

  it('has a hash that depends on values, not on their order', () => {
    expect(toEnvironmentHash({ a: '1', b: '2' })).toBe(toEnvironmentHash({ b: '2', a: '1' }));
    expect(toEnvironmentHash({ a: '1', b: '2' })).not.toBe(toEnvironmentHash({ a: '2', b: '1' }));
  });
});

describe('topics of a namespace', () => {
  it('have its prefix and partitions; of segments every change is kept for 30 days, then the last one of each key', () => {
    const specs = listTopicSpecs({ namespace: 'trial', partitions: 4 });
    expect(specs.every(({ name, partitions }) => name.startsWith('trial.lifecycle.') && partitions === 4)).toBe(true);
    expect(specs.filter(({ cleanup }) => cleanup === 'compact')).toEqual([
      {
        name: 'trial.lifecycle.segment.changed.v1',
        partitions: 4,
        retentionMs: 2_592_000_000,
        cleanup: 'compact',
        config: { 'min.compaction.lag.ms': '2592000000' },
      },
    ]);
  });
});

describe('namespace state', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'perennial-test-'));
  afterAll(() => rmSync(stateDir, { recursive: true }));
  const toState = (namespace: string): NamespaceState => ({
    version: 1,
    namespace,
    clockMode: 'wall',
    partitions: 2,
    token: 'pt_x',
    provisioned: null,
    artifactPaths: {},
    oneProcess: false,
    ports: {},
    processes: {},
  });

  it('is kept by namespace, live first', () => {
    expect(listNamespaces(stateDir)).toEqual([]);
    for (const namespace of ['b', 'live', 'a']) saveNamespaceState(stateDir, toState(namespace));
    expect(listNamespaces(stateDir)).toEqual(['live', 'a', 'b']);
    expect(loadNamespaceState(stateDir, 'a')).toEqual(toState('a'));
    removeNamespaceState(stateDir, 'a');
    expect(loadNamespaceState(stateDir, 'a')).toBeUndefined();
  });

  it('makes the secret once, readable by its owner only', () => {
    const secret = loadSecret(stateDir);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(loadSecret(stateDir)).toBe(secret);
    expect(statSync(join(stateDir, 'secret.json')).mode & 0o777).toBe(0o600);
  });
});

describe('answer of register', () => {
  it('is found behind log lines', () => {
    const output = '{"level":"info","message":"x"}\nplain\n{"kind":"policy","number":3,"hash":"abc"}\n';
    expect(parseRegistered('policy', output)).toEqual({ kind: 'policy', number: 3, hash: 'abc' });
  });

  it('is found among those of other kinds', () => {
    const output = '{"kind":"policy","number":3,"hash":"abc"}\n{"kind":"model","number":1,"hash":"def"}\n';
    expect(parseRegistered('policy', output)).toEqual({ kind: 'policy', number: 3, hash: 'abc' });
  });

  it('is rejected when it is not there', () => {
    expect(() => parseRegistered('policy', '{"kind":"model","number":1,"hash":"def"}\n')).toThrow('no {kind');
    expect(() => parseRegistered('policy', '{"level":"info"}\n')).toThrow('no {kind, number, hash}');
  });
});
