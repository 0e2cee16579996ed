import { describe, expect, it, jest } from '@jest/globals';
import { systemClock } from '@perennial/kernel';
import { capturePrinted } from '../printed-test-kit.js';
import { createAuditCommand } from './audit.js';

const printed = capturePrinted();

const EQUAL = { profiles: 2, vectors: 9, mismatches: 0, first: [], seed: 's' };
const FOUND = { profileKey: 'k', partition: 1, offset: 7, feature: 'orders_count_all', served: '2', recomputed: '1' };

async function run(args: readonly string[], answer: unknown): Promise<string[]> {
  const asked: string[] = [];
  const command = createAuditCommand((namespace) => ({
    runCommand: async (service, command) => {
      asked.push([namespace, service, ...command].join(' '));
      return `a log line\n${JSON.stringify(answer)}\n`;
    },
  }));
  await command.parseAsync([...args], { from: 'user' });
  return asked;
}

describe('audit features', () => {
  it('says how much was compared', async () => {
    expect(await run(['features', '--once', '--sample', '7', '--namespace', 'shop'], EQUAL)).toEqual([
      'shop feature-store audit --sample 7',
    ]);
    expect(printed.text).toBe('2 profiles, 9 vectors compared, 0 values differ\n');
  });

  it('fails where a value differs, and names profile, position, feature and both values', async () => {
    const answer = { ...EQUAL, mismatches: 1, first: [FOUND] };
    await expect(run(['features', '--once'], answer)).rejects.toThrow(
      '1 values were served that the archive does not give',
    );
    expect(printed.text).toMatch(/k at 1:7 +orders_count_all +served 2 +archive 1/);
    await expect(run(['features', '--once', '--json'], answer)).rejects.toThrow();
    expect(JSON.parse(printed.text.trim().split('\n').at(-1) ?? '')).toEqual(answer);
  });

  it('compares every profile with --all', async () => {
    expect(await run(['features', '--all'], EQUAL)).toEqual(['live feature-store audit --all']);
  });

  it('shows with --follow what the audit in the platform does', async () => {
    const status = { profiles: 7, mismatches: 0, lastSuccessAt: '2024-01-01T00:00:00.000Z', passes: [2, 1] };
    const answers = [status, { ...status, mismatches: 2 }];
    jest.spyOn(systemClock, 'wait').mockResolvedValue();
    const command = createAuditCommand(() => ({ runCommand: async () => JSON.stringify(answers.shift()) }));
    await expect(command.parseAsync(['features', '--follow'], { from: 'user' })).rejects.toThrow(
      '2 values differ from the archive: see `./perennial audit mismatches`',
    );
    jest.restoreAllMocks();
    expect(printed.text).toMatch(
      /^7 profiles compared, last 2024-01-01T00:00:00.000Z, all of them 1 times, 0 values differ\n/,
    );
  });
});

describe('audit mismatches', () => {
  it('lists position, feature and both values, the newest first', async () => {
    const foundAt = '2024-01-01T00:00:00.000Z';
    const asked = await run(['mismatches', '--count', '5'], { mismatches: [{ ...FOUND, foundAt }] });
    expect(asked).toEqual(['live feature-store audit mismatches --count 5']);
    expect(printed.text).toMatch(/2024-01-01T00:00:00.000Z +k at 1:7 +orders_count_all +served 2 +archive 1/);
  });

  it('says that there is none', async () => {
    await run(['mismatches'], { mismatches: [] });
    expect(printed.text).toBe('no value was found to differ\n');
  });
});
