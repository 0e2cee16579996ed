import { describe, expect, it } from '@jest/globals';
import type { Platform } from '@perennial/launcher';
import { capturePrinted } from '../printed-test-kit.js';
import { createExplainCommand } from './explain.js';

const printed = capturePrinted();
const AT = '2026-05-01T12:00:00.000Z';
const KNOWN = {
  features: { orders_count_all: 3 },
  timeZone: 'Asia/Tokyo',
  lastEventAt: AT,
  traits: [
    { name: 'plan', type: 'text', value: 'pro' },
    { name: 'renewal', type: 'time', value: AT },
  ],
  reported: { asOf: AT, values: { 'account.traits.seats': 12 } },
};
const STANDING = { stage: 'loyal', since: AT, scores: { churn: 0.2 }, segments: [{ name: 'vip', since: AT }] };
const ANSWER = {
  userId: 'ada',
  policyVersion: 7,
  at: AT,
  result: 'decided',
  action: { strategy: 'mail', reasons: ['is loyal', 'features.x = 3'], dueAt: null, expiresAt: AT },
  nothing: null,
  steps: [
    { step: 'candidates', dropped: [{ strategy: 'hello', reason: 'not_entered' }] },
    { step: 'suppressed', dropped: [{ strategy: 'nudge', reason: 'cooldown' }] },
  ],
};

async function run(args: readonly string[], more: { readonly standing?: object; readonly answer?: object } = {}) {
  const calls: unknown[] = [];
  const answers: Record<string, unknown> = {
    getKnownProfile: KNOWN,
    getProfile: { ...STANDING, ...more.standing },
    explainDecision: { ...ANSWER, ...more.answer },
  };
  const client = {
    call: async (name: string, input: unknown) => {
      calls.push([name, input]);
      return answers[name];
    },
  } as unknown as Platform['client'];
  await createExplainCommand(() => ({ client })).parseAsync(args, { from: 'user' });
  return { calls, text: printed.text };
}

describe('explain', () => {
  it('asks what is known of the user, and prints the action and why no other one', async () => {
    const { calls, text } = await run(['ada']);
    expect(text).toMatch(
      /^ada: mail now, since it is loyal, features\.x = 3\npolicy 7, as of .*\n\ncandidates +hello +not_entered\nsuppressed +nudge +cooldown\n$/,
    );
    expect(calls.at(-1)).toEqual([
      'explainDecision',
      {
        path: { userId: 'ada' },
        body: {
          stage: 'loyal',
          entered: false,
          stageSince: AT,
          lastEventAt: AT,
          timeZone: 'Asia/Tokyo',
          features: KNOWN.features,
          attributes: { 'traits.plan': 'pro', 'traits.renewal': Date.parse(AT), 'account.traits.seats': 12 },
          scores: { churn: 0.2 },
          segments: ['vip'],
        },
      },
    ]);
  });

  it('says why nothing is done, and when something will be', async () => {
    const nothing = await run(['ada'], {
      answer: { action: null, nothing: { step: 'suppressed', reason: 'cooldown' } },
    });
    expect(nothing.text).toContain('ada: nothing, because of cooldown (suppressed)');
    const later = await run(['ada'], { answer: { action: { ...ANSWER.action, dueAt: AT } } });
    expect(later.text).toContain(`ada: mail at ${AT}, after quiet hours`);
  });

  it('prints JSON, and rejects a user without a stage', async () => {
    const { text } = await run(['ada', '--json', '--entered']);
    expect(JSON.parse(text)).toEqual(ANSWER);
    await expect(run(['ada'], { standing: { stage: null } })).rejects.toThrow('ada has no stage yet');
  });
});
