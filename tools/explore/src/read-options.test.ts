import { describe, expect, it } from '@jest/globals';
import { isAppError } from '@perennial/kernel';
import { readFunnelOptions, readRetentionOptions, readRuleOptions } from './read-options.js';

const SOURCE = { archive: '/a', namespace: 'live', memoryMb: '1024' };

function problemsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (isAppError(error, 'config_invalid')) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('options', () => {
  it('are read', () => {
    const { source, options } = readFunnelOptions({
      ...SOURCE,
      threads: '3',
      steps: ['A', 'B'],
      within: '2w',
      by: 'month',
      from: '2026-02-28',
      to: '2026-03-01T12:30+02:00',
    });
    expect(source).toEqual({ archive: '/a', namespace: 'live', memoryMb: 1024, threads: 3 });
    expect(options).toEqual({
      steps: ['A', 'B'],
      withinMs: 14 * 86_400_000,
      by: 'month',
      fromMs: Date.UTC(2026, 1, 28),
      toMs: Date.UTC(2026, 2, 1, 10, 30),
    });
  });

  it('report all that is wrong at once', () => {
    const problems = problemsOf(() =>
      readFunnelOptions({
        ...SOURCE,
        memoryMb: '1',
        threads: 'x',
        steps: [' '],
        within: '7',
        by: 'day',
        from: '2026-02-30',
        to: 'now',
      }),
    );
    expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
      '--steps',
      '--steps,',
      '--within',
      '--by',
      '--from',
      '--to',
      '--memory-mb',
      '--threads',
    ]);
    expect(
      problemsOf(() =>
        readFunnelOptions({ ...SOURCE, steps: ['A', 'B'], within: '1d', from: '2026-02-02', to: '2026-02-02' }),
      ),
    ).toEqual(['--to is "2026-02-02" but must be after --from']);
  });

  it.each(['1', '1d ', '0d', '-1d', '1y', '9999999999d', '3651d'])('reject the span %j', (within) =>
    expect(problemsOf(() => readFunnelOptions({ ...SOURCE, steps: ['A', 'B'], within }))).toHaveLength(1),
  );

  it.each(['', '1.1', '-0.1', 'NaN', '1e9', '0x1'])('reject the share %j', (minSupport) =>
    expect(
      problemsOf(() =>
        readRuleOptions({ ...SOURCE, of: 'items', items: '2', minSupport, minConfidence: '0', gap: '1h', top: '9' }),
      ),
    ).toHaveLength(1),
  );

  it('reject names that no event can have', () =>
    expect(
      problemsOf(() =>
        readRetentionOptions({ ...SOURCE, start: '\0', return: 'x'.repeat(2_000), every: 'day', periods: '0' }),
      ),
    ).toHaveLength(4));
});
