import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { toExitCode } from '../exit-codes.js';
import { capturePrinted } from '../printed-test-kit.js';
import { createSourcePlanCommand } from './source-plans.js';

const folder = mkdtempSync(join(tmpdir(), 'plans-'));
afterAll(() => rmSync(folder, { recursive: true }));

const printed = capturePrinted();

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Runs the command on a platform that answers `output`; returns what the platform was asked. */
async function run(args: readonly string[], output = ''): Promise<unknown[]> {
  const asked: unknown[] = [];
  const command = createSourcePlanCommand((namespace) => ({
    runCommand: async (service, command) => {
      asked.push([namespace, service, ...command]);
      return output;
    },
  }));
  await command.parseAsync([...args], { from: 'user' });
  return asked;
}

describe('sources plan', () => {
  it('checks a plan without a platform, and lists all problems', async () => {
    const good = file('plan.yaml', 'version: 1\n');
    expect(await run(['check', good])).toEqual([]);
    expect(printed.text).toBe(`${good} is a valid plan\n`);
    const bad = file('bad.yaml', 'version: 1\npersnal: [a]\nonViolation: no\n');
    for (const args of [
      ['check', bad],
      ['set', 'web', bad],
    ]) {
      const error: unknown = await run(args).catch((thrown: unknown) => thrown);
      expect(String(error)).toContain('bad.yaml:2:1: unknown key "persnal", did you mean "personal"?\nbad.yaml:3:14:');
      expect(toExitCode(error)).toBe(2);
    }
    expect(toExitCode(await run(['check', join(folder, 'none')]).catch((thrown: unknown) => thrown))).toBe(2);
  });

  it('asks ingest for the rest', async () => {
    const plan = file('plan.yaml', 'version: 1\n');
    const asked = ['live', 'ingest', 'sources', 'plan'];
    expect(await run(['set', 'web', plan], 'plan 1 of web')).toEqual([[...asked, 'set', '--', 'web', plan]]);
    expect(await run(['show', 'web', '--number', '2'])).toEqual([[...asked, 'show', '--number=2', '--', 'web']]);
    expect(await run(['history', 'web', '--json'])).toEqual([[...asked, '--json', 'history', '--', 'web']]);
    expect(await run(['clear', 'kafka', '--namespace', 'shop'])).toEqual([
      ['shop', 'ingest', 'sources', 'plan', 'clear', '--', 'kafka'],
    ]);
    expect(printed.text).toContain('plan 1 of web\n');
  });
});
