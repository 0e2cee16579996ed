import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeLogTails, findNewestLog, putLargeOutputAside } from './log-files.js';

describe('log files of a stack', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'logs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are put aside before a start once they are large, and only so many are kept', () => {
    const path = join(folder, 'redis.log');
    putLargeOutputAside(path, 10);
    for (let i = 0; i < 6; i++) {
      writeFileSync(path, `run ${i} ${'x'.repeat(10)}`);
      putLargeOutputAside(path, 10);
    }
    const kept = ['.1', '.2', '.3'].map((suffix) => readFileSync(`${path}${suffix}`, 'utf8').slice(0, 5));
    expect(kept).toEqual(['run 5', 'run 4', 'run 3']);
    expect([path, `${path}.4`].map((file) => existsSync(file))).toEqual([false, false]);
    writeFileSync(path, 'small');
    putLargeOutputAside(path, 10);
    expect(readFileSync(path, 'utf8')).toBe('small');
  });

  it('are shown from the end, the newest of a folder', () => {
    for (const [name, seconds] of [
      ['postgres-10.log', 100],
      ['postgres-11.log', 200],
      ['postgres-09.log', 50],
    ] as const) {
      writeFileSync(join(folder, name), `${name}\n`);
      utimesSync(join(folder, name), seconds, seconds);
    }
    expect(describeLogTails([join(folder, 'none'), ...findNewestLog(folder)])).toBe(
      `; log: ${join(folder, 'none')}; the end of ${join(folder, 'postgres-11.log')}:\n  | postgres-11.log`,
    );
    expect(findNewestLog(join(folder, 'none'))).toEqual([]);
  });
});
