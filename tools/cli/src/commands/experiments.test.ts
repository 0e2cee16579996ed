import { describe, expect, it } from '@jest/globals';
import { toExitCode } from '../exit-codes.js';
import { capturePrinted } from '../printed-test-kit.js';
import { createProgram } from '../program.js';

describe('experiments', () => {
  const printed = capturePrinted();

  async function run(...args: string[]): Promise<string> {
    const before = printed.text.length;
    const typed = ['experiments', ...args];
    await (await createProgram(typed)).parseAsync(typed, { from: 'user' });
    return printed.text.slice(before);
  }

  it('plans persons and days', async () => {
    const text = await run('plan', '--baseline', '0.05', '--mde', '0.01', '--traffic', '2000');
    expect(text).toMatch(/^persons +30,\d+, 15,\d+ in each arm\non average +1\d,\d+, when/);
    expect(text).toMatch(/^days +16; on average \d+$/m);
    expect(text).toMatch(/^plain z test +8,155 in each arm/m);
    const asJson = JSON.parse(await run('plan', '--baseline', '0.05', '--mde', '0.01', '--arms', '4', '--json'));
    expect(asJson).toMatchObject({ looks: 30, fixedPersonsPerArm: expect.any(Number) });
    expect(asJson.persons).toBe(4 * asJson.personsPerArm);
    expect(asJson).not.toHaveProperty('days');
  });

  it('plans for means, and for a fall', async () => {
    const means = ['--baseline', '40', '--mde=-2', '--deviation', '90', '--json'];
    const plan = JSON.parse(await run('plan', ...means, '--power', '0.9', '--looks', '10'));
    expect(plan).toMatchObject({ looks: 10, comparisonAlpha: 0.05 });
    expect(plan.personsPerArm).toBeGreaterThan(plan.fixedPersonsPerArm);
  });

  it('reports all problems of a plan at once, as wrong usage', async () => {
    const bad = ['--baseline', '2', '--mde', 'x', '--arms', '1', '--power', '1', '--traffic', '1.5', '--looks', '999'];
    const error = await run('plan', ...bad).catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
    const lines = (error as Error).message.split('\n').map((problem) => problem.split(' ')[0]);
    expect(lines).toEqual(['--baseline', '--mde', '--arms', '--power', '--looks', '--traffic']);
    await expect(run('plan', '--baseline', '0.5', '--mde', '0.6')).rejects.toThrow('together must lie between 0 and 1');
    await expect(run('plan', '--baseline', '0.5', '--mde', '0')).rejects.toThrow('--mde is 0');
  });

  it('simulates, the same figures from the same seed', async () => {
    const text = await run('simulate', '--runs', '20', '--seed', '9');
    expect(text).toMatch(/^world +significant +coverage +plain z test\nthe same conversion, 5 % +[\d.]+ % +[\d.]+ %/);
    expect(text).toContain('computed instead of simulated: sequence 1.2 %, plain z test 28.0 % false alarms');
    expect(text).toMatch(/20 runs, 30 looks, alpha 0.05, seed 9\n$/);
    const figures = JSON.parse(await run('simulate', '--runs', '20', '--seed', '9', '--json'));
    expect(figures).toEqual(JSON.parse(await run('simulate', '--runs', '20', '--seed', '9', '--json')));
    const error = await run('simulate', '--runs', '1').catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
  });
});
