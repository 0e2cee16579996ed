import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '@perennial/expressions';
import { must } from '@perennial/kernel';
import fc from 'fast-check';
import { HOUR, inputs, NOON, policy } from './decide-test-kit.js';
import {
  type ActionDecision,
  comparePolicies,
  type DecisionInputs,
  decideActions,
  describePolicy,
  lintPolicy,
  parsePolicy,
  releasePending,
} from './index.js';

const NIGHT = Date.UTC(2025, 0, 15, 23);
const MORNING = Date.UTC(2025, 0, 16, 8);
const OPTIONS = `
      channel: [email, push]
      offer: { ten: { parameters: { coupon: X }, cost: 1 }, none: {} }
      tone: [warm, plain]`;
const HEAD = `
quietHours: { from: "21:00", to: "08:00" }
channels:
  email: { caps: [{ max: 1, per: 7d }] }
  push: { permission: { perDay: 1 } }
  in_app: { ignoresQuietHours: true }`;
const toText = (choice: string, options = OPTIONS) => `${HEAD}
strategies:
  s:
    stages: [new]
    on: scored
    template: t
    cooldown: 0s
    cost: 2
    parameters: { points: 5 }
    optionChoice: ${choice}
    options:${options}
`;
const RANDOM = policy(toText('random'));
const FIXED = policy(toText('fixed'));
const NAMES = ['email', 'push'].flatMap((channel) =>
  ['ten', 'none'].flatMap((offer) => ['warm', 'plain'].map((tone) => `channel=${channel},offer=${offer},tone=${tone}`)),
);

function decide(more: Partial<DecisionInputs> = {}, inForce = RANDOM): ActionDecision | undefined {
  return decideActions(inForce, inputs(more)).decisions[0];
}

const contact = (channel: string, atMs = NOON - HOUR) => ({ atMs, channel, strategy: 'other' });
const withContacts = (...channels: string[]) => ({
  contacts: channels.map((channel) => contact(channel)),
  lastUsedAtMs: {},
  pending: [],
});

describe('options of a strategy', () => {
  it('are the product of its dimensions, each with its channel, parameters and cost', () => {
    const { open } = must(RANDOM.strategies.get('s')?.options, 'options');
    expect(open.map(({ name }) => name)).toEqual(NAMES);
    expect(decide({}, FIXED)).toMatchObject({
      option: { name: NAMES[0], propensity: 1 },
      channel: 'email',
      parameters: { points: 5, coupon: 'X' },
      cost: 3,
    });
    expect(open[7]).toEqual({ name: NAMES[7], channel: 'push', parameters: { points: 5 }, cost: 2 });
  });

  it('are out where their channel is capped, not permitted or not allowed; the strategy where none is left', () => {
    expect(decide({ history: withContacts('email') }, FIXED)?.option).toEqual({ name: NAMES[4], propensity: 1 });
    expect(decide({ history: withContacts('email') })?.option?.propensity).toBe(1 / 4);
    expect(decide({ history: withContacts('push') })?.channel).toBe('email');
    const obstacles = [{ channel: 'email', kind: 'bounced' as const, atMs: NOON }];
    const permissions = { contact: [], purposes: [], obstacles };
    expect(decide({ permissions }, FIXED)?.channel).toBe('push');
    const none = decideActions(RANDOM, inputs({ permissions, history: withContacts('push') }));
    expect(none.decisions).toEqual([]);
    expect(none.suppressed).toEqual([{ strategy: 's', reason: 'bounced' }]);
    expect(decideActions(RANDOM, inputs({ history: withContacts('email', 'push') })).nothing).toEqual({
      step: 'suppressed',
      strategy: 's',
      reason: 'channel_cap',
    });
  });

  it('are out where quiet hours outlast the expiry on their channel', () => {
    const text = toText('fixed', '\n      channel: [email, in_app]').replace(
      'template: t',
      'template: t\n    expiry: 1h',
    );
    expect(decide({ nowMs: NIGHT }, policy(text))).toMatchObject({ channel: 'in_app', option: { propensity: 1 } });
    const night = decideActions(policy(text.replace(', in_app]', ', push]')), inputs({ nowMs: NIGHT }));
    expect(night.nothing).toEqual({ step: 'timing', strategy: 's', reason: 'quiet_hours_outlast_expiry' });
  });

  it('give an action the same id whatever the option is', () => {
    expect(decide({}, RANDOM)?.actionId).toBe(decide({}, FIXED)?.actionId);
    expect(decide({ history: withContacts('email') })?.actionId).toBe(decide()?.actionId);
  });

  it('stay what they were in a decision that waits, whatever is open when it is due', () => {
    const deferred = decideActions(RANDOM, inputs({ nowMs: NIGHT, profileKey: 'p2' }));
    const [pending] = deferred.history.pending;
    expect(pending?.option?.propensity).toBe(1 / 8);
    const channel = must(/channel=(\w+)/.exec(pending?.option?.name ?? '')?.[1], 'a channel');
    const due = { nowMs: MORNING, profileKey: 'p2' };
    const other = channel === 'email' ? 'push' : 'email';
    const busy = { ...deferred.history, contacts: [contact(other, MORNING - HOUR)] };
    const released = releasePending(RANDOM, inputs({ ...due, history: busy }));
    expect(released.decisions).toMatchObject([{ option: pending?.option, channel }]);
    const capped = { ...deferred.history, contacts: [contact(channel, MORNING - HOUR)] };
    expect(releasePending(RANDOM, inputs({ ...due, history: capped })).decisions).toEqual([]);
    const fewer = policy(toText('random', '\n      channel: [in_app]'));
    expect(releasePending(fewer, inputs({ ...due, history: deferred.history })).suppressed).toEqual([
      { strategy: 's', reason: 'option_removed' },
    ]);
  });

  it('are chosen when it is due, where the policy had none when the decision began to wait', () => {
    const plain = policy(
      `${HEAD}\nstrategies:\n  s: { stages: [new], on: scored, channel: email, template: t, cooldown: 0s }\n`,
    );
    const { history } = decideActions(plain, inputs({ nowMs: NIGHT }));
    expect(history.pending[0]).not.toHaveProperty('option');
    const released = releasePending(FIXED, inputs({ nowMs: MORNING, history }));
    expect(released.decisions).toMatchObject([{ option: { name: NAMES[0], propensity: 1 } }]);
  });
});

