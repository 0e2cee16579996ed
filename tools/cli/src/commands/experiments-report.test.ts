import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApiClient } from '@perennial/client';
import { writeSyntheticArchive } from '@perennial/explore';
import { createSeededRandom } from '@perennial/kernel';
import { toExitCode } from '../exit-codes.js';
import { capturePrinted } from '../printed-test-kit.js';
import { createExperimentsCommand } from './experiments.js';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);
const PERSONS = 1_200;

const persons = Array.from({ length: PERSONS }, (_, index) => ({
  profileKey: `p${String(index).padStart(20, '0')}`,
  arm: ['usual', 'offer'][index % 2] ?? '',
  propensity: 0.5,
  firstAt: new Date(START_MS + index * 60_000).toISOString(),
}));

/** Of those with the offer 60 % order within the window, of the others 25 %. */
function* createEvents() {
  const random = createSeededRandom(31);
  const base = { type: 'track', properties: {}, currency: '' };
  for (const [index, { profileKey, arm }] of persons.entries()) {
    if (random() >= (arm === 'offer' ? 0.6 : 0.25)) continue;
    const timestampMs = START_MS + DAY_MS + index * 60_000;
    const of = { profileKey, messageId: `m${index}`, timestampMs, receivedAtMs: timestampMs };
    yield { ...base, ...of, name: 'Order Completed', amount: 10 + Math.floor(random() * 50) };
  }
  const timestampMs = START_MS + 20 * DAY_MS;
  yield {
    ...base,
    profileKey: 'q'.repeat(21),
    messageId: 'last',
    timestampMs,
    receivedAtMs: timestampMs,
    name: 'Visited',
  };
}

describe('experiments list and report', () => {
  const printed = capturePrinted();
  const archive = mkdtempSync(join(tmpdir(), 'experiments-'));
  afterAll(() => rmSync(archive, { recursive: true }));
  beforeAll(async () => {
    await writeSyntheticArchive({ folder: archive, namespace: 'live', partitions: 2, fileMs: DAY_MS }, createEvents());
  });

  const arms = ['offer', 'usual'].map((arm) => ({
    experiment: 'size',
    layer: 'default',
    arm,
    propensity: 0.5,
    profiles: PERSONS / 2,
    firstAt: persons[0]?.firstAt,
    lastAt: persons.at(-1)?.firstAt,
  }));
  const call = async (name: string, input?: { query: { limit: number; cursor?: string } }) => {
    if (name === 'listExperiments') return { arms, lag: 0 };
    const start = Number(input?.query.cursor ?? 0);
    const end = start + (input?.query.limit ?? 0);
    return { exposures: persons.slice(start, end), next: end < PERSONS ? String(end) : null };
  };
  const client = { call } as unknown as ApiClient;

  async function run(...args: string[]): Promise<string> {
    const before = printed.text.length;
    await createExperimentsCommand(() => ({ client })).parseAsync(args, { from: 'user' });
    return printed.text.slice(before);
  }

  it('list arms with their profiles', async () => {
    expect(await run('list')).toMatch(/^experiment .*\nsize +default +offer +50.00 % +600 /);
    expect(JSON.parse(await run('list', '--json'))).toMatchObject({
      lag: 0,
      arms: [{ arm: 'offer' }, { arm: 'usual' }],
    });
  });

  it('report the difference with its interval, sizes and balance', async () => {
    const text = await run('report', 'size', '--archive', archive, '--window', '7d', '--planned', '1200');
    expect(text).toMatch(/^size: 1200 persons, each arm against usual\n/);
    expect(text).toMatch(/^conversion +usual +600 +2\d.\d\d % +control$/m);
    expect(text).toMatch(/^conversion +offer +600 +\d\d.\d\d % +3\d.\d\d % +\d\d.\d\d % +\d\d.\d\d % +significant$/m);
    expect(text).toMatch(/^returned after 30 days +offer +0 /m);
    expect(text).toContain('sizes of the arms are as their weights say');
    expect(text).toContain('; too few had spent anything before to compare offer with usual');
    const report = JSON.parse(
      await run('report', 'size', '--archive', archive, '--window', '7d', '--planned', '1200', '--json'),
    );
    expect(report).toMatchObject({
      experiment: 'size',
      control: 'usual',
      persons: 1_200,
      ratio: { isMismatch: false },
    });
    expect(report.metrics[0].arms[1].effect.low).toBeGreaterThan(0.2);
  });

  it('alarm where weights were changed, and where nobody is in an arm', async () => {
    const ask = async (propensity: number) => {
      const before = printed.text.length;
      const of = arms.map((one) => (one.arm === 'offer' ? { ...one, propensity } : one));
      const asked = async (name: string, input?: { query: { limit: number; cursor?: string } }) =>
        name === 'listExperiments' ? { arms: of, lag: 0 } : call(name, input);
      const command = createExperimentsCommand(() => ({ client: { call: asked } as unknown as ApiClient }));
      await command.parseAsync(['report', 'size', '--archive', archive], { from: 'user' });
      return printed.text.slice(before);
    };
    expect(await ask(0.75)).toContain('ALARM: the weights of the arms were changed while it ran');
    expect(await ask(0.25)).toContain('ALARM: the sizes of the arms are not those of their weights');
  });

  it('say all that is wrong with a command line, and which experiments there are', async () => {
    const bad = ['--window', 'x', '--alpha', '2', '--planned', '1', '--tolerate', '-1', '--until', 'now'];
    const error = await run('report', 'size', ...bad).catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
    const lines = (error as Error).message.split('\n').map((problem) => problem.split(' ')[0]);
    expect(lines).toEqual(['--window', '--alpha', '--planned', '--tolerate', '--until']);
    const unnamed = arms.map((one) => ({ ...one, arm: one.arm === 'usual' ? 'plain' : one.arm }));
    const asked = async (name: string) => (name === 'listExperiments' ? { arms: unnamed, lag: 0 } : call(name));
    const command = createExperimentsCommand(() => ({ client: { call: asked } as unknown as ApiClient }));
    await expect(command.parseAsync(['report', 'size', '--archive', archive], { from: 'user' })).rejects.toThrow(
      '--control is missing, and needed unless an arm is called control or usual; arms are offer, plain',
    );
    await expect(run('report', 'siz', '--archive', archive)).rejects.toThrow('there are exposures to: size');
    await expect(run('report', 'size', '--control', 'x', '--archive', archive)).rejects.toThrow(
      'arms are offer, usual',
    );
  });
});
