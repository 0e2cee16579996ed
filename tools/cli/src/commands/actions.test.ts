import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { capturePrinted } from '../printed-test-kit.js';
import { createActionsCommand } from './actions.js';

const printed = capturePrinted();
const AT = '2026-05-01T12:00:00.000Z';
const ACTION = {
  actionId: 'a0',
  profileKey: 'p1',
  strategy: 'welcome',
  channel: 'email',
  template: 'hello',
  parameters: { size: 2 },
  stage: 'new',
  cause: { kind: 'transition', id: '1' },
  reasons: ['entered new', 'features.x = 3'],
  policyVersion: 7,
  modelHash: '',
  scores: {},
  decidedAt: AT,
  expiresAt: '2026-05-02T12:00:00.000Z',
  cost: 0.1,
  state: 'converted',
  outcomes: [
    { outcome: 'opened', at: AT, channel: 'email\u001b[2J', value: null },
    { outcome: 'converted', at: AT, channel: '', value: 12.5 },
  ],
};

/** As the service answers: `total` actions in pages of at most 500. */
async function run(args: readonly string[], { total = 3, action = ACTION as object } = {}) {
  const calls: unknown[] = [];
  const call = async (name: string, input: { path?: { actionId: string }; query?: Query }) => {
    calls.push([name, input]);
    if (name === 'getAction') {
      if (input.path?.actionId !== 'a0') throw new AppError('not_found', 'the ledger has no action');
      return action;
    }
    const { limit = 100, cursor = '0' } = input.query ?? {};
    const from = Number(cursor);
    const to = Math.min(total, from + Math.min(limit, 500));
    const actions = Array.from({ length: to - from }, (_, i) => ({ ...ACTION, actionId: `a${from + i}` }));
    return { userId: 'ada', actions, next: to < total ? String(to) : null };
  };
  const client = { call } as unknown as Platform['client'];
  await createActionsCommand(() => ({ client })).parseAsync(args, { from: 'user' });
  return { calls, text: printed.text };
}
type Query = { readonly limit?: number; readonly cursor?: string };

describe('actions list', () => {
  it('prints the newest ones as a table', async () => {
    const { text, calls } = await run(['list', 'ada', '--limit', '2']);
    expect(text.trimEnd().split('\n')).toEqual([
      'decided                   state      strategy  channel  action',
      `${AT}  converted  welcome   email    a0`,
      `${AT}  converted  welcome   email    a1`,
    ]);
    expect(calls).toEqual([['listActions', { query: { userId: 'ada', limit: 2 } }]]);
  });

  it('goes on from page to page up to the limit, and prints JSON', async () => {
    const { text, calls } = await run(['list', 'ada', '--limit', '1200', '--json'], { total: 5000 });
    const { userId, actions } = JSON.parse(text) as { userId: string; actions: Array<{ actionId: string }> };
    expect([userId, actions.length, new Set(actions.map(({ actionId }) => actionId)).size]).toEqual([
      'ada',
      1200,
      1200,
    ]);
    expect(calls).toHaveLength(3);
  });

  it('says that there is none', async () => {
    expect((await run(['list', 'ada'], { total: 0 })).text).toBe('ada: no action in the ledger\n');
  });
});

describe('actions show', () => {
  it('prints why it was decided and what was reported, without what a terminal obeys', async () => {
    const { text } = await run(['show', 'a0']);
    expect(text).toMatch(/^a0: welcome, converted\nprofile +p1\nchannel +email, template hello\n/);
    expect(text).toContain(`decided  ${AT}, in stage new, by policy 7\ncause    transition 1\n`);
    expect(text).toMatch(/\n\n\S+ {2}opened +email\\u001b\[2J +\n\S+ {2}converted +12\.5\n$/);
  });

  it('says that nothing was reported, prints JSON, and rejects an unknown one', async () => {
    expect((await run(['show', 'a0'], { action: { ...ACTION, outcomes: [] } })).text).toContain('nothing was reported');
    await expect(run(['show', 'a9'])).rejects.toThrow('the ledger has no action');
  });

  it('prints the action as JSON', async () => {
    expect(JSON.parse((await run(['show', 'a0', '--json'])).text)).toEqual(ACTION);
  });
});
