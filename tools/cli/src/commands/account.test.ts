import { describe, expect, it } from '@jest/globals';
import type { Platform } from '@perennial/launcher';
import { capturePrinted } from '../printed-test-kit.js';
import { createAccountCommand } from './account.js';

const printed = capturePrinted();

const AT = '2026-05-01T12:00:00.000Z';
const ACCOUNT = {
  groupId: 'acme',
  known: true,
  accountKey: 'an-account-key-22-char',
  asOf: AT,
  specHash: 'a',
  features: { orders_count_7d: 3, orders_recency_days: null },
  units: { orders_count_7d: 'orders', orders_recency_days: 'days' },
  inexact: [],
  lastEventAt: AT,
  traits: [{ name: 'seats', type: 'number', value: 12, at: AT, before: [] }],
  members: { count: 2, cutOff: 1, reportedAt: null },
  events: [{ type: 'track', name: 'Order\u001b[2J Completed', at: AT }],
};

async function run(args: readonly string[], answer: unknown = ACCOUNT): Promise<unknown[]> {
  const asked: unknown[] = [];
  const call = async (id: string, request: unknown) => {
    asked.push([id, request]);
    return answer;
  };
  const command = createAccountCommand(() => ({ client: { call } as unknown as Platform['client'] }));
  await command.parseAsync([...args], { from: 'user' });
  return asked;
}

describe('account show', () => {
  it('prints what is known of an account', async () => {
    expect(await run(['show', 'acme'])).toEqual([['getAccount', { path: { groupId: 'acme' } }]]);
    for (const text of [
      `acme  (account an-account-key-22-char, as of ${AT})`,
      '2, and 1 events of further ones',
      'last report  not yet',
      'seats  12  since',
      'orders_count_7d  3  orders',
      '1 have no value yet',
      'Order\\u001b[2J Completed',
    ]) {
      expect(printed.text).toContain(text);
    }
    expect(printed.text).not.toMatch(/ $/m);
  });

  it('gives the answer to scripts, and says which account is not known', async () => {
    await run(['show', 'acme', '--json']);
    expect(JSON.parse(printed.text)).toEqual(ACCOUNT);
  });

  it('says which account is not known', async () => {
    await run(['show', 'globex'], { ...ACCOUNT, groupId: 'globex', known: false });
    expect(printed.text).toContain('globex is not known');
  });
});
