import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RotatingFile } from './rotating-file.js';

const LIMITS = { bytesMax: 1_000, filesKept: 2 };

describe('a rotating log file', () => {
  let folder = '';
  let path = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rotating-'));
    path = join(folder, 'service.log');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('stays below its limit, keeps so many old files, and loses none of the newest lines', () => {
    const file = new RotatingFile(path, LIMITS);
    for (let i = 0; i < 1_000; i++) file.write(`line ${i}\n`);
    const names = readdirSync(folder).sort();
    expect(names).toEqual(['service.log', 'service.log.1', 'service.log.2']);
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThan(LIMITS.bytesMax + 20);
    const text = ['.2', '.1', ''].map((suffix) => readFileSync(`${path}${suffix}`, 'utf8')).join('');
    const numbers = [...text.matchAll(/line (\d+)\n/g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => 1_000 - numbers.length + i));
    expect(numbers.length).toBeGreaterThan(150);
  });

  it('takes what others append to the same file into account', () => {
    const file = new RotatingFile(path, LIMITS);
    appendFileSync(path, 'x'.repeat(LIMITS.bytesMax));
    file.write('mine\n');
    expect(statSync(path).size).toBe(0);
    expect(readFileSync(`${path}.1`, 'utf8')).toMatch(/x+mine\n$/);
    file.write('next\n');
    expect(readFileSync(path, 'utf8')).toBe('next\n');
  });
});