describe('a random option', () => {
  const profile = fc.record({
    profileKey: fc.string({ minLength: 1, maxLength: 20 }),
    causeId: fc.nat().map((number) => `score:${number}`),
    history: fc.subarray(['email', 'push']).map((channels) => withContacts(...channels)),
  });

  it('is the same for the same inputs, one of those that are open, with their probability', () => {
    fc.assert(
      fc.property(profile, (more) => {
        const first = decide(more);
        expect(decide(more)).toEqual(first);
        const busy = new Set(more.history.contacts.map(({ channel }) => channel));
        const open = NAMES.filter((name) => !busy.has(/channel=(\w+)/.exec(name)?.[1] ?? ''));
        expect(first?.option?.propensity).toBe(open.length === 0 ? undefined : 1 / open.length);
        expect(first === undefined || open.includes(first.option?.name ?? '')).toBe(true);
      }),
    );
  });

  it.each([
    [[], 8],
    [['email'], 4],
  ] as const)('with contacts by %j is drawn as often as its propensity says', (busy, size) => {
    const draws = 8_000;
    const seen = new Map<string, { count: number; propensity: number }>();
    for (let index = 0; index < draws; index++) {
      const option = must(decide({ profileKey: `p${index}`, history: withContacts(...busy) })?.option, 'an option');
      const { count } = seen.get(option.name) ?? { count: 0 };
      seen.set(option.name, { count: count + 1, propensity: option.propensity });
    }
    expect(seen.size).toBe(size);
    expect([...seen.values()].reduce((sum, { propensity }) => sum + propensity, 0)).toBeCloseTo(1, 12);
    // Five standard deviations: keys are fixed, so this either always holds or never.
    for (const { count, propensity } of seen.values()) {
      const deviation = Math.sqrt((propensity * (1 - propensity)) / draws);
      expect(Math.abs(count / draws - propensity)).toBeLessThan(5 * deviation);
    }
  });
});

