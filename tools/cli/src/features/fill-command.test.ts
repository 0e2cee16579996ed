import { describe, expect, it } from '@jest/globals';
import { capturePrinted } from '../printed-test-kit.js';
import { createFillCommand } from './fill-command.js';

const printed = capturePrinted();

/** Runs the command on a platform that answers `output`; returns what the platform was asked. */
async function run(args: readonly string[], output: string): Promise<string[]> {
  const asked: string[] = [];
  const command = createFillCommand((namespace) => ({
    runCommand: async (service, command) => {
      asked.push([namespace, service, ...command].join(' '));
      return output;
    },
  }));
  await command.parseAsync([...args], { from: 'user' });
  return asked;
}

describe('features fill', () => {
  it('shows what the service says, as text or JSON', async () => {
    expect(await run(['status'], 'features 2 is filled\n')).toEqual(['live feature-store fill status']);
    expect(printed.text).toBe('features 2 is filled\n');
    expect(await run(['status', '--json', '--namespace', 'shop'], '{}\n')).toEqual([
      'shop feature-store fill status --json',
    ]);
  });

  it('gives a running fill up by a rollout that wants nothing filled, and changes nothing without one', async () => {
    const rollout = `live ingest rollout --kind feature-filling --number 3 --hash ${'0'.repeat(64)}`;
    expect(await run(['stop'], '{"state":"filling","number":3}\n')).toEqual([
      'live feature-store fill status --json',
      rollout,
    ]);
    expect(await run(['stop'], '{"state":"in force","number":3}\n')).toHaveLength(1);
    expect(printed.text).toBe('the fill of features 3 is given up\nno fill is running: nothing was changed\n');
  });
});
