import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { shiftOldFiles } from './log-file.js';

const folder = mkdtempSync(join(tmpdir(), 'log-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('moves old files up by one, and keeps as many as it may', () => {
  const path = join(folder, 'log');
  shiftOldFiles(path, 3);
  expect(readdirSync(folder)).toEqual([]);
  for (const number of [1, 2, 3]) writeFileSync(`${path}.${number}`, `${number}`);
  shiftOldFiles(path, 3);
  expect(readdirSync(folder).sort()).toEqual(['log.2', 'log.3']);
  expect([2, 3].map((number) => readFileSync(`${path}.${number}`, 'utf8'))).toEqual(['1', '2']);
});