describe('parsePolicy with options', () => {
  const problemsOf = (options: string, keys = '') => {
    const text = `version: 1\nchannels: { email: {}, push: {} }\nstrategies:\n  s:\n    stages: [new]\n    on: scored\n    template: t\n    cooldown: 1d\n${keys}    options:${options}\n`;
    const parsed = parsePolicy(text, { fileName: 'p.yaml', featureNames: [] });
    return parsed.ok ? [] : formatProblems(parsed.problems).split('\n');
  };

  it('accepts a list of names or a mapping, up to 64 options', () => {
    const eight = '[a, b, c, d, e, f, g, h]';
    expect(problemsOf(`\n      channel: { email: {}, push: { cost: 2 } }`)).toEqual([]);
    expect(problemsOf(`\n      x: ${eight}\n      y: ${eight}`, '    channel: email\n')).toEqual([]);
    expect(problemsOf(`\n      x: ${eight}\n      y: ${eight}\n      z: [a, b]`, '    channel: email\n')).toEqual([
      expect.stringContaining('p.yaml:11:7: these are 128 options, at most 64 are allowed'),
    ]);
  });

  it('reports all that is wrong at once, with place and the nearest channel', () => {
    const problems = problemsOf(
      '\n      channel: [emial, psh]\n      offer: { Ten: {}, one: { cots: 1 } }\n      tone: []\n      hour: 9\n      size: [a, a]',
    );
    for (const expected of [
      'p.yaml:10:17: unknown channel "emial", did you mean "email"?',
      'p.yaml:10:24: unknown channel "psh", did you mean "push"?',
      'p.yaml:11:16: "Ten" is not a name',
      'p.yaml:11:32: unknown key "cots", did you mean "cost"?',
      'p.yaml:12:13: at least one is needed here',
      'p.yaml:13:13: a list of names, or a mapping of names to settings, is needed here',
      'p.yaml:14:17: "a" stands here twice',
    ]) {
      expect(problems).toContainEqual(expect.stringContaining(expected));
    }
    expect(problems).toHaveLength(7);
  });

  it.each([
    ['\n      tone: [warm]', '', 'the key "channel" is missing'],
    ['\n      channel: [email]', '    channel: push\n', 'leave this one out'],
    [' {}', '    channel: push\n', 'options need a dimension'],
    [
      '\n      channel: [email]\n      a: { x: { parameters: { k: 1 } } }\n      b: { y: { parameters: { k: 2 } } }',
      '',
      'the parameter "k" is of the dimension "a" already',
    ],
    [
      `\n      channel: [email]\n      a: { x: { parameters: { k: ${'k'.repeat(3_000)} } } }\n      b: { y: { parameters: { m: ${'m'.repeat(3_000)} } } }`,
      '',
      'the option "channel=email,a=x,b=y" has more than 4096 characters of parameters together',
    ],
  ])('rejects%s with %j', (options, keys, message) => {
    expect(problemsOf(options, keys)).toEqual([expect.stringContaining(message)]);
  });

  it('rejects a choice among no options', () => {
    const text = `version: 1\nchannels: { push: {} }\nstrategies:\n  s: { stages: [new], on: scored, channel: push, template: t, cooldown: 1d, optionChoice: random }\n`;
    const parsed = parsePolicy(text, { fileName: 'p.yaml', featureNames: [] });
    expect(parsed.ok || formatProblems(parsed.problems)).toContain('"optionChoice" needs "options" beside it');
  });
});

describe('what is said of options', () => {
  const lint = (text: string) =>
    lintPolicy(`version: 1\n${text}`, { fileName: 'p.yaml', featureNames: [] }).map(({ kind, message }) => [
      kind,
      message,
    ]);

  it('finds options that are never open, and a strategy without any that is', () => {
    const closed = toText('random').replace('max: 1', 'max: 0');
    const reason = `the channel "email"'s cap allows 0 contacts`;
    expect(lint(closed)).toEqual([['doubtful', `strategy "s" has options that are never open: ${reason}`]]);
    expect(lint(closed.replace('[email, push]', '[email]'))).toEqual([
      ['never', `strategy "s" can never fire: ${reason}`],
    ]);
  });

  it('describes them', () => {
    expect(describePolicy(RANDOM).strategies[0]?.text).toBe(
      'While a profile is new, it sends "t" by email or push with points 5. In one of 8 options (channel email or push; offer ten or none; tone warm or plain), drawn from those that are open, each as likely. Useful for 3 d. It costs 2 to 3.',
    );
    expect(describePolicy(FIXED).strategies[0]?.text).toContain('the first of those that are open');
  });

  it('names what was changed of them', () => {
    const other = policy(toText('random', OPTIONS.replace('cost: 1', 'cost: 2').replace('[warm, plain]', '[warm]')));
    expect(comparePolicies(FIXED, other)).toEqual([
      {
        part: 'strategy',
        name: 's',
        change: 'changed',
        keys: [
          {
            key: 'options',
            before: 'channel: email, push; offer: ten {"coupon":"X"} for 1, none; tone: warm, plain',
            after: 'channel: email, push; offer: ten {"coupon":"X"} for 2, none; tone: warm',
          },
          { key: 'optionChoice', before: 'fixed', after: 'random' },
        ],
      },
    ]);
  });
});
