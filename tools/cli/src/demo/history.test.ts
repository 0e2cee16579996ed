import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { toHistoryCsv } from './cdnow.js';
import { fetchDemoHistory } from './fetch-history.js';
import { simulateHistory } from './simulate-history.js';

const CDNOW = ' 00004 0001 19970101  2   29.33\r\n 00004 0001 19970118  2   29.73\r\n';

describe('toHistoryCsv', () => {
  it('turns the fixed columns of CDNOW into a history file', () => {
    expect(toHistoryCsv(CDNOW).split('\n').slice(1)).toEqual([
      '00004,1997-01-01,purchase,,,2,29.33,',
      '00004,1997-01-18,purchase,,,2,29.73,',
      '',
    ]);
  });

  it('rejects a file that it does not know', () => {
    expect(() => toHistoryCsv(`${CDNOW}<html>\n`)).toThrow('line 3 is not of the CDNOW sample');
  });
});

describe('simulateHistory', () => {
  it('is the same for the same seed, and looks like a shop', () => {
    const options = { seed: 1, customers: 500, days: 545 };
    const csv = simulateHistory(options);
    expect(simulateHistory(options)).toBe(csv);
    expect(simulateHistory({ ...options, seed: 2 })).not.toBe(csv);
    const rows = csv.trim().split('\n').slice(1);
    expect(rows.every((row) => /^sim-\d{5},199[78]-\d\d-\d\d,purchase,,,\d+,\d+\.\d\d,$/.test(row))).toBe(true);
    const buyers = new Set(rows.map((row) => row.split(',')[0]));
    expect(buyers.size).toBe(500);
    expect(rows.length).toBeGreaterThan(800);
  });
});

describe('fetchDemoHistory', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-demo-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('takes the sample out of the wheel, once', async () => {
    const calls: string[] = [];
    const execute = async (_program: string, args: readonly string[]) => {
      calls.push(args[1] ?? '');
      const target = args.at(args.indexOf('--dest') + 1) ?? '';
      if (args[2] === 'download') await writeFile(join(target, 'lifetimes.whl'), '');
      if (args[1] === 'zipfile') {
        const data = join(args.at(-1) ?? '', 'lifetimes', 'datasets');
        await mkdir(data, { recursive: true });
        await writeFile(join(data, 'CDNOW_sample.txt'), CDNOW);
      }
    };
    const first = await fetchDemoHistory({ cacheFolder: folder, execute });
    expect(first.origin).toBe('cdnow');
    expect(await readFile(first.path, 'utf8')).toBe(toHistoryCsv(CDNOW));
    const count = calls.length;
    expect(await fetchDemoHistory({ cacheFolder: folder, execute })).toEqual(first);
    expect(calls).toHaveLength(count);
  });

  it('simulates a history where there is no Python, and says so', async () => {
    const execute = () => Promise.reject(new Error('spawn python ENOENT'));
    const history = await fetchDemoHistory({ cacheFolder: folder, execute });
    expect(history.origin).toBe('simulated');
    expect(history.note).toContain('no Python with pip');
    expect((await readFile(history.path, 'utf8')).split('\n').length).toBeGreaterThan(2357);
  });
});
