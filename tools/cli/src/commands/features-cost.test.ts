import { describe, expect, it, jest } from '@jest/globals';
import { toExitCode } from '../exit-codes.js';
import { createFeaturesCommand } from './features.js';

interface Printed {
  readonly baseline: Line;
  readonly spec: Line;
  readonly features: readonly Line[];
}

interface Line {
  readonly name: string;
  readonly bytes: number;
  readonly bytesMax: number;
  readonly eventUs: number;
  readonly eventRatio: number;
  readonly vectorUs: number;
}

async function run(...args: string[]): Promise<string> {
  const written: string[] = [];
  const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    await createFeaturesCommand().parseAsync(['cost', ...args], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return written.join('');
}

describe('features cost', () => {
  it('measures every feature of a preset within its bound, against a baseline', async () => {
    const args = ['ecommerce', '--events', '200', '--rounds', '1', '--json'];
    const first = JSON.parse(await run(...args)) as Printed;
    expect(first.features.length).toBeGreaterThan(40);
    for (const { name, bytes, bytesMax, eventUs, eventRatio, vectorUs } of [...first.features, first.spec]) {
      expect({ name, isWithin: bytes <= bytesMax }).toEqual({ name, isWithin: true });
      expect(Math.min(eventUs, eventRatio, vectorUs)).toBeGreaterThan(0);
    }
    // Every feature has met events of its own, conditions included; a ratio keeps nothing.
    const idle = first.features.filter(({ bytes, name }) => bytes === 0 && !/_(1h|24h|7d)$/.test(name));
    expect(idle.map(({ name }) => name)).toEqual(['refund_share_365d']);
    const again = JSON.parse(await run(...args)) as Printed;
    expect(again.features.map(({ bytes }) => bytes)).toEqual(first.features.map(({ bytes }) => bytes));
    const other = JSON.parse(await run(...args, '--seed', '2')) as Printed;
    expect(other.spec.bytes).not.toBe(first.spec.bytes);
  });

  it('prints a line each, and one for all', async () => {
    const text = await run('--events', '50', '--rounds', '1');
    expect(text).toMatch(/^feature +aggregation +bytes +at most +us\/event +x baseline +us\/vector$/m);
    expect(text).toMatch(/^orders_count_7d +count +\d+ +[\d,]+ +[\d.]+ +[\d.]+ +[\d.]+$/m);
    expect(text).toMatch(/^all together +18 features /m);
  });

  it('rejects what is no spec', async () => {
    const error: unknown = await run('nothing.yaml').catch((thrown: unknown) => thrown);
    expect(toExitCode(error)).toBe(2);
  });
});
