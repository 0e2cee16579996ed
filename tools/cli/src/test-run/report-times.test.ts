import { describe, expect, it } from '@jest/globals';
import { formatTimes } from './report-times.js';
import { toFileTimes } from './tally.js';

describe('formatTimes', () => {
  it('has each step, and of the test files the ten slowest, slowest first', () => {
    const testResults = Array.from({ length: 12 }, (_, i) => ({
      name: `/tree/a/${i}.ts`,
      startTime: 5,
      endTime: 5 + i * 500,
    }));
    const files = toFileTimes({ testResults }, '/tree');
    const lines = formatTimes([
      { name: 'lint', seconds: 3.14, files: [] },
      { name: 'unit tests', seconds: 120, files },
    ]).split('\n');
    expect(lines.slice(0, 6)).toEqual([
      '',
      'seconds by step:',
      '    3.1  lint',
      '  120.0  unit tests',
      'slowest files:',
      '    5.5  a/11.ts (unit tests)',
    ]);
    expect(lines.at(-1)).toBe('    1.0  a/2.ts (unit tests)');
  });

  it('lists no files where none ran', () => {
    expect(formatTimes([{ name: 'lint', seconds: 1, files: [] }])).toBe('\nseconds by step:\n    1.0  lint');
  });
});
