import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { capturePrinted } from '../printed-test-kit.js';
import { createDriftCommand } from './drift-command.js';

const printed = capturePrinted();

async function run(args: readonly string[], answer: unknown): Promise<string[]> {
  const asked: string[] = [];
  const command = createDriftCommand((namespace) => ({
    runCommand: async (service, command) => {
      asked.push([namespace, service, ...command].join(' '));
      return `a log line\n${JSON.stringify(answer)}\n`;
    },
  }));
  await command.parseAsync([...args], { from: 'user' });
  return asked;
}

describe('features drift', () => {
  it('lists features, the farthest first, in words', async () => {
    const features = [
      { name: 'steady', psi: 0.01, missing: 0 },
      { name: 'moved', psi: 0.4, missing: 0.25 },
      { name: 'leaning', psi: 0.2, missing: 1 },
    ];
    expect(await run([], { hasBaseline: true, profiles: 900, features })).toEqual(['live feature-store drift status']);
    expect(printed.text).toMatch(
      /^moved +0.400 +another population +25.0 % without a value\nleaning +0.200 +a moderate shift .*\nsteady +0.010 +stable/,
    );
    expect(printed.text).toMatch(/PSI of 900 profiles\n$/);
  });

  it('says what is missing', async () => {
    await run([], { hasBaseline: false, profiles: 0, features: [] });
    await run([], { hasBaseline: true, profiles: 7, features: [] });
    expect(printed.text).toBe(
      'no export to compare with: give one with --baseline training/manifest.json\n7 profiles were seen so far: too few to compare\n',
    );
  });

  it('takes the manifest of an export', async () => {
    const asked = await run(['--baseline', 'training/manifest.json'], { features: 60 });
    expect(asked).toEqual([`live feature-store drift baseline ${resolve('training/manifest.json')}`]);
    expect(printed.text).toBe('60 features are compared with training/manifest.json from now on\n');
  });
});
