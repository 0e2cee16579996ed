import { describe, expect, it } from '@jest/globals';
import { capturePrinted } from '../printed-test-kit.js';
import { createEventsCommand } from './events.js';

const printed = capturePrinted();
const commands: string[][] = [];
const answer = {
  profileKey: 'key-1',
  messageId: '-m1',
  result: 'taken_back',
  event: { type: 'track', name: 'Order Completed', at: '2026-03-01T12:00:00.000Z' },
  inexact: ['orders_recency_days'],
};
let answered: object = answer;
const runCommand = async (service: string, args: readonly string[]) => {
  commands.push([service, ...args]);
  return `a line of something else\n${JSON.stringify(answered)}\n`;
};
const run = (...args: string[]) => createEventsCommand(() => ({ runCommand })).parseAsync(args, { from: 'user' });

describe('events retract', () => {
  it('says what was taken back, and which features keep it', async () => {
    await run('retract', '--by', 'olga', '--reason', 'ticket 4711', '--', 'anna', '-m1');
    expect(commands).toEqual([
      ['feature-store', 'events', 'retract', '--by=olga', '--reason=ticket 4711', '--', 'anna', '-m1'],
    ]);
    expect(printed.text).toBe(
      '-m1 (Order Completed, 2026-03-01T12:00:00.000Z) was taken back\n' +
        'features that still have an event that was taken back: orders_recency_days\n',
    );
  });

  it('takes an event back that has not come, and prints JSON', async () => {
    answered = { ...answer, result: 'early', event: null, inexact: [] };
    await run('retract', 'anonymous:phone', 'm2', '--early', '--by', 'olga');
    expect(commands.at(-1)).toContain('--early');
    expect(printed.text).toContain('-m1 has not come, and will not count when it comes\n');
    await run('retract', 'anna', 'm2', '--json');
    expect(JSON.parse(printed.text.trim().split('\n').slice(1).join('\n'))).toEqual(answered);
  });
});
