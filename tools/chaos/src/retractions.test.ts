import { describe, expect, it } from '@jest/globals';
import { Retractions } from './retractions.js';

describe('taking events back under faults', () => {
  it('asks for each twice, and goes on after a failure', async () => {
    const events = [undefined, ['anna', 'm1'], ['bert', 'm2']] as const;
    const ran: string[] = [];
    let drawn = 0;
    const fleet = {
      async runCommand(service: string, args: readonly string[]) {
        ran.push(`${service} ${args.join(' ')}`);
        if (ran.length === 1) throw new Error('no such event yet');
        return '';
      },
    };
    const retractions = new Retractions({ fleet, drawEvent: () => events[drawn++] });
    for (let time = 0; time < 5; time++) await retractions.ask().catch(() => undefined);
    expect(ran).toEqual([
      'feature-store events retract --by chaos -- anna m1',
      'feature-store events retract --by chaos -- anna m1',
      'feature-store events retract --by chaos -- bert m2',
      'feature-store events retract --by chaos -- bert m2',
    ]);
  });
});
