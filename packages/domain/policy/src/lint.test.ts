import { describe, expect, it } from '@jest/globals';
import { policy } from './decide-test-kit.js';
import { comparePolicies, describePolicy, lintPolicy } from './index.js';

const HEAD = 'version: 1\n';
const S = 'stages: [new], on: scored, channel: push, template: t';

function lint(text: string): string[] {
  const options = { fileName: 'policy.yaml', featureNames: ['x'] };
  return lintPolicy(HEAD + text, options).map(({ kind, line, message }) => `${line} ${kind}: ${message}`);
}

describe('lintPolicy', () => {
  it.each([
    [
      'channels: { push: {} }',
      'cooldown: 1d, when: features.x > 3 && features.x < 2',
      'its condition holds for no values',
    ],
    ['channels: { push: {} }', 'cooldown: 1d, when: profile.stage == "old"', 'its condition holds for no values'],
    [
      'channels: { push: { caps: [{ max: 0, per: 1d }] } }',
      'cooldown: 1d',
      `the channel "push"'s cap allows 0 contacts`,
    ],
    ['caps: [{ max: 0, per: 1d }]\nchannels: { push: {} }', 'cooldown: 1d', 'the overall cap allows 0 contacts'],
    ['channels: { push: {} }', 'cooldown: 1d, caps: [{ max: 0, per: 1d }]', 'its own cap allows 0 contacts'],
    [
      'categories: { promo: { caps: [{ max: 0, per: 1d }] } }\nchannels: { push: {} }',
      'cooldown: 1d, category: promo',
      `the category "promo"'s cap allows 0 contacts`,
    ],
    ['channels: { push: {} }', 'cooldown: 1d, holdout: 1', 'its holdout has all profiles'],
    ['holdout: { share: 1, salt: s }\nchannels: { push: {} }', 'cooldown: 1d', 'the holdout has all profiles'],
  ])('%s with %s can never fire', (head, keys, reason) => {
    const line = head.split('\n').length + 3;
    expect(lint(`${head}\nstrategies:\n  s: { ${S}, ${keys} }\n`)).toEqual([
      `${line} never: strategy "s" can never fire: ${reason}`,
    ]);
  });

  it('finds a strategy behind one that always acts', () => {
    const text = `channels: { push: {} }\nstrategies:\n  late: { ${S}, cooldown: 1d }\n  first: { ${S}, cooldown: 0s, priority: 1 }\n`;
    expect(lint(text)).toEqual([
      '4 never: strategy "late" can never fire: "first" is chosen before it, always; give it a higher priority',
      '5 doubtful: strategy "first" fires at every score: give it a cooldown, a cap or a condition',
    ]);
  });

  it.each([
    ['category', `${S}, category: promo`],
    ['channel', S.replace('push', 'email')],
  ])('doubts one behind it with another %s, which a person may withdraw', (_, late) => {
    const text = `categories: { promo: {} }\nchannels: { push: {}, email: {} }\nstrategies:\n  late: { ${late}, cooldown: 1d }\n  first: { ${S}, cooldown: 0s, priority: 1 }\n`;
    expect(lint(text)[0]).toBe(
      '5 doubtful: strategy "late" fires only for who does not allow "first", which is chosen before it; give it a higher priority',
    );
    expect(lint(text)).toHaveLength(2);
  });

  it('finds conditions that always hold, and an expiry within quiet hours', () => {
    const text = `quietHours: { from: "22:00", to: "08:00" }\nchannels: { push: {} }\nstrategies:\n  s: { ${S}, cooldown: 1d, expiry: 2h, when: 'features.x > 1 || !(features.x > 1)' }\n`;
    expect(lint(text)).toEqual([
      '5 doubtful: strategy "s" has a condition that always holds; leave it out',
      '5 doubtful: strategy "s" expires after 2 h, and quiet hours last 10 h: a cause early in them leads to nothing',
    ]);
  });

  it('finds nothing in a file that is not valid, or all right', () => {
    expect(lint('channels: {}')).toEqual([]);
    expect(lint(`channels: { push: {} }\nstrategies:\n  s: { ${S}, cooldown: 1d }\n`)).toEqual([]);
  });
});

const BEFORE = `
name: shop
channels: { push: {}, email: { caps: [{ max: 1, per: 1d }] } }
strategies:
  a: { ${S}, cooldown: 36h, parameters: { coupon: A }, cost: 2, benefit: 9, when: features.x > 1 }
  b: { ${S}, cooldown: 1d }
`;

describe('comparePolicies', () => {
  it('names what was added, removed and changed, with both values', () => {
    const after = BEFORE.replace('36h', '2d').replace('max: 1', 'max: 2').replace('  b:', '  c:');
    expect(comparePolicies(policy(BEFORE), policy(BEFORE))).toEqual([]);
    expect(comparePolicies(policy(BEFORE), policy(after))).toEqual([
      {
        part: 'channel',
        name: 'email',
        change: 'changed',
        keys: [{ key: 'caps', before: '1 in 1 d', after: '2 in 1 d' }],
      },
      { part: 'strategy', name: 'a', change: 'changed', keys: [{ key: 'cooldown', before: '36 h', after: '2 d' }] },
      { part: 'strategy', name: 'b', change: 'removed', keys: [] },
      { part: 'strategy', name: 'c', change: 'added', keys: [] },
    ]);
  });
});

it('compares and describes experiments, each once', () => {
  const withArms = (weight: number) =>
    policy(
      `${BEFORE}experiments:\n  trial:\n    salt: s\n    strategies: [a, b]\n    arms: { usual: {}, other: { weight: ${weight}, strategies: [b] } }\n`,
    );
  expect(comparePolicies(policy(BEFORE), withArms(1))).toEqual([
    { part: 'experiment', name: 'trial', change: 'added', keys: [] },
  ]);
  const [changed] = comparePolicies(withArms(1), withArms(2));
  expect(changed).toMatchObject({ part: 'experiment', name: 'trial', change: 'changed', keys: [{ key: 'arms' }] });
  expect(describePolicy(withArms(1)).rules.at(-1)).toBe('The experiment trial compares usual and other.');
});

describe('describePolicy', () => {
  it('says in sentences what a policy does', () => {
    const { rules, strategies } = describePolicy(
      policy(`
holdout: { share: 0.05, salt: s }
quietHours: { from: "21:00", to: "08:00" }
doNotDisturb: [{ after: Ticket Opened, until: Ticket Solved, for: 30d }]${BEFORE.replace('push: {}', 'push: { permission: { perDay: 3 } }')}`),
    );
    expect(rules).toEqual([
      'shop: 2 strategies over 2 channels; one cause leads to one action at most.',
      'Of several that could act, the one of the highest priority does, then the first in the file.',
      '5 % of all profiles get nothing, for comparison.',
      "From 21:00 to 08:00 in the user's own zone (UTC where it is unknown) an action waits until they end.",
      'After Ticket Opened nothing is sent for 30 d or until Ticket Solved.',
      "push may be used 3 times in a day of the user's zone.",
      'By email at most 1 in 1 d.',
    ]);
    expect(strategies[0]).toEqual({
      name: 'a',
      text: 'While a profile is new and features.x > 1, it sends "t" by push with coupon "A". Once in 36 h for a profile. Useful for 3 d. It costs 2, and is expected to bring 9.',
    });
  });
});
