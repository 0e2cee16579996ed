import { describe, expect, it } from '@jest/globals';
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
});
