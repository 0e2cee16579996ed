import { describe, expect, it } from '@jest/globals';
import { readArtifactsConfig } from './artifacts.js';
import { readS3Config } from './blob-location.js';
import { createConfigReader } from './reader.js';

function read(env: Record<string, string>) {
  const reader = createConfigReader(env);
  const config = readArtifactsConfig(reader, readS3Config(reader));
  reader.finish();
  return config;
}

describe('where artifacts lie', () => {
  it('is a folder or a bucket, and never nowhere', () => {
    expect(read({ PERENNIAL_ARTIFACTS: 'file:///a/b' })).toEqual({ kind: 'folder', folder: '/a/b' });
    expect(read({ PERENNIAL_ARTIFACTS: 's3://bucket/a' })).toMatchObject({ bucket: 'bucket', prefix: 'a/' });
    expect(() => read({ PERENNIAL_ARTIFACTS: 'off' })).toThrow('file:///an/absolute/folder or s3://bucket/prefix');
    expect(() => read({})).toThrow('PERENNIAL_ARTIFACTS is not set');
  });
});
