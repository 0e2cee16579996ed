import { describe, expect, it } from '@jest/globals';
import { toMessage } from '@perennial/kernel';
import { createConfigReader } from './reader.js';
import { readSnapshotConfig } from './snapshots.js';

function read(env: Record<string, string>) {
  const reader = createConfigReader(env);
  const config = readSnapshotConfig(reader);
  reader.finish();
  return config;
}

const KEYS = { S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: 'hush' };

describe('where snapshots are kept', () => {
  it.each([
    [{ PERENNIAL_SNAPSHOTS: 'off' }, { kind: 'off' }],
    [
      { PERENNIAL_SNAPSHOTS: 'file:///var/lib/a%20b', PERENNIAL_SNAPSHOT_INTERVAL_SECONDS: '60' },
      { kind: 'folder', folder: '/var/lib/a b', intervalMs: 60_000 },
    ],
    [
      { PERENNIAL_SNAPSHOTS: 's3://bucket/some/prefix', S3_ENDPOINT: 'http://127.0.0.1:9000', ...KEYS },
      {
        kind: 's3',
        bucket: 'bucket',
        prefix: 'some/prefix/',
        endpoint: 'http://127.0.0.1:9000',
        region: 'us-east-1',
        pathStyle: true,
        credentials: { accessKeyId: 'id', secretAccessKey: 'hush' },
        intervalMs: 300_000,
      },
    ],
    [
      { PERENNIAL_SNAPSHOTS: 's3://bucket', S3_REGION: 'eu-central-1' },
      {
        kind: 's3',
        bucket: 'bucket',
        prefix: '',
        endpoint: undefined,
        region: 'eu-central-1',
        pathStyle: false,
        credentials: undefined,
        intervalMs: 300_000,
      },
    ],
  ])('%j', (env, expected) => {
    expect(read(env as Record<string, string>)).toEqual(expected);
  });

  it.each([
    [{}, 'PERENNIAL_SNAPSHOTS is not set'],
    [{ PERENNIAL_SNAPSHOTS: '/var/lib/x' }, 'PERENNIAL_SNAPSHOTS is "/var/lib/x" but must be file:///'],
    [{ PERENNIAL_SNAPSHOTS: 's3://Not A Bucket/' }, 'must be file:///'],
    [{ PERENNIAL_SNAPSHOTS: 's3://bucket//x' }, 'must be file:///'],
    [{ PERENNIAL_SNAPSHOTS: 's3://bucket', S3_ACCESS_KEY_ID: 'id' }, 'must both be set'],
    [{ PERENNIAL_SNAPSHOTS: 's3://bucket', S3_ENDPOINT: 'nonsense' }, 'S3_ENDPOINT'],
  ])('%j is rejected', (env, problem) => {
    let message = '';
    try {
      read(env as Record<string, string>);
    } catch (error) {
      message = toMessage(error);
    }
    expect(message).toContain(problem);
  });
});
