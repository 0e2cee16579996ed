import { describe, expect, it } from '@jest/globals';
import { readArchiveConfig } from './archive.js';
import { readS3Config } from './blob-location.js';
import { createConfigReader } from './reader.js';

function read(env: Record<string, string>) {
  const reader = createConfigReader(env);
  const config = readArchiveConfig(reader, readS3Config(reader));
  reader.finish();
  return config;
}

describe('where events are archived', () => {
  it('is said, and off only when that is said', () => {
    expect(read({ PERENNIAL_ARCHIVE: 'file:///a/b' })).toEqual({ kind: 'folder', folder: '/a/b', windowMs: 600_000 });
    expect(read({ PERENNIAL_ARCHIVE: 'off' })).toEqual({ kind: 'off' });
    expect(() => read({})).toThrow('PERENNIAL_ARCHIVE is not set');
  });

  it('rejects a stretch of time that does not divide a day: a file would span two', () => {
    const env = { PERENNIAL_ARCHIVE: 's3://bucket/archive' };
    expect(read({ ...env, PERENNIAL_ARCHIVE_WINDOW_SECONDS: '86400' })).toMatchObject({
      kind: 's3',
      bucket: 'bucket',
      prefix: 'archive/',
      windowMs: 86_400_000,
    });
    expect(() => read({ ...env, PERENNIAL_ARCHIVE_WINDOW_SECONDS: '700' })).toThrow('does not divide a day');
  });
});
