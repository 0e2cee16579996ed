import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readStateFile, removeStateFile, writeStateFile } from './state-file.js';

describe('state file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'deep', 'stack.json');

  it('reads back what was written, and is readable by its owner only', () => {
    writeStateFile(path, { a: 1 });
    writeStateFile(path, { a: 2 });
    expect(readStateFile(path)).toEqual({ a: 2 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['stack.json']);
  });

  it('gives undefined where there is none, and removing none is fine', () => {
    removeStateFile(path);
    removeStateFile(path);
    expect(readStateFile(path)).toBeUndefined();
  });

  it('names a damaged file', () => {
    writeFileSync(path, '{');
    expect(() => readStateFile(path)).toThrow(path);
  });
});
