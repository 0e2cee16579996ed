import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '@perennial/expressions';
import fc from 'fast-check';
import { DAY, HOUR, inputs, NOON, policy } from './decide-test-kit.js';
import { type ContactHistory, decideActions, mergeContacts, parsePolicy, withoutGrants } from './index.js';

const SHOP = policy(`
categories: { promo: { caps: [{ max: 2, per: 7d }] }, service: { caps: [] } }
doNotDisturb:
  - { after: Order Refunded, for: 14d, categories: [promo] }
  - { after: Ticket Opened, until: Ticket Solved, for: 30d }
channels:
  push: {}
  wechat: { permission: { grants: one_time, grantedBy: [Subscribed] } }
  wecom: { permission: { replyWindow: 48h, openedBy: [Message Received, Scanned], perWindow: 2 } }
  app: { permission: { perDay: 2 } }
strategies:
  promo_a: { stages: [a, both], on: scored, channel: push, category: promo, template: t, cooldown: 0s }
  promo_b: { stages: [b, both], on: scored, channel: push, category: promo, template: t, cooldown: 0s, caps: [{ max: 1, per: 30d }] }
  service: { stages: [c, both], on: scored, channel: push, category: service, template: t, cooldown: 0s }
  wechat: { stages: [wechat], on: scored, channel: wechat, template: t, cooldown: 0s }
  wecom: { stages: [wecom], on: scored, channel: wecom, template: t, cooldown: 0s }
  app: { stages: [app], on: scored, channel: app, template: t, cooldown: 0s }
`);

/** A life of one profile: what became of each record. */
function createLife(timeZone = '') {
  let history: ContactHistory | undefined;
  let count = 0;
  return {
    history: () => history,
    take(stage: string, atMs: number, name = ''): string {
      const cause = { causeId: `score:${count++}`, event: { type: 'track', name } };
      const result = decideActions(SHOP, inputs({ stage, nowMs: atMs, history, timeZone, ...cause }));
      ({ history } = result);
      return result.decisions[0]?.strategy ?? result.nothing?.reason ?? '';
    },
  };
}

describe('caps', () => {
  it('of a category count its strategies together, and only those', () => {
    const { take } = createLife();
    expect(take('a', NOON)).toBe('promo_a');
    expect(take('b', NOON + 1)).toBe('promo_b');
    expect(take('a', NOON + 2)).toBe('category_cap');
    expect(take('c', NOON + 3)).toBe('service');
    expect(take('a', NOON + 7 * DAY)).toBe('promo_a');
  });

  it('of a strategy hold over other strategies of its category', () => {
    const { take } = createLife();
    expect(take('b', NOON)).toBe('promo_b');
    expect(take('b', NOON + 8 * DAY)).toBe('strategy_cap');
    expect(take('b', NOON + 30 * DAY)).toBe('promo_b');
  });
});

describe('do-not-disturb', () => {
  it('begins with the record of its event, ends after its time, and spares other categories', () => {
    const { take, history } = createLife();
    expect(take('a', NOON, 'Order Refunded')).toBe('do_not_disturb');
    expect(history()?.signals).toEqual({ eventsAtMs: { 'Order Refunded': NOON }, grants: {} });
    expect(take('c', NOON + 1)).toBe('service');
    expect(take('a', NOON + 14 * DAY - 1)).toBe('do_not_disturb');
    expect(take('a', NOON + 14 * DAY)).toBe('promo_a');
  });

  it('lasts until another event, and begins anew', () => {
    const { take } = createLife();
    expect(take('c', NOON, 'Ticket Opened')).toBe('do_not_disturb');
    expect(take('c', NOON + DAY, 'Ticket Solved')).toBe('service');
    expect(take('c', NOON + 2 * DAY, 'Ticket Opened')).toBe('do_not_disturb');
    expect(take('c', NOON + 31 * DAY)).toBe('do_not_disturb');
    expect(take('c', NOON + 32 * DAY)).toBe('service');
  });

  it('keeps the history as it is for an event that the policy does not name', () => {
    const history: ContactHistory = { contacts: [], lastUsedAtMs: {}, pending: [] };
    const event = { type: 'track', name: 'constructor' };
    expect(decideActions(SHOP, inputs({ stage: 'none', history, event })).history).toBe(history);
  });

  it('forgets events that no longer matter', () => {
    const { take, history } = createLife();
    take('none', NOON, 'Order Refunded');
    take('none', NOON + 20 * DAY, 'Ticket Opened');
    expect(history()?.signals?.eventsAtMs).toEqual({ 'Ticket Opened': NOON + 20 * DAY });
  });
});

describe('the permission of a channel', () => {
  it('of one-time grants is spent by a contact', () => {
    const { take } = createLife();
    expect(take('wechat', NOON)).toBe('no_grant');
    expect(take('none', NOON, 'Subscribed')).toBe('no_strategy');
    expect(take('wechat', NOON, 'Subscribed')).toBe('wechat');
    expect(take('wechat', NOON)).toBe('wechat');
    expect(take('wechat', NOON + DAY)).toBe('no_grant');
  });

  it('of a reply window lasts for its time and its number, from its last event on', () => {
    const { take } = createLife();
    expect(take('wecom', NOON)).toBe('reply_window_closed');
    expect(take('wecom', NOON, 'Message Received')).toBe('wecom');
    expect(take('wecom', NOON + HOUR)).toBe('wecom');
    expect(take('wecom', NOON + 2 * HOUR)).toBe('reply_window_spent');
    expect(take('wecom', NOON + 3 * HOUR, 'Scanned')).toBe('wecom');
    expect(take('wecom', NOON + 51 * HOUR)).toBe('reply_window_closed');
  });

  it("of a day counts the user's own day", () => {
    const { take } = createLife('Asia/Shanghai');
    // 20:00 in Shanghai; its next day begins four hours later.
    expect(['app', 'app', 'day_spent']).toEqual([0, 1, 2].map((minute) => take('app', NOON + minute * 60_000)));
    expect(take('app', NOON + 4 * HOUR - 1)).toBe('day_spent');
    expect(take('app', NOON + 4 * HOUR)).toBe('app');
  });
});

describe('histories of two who turn out to be one person', () => {
  const events = fc.array(
    fc.record({
      stage: fc.constantFrom('both', 'wechat', 'wecom', 'app'),
      gap: fc.integer({ min: 0, max: 3 * DAY }),
      name: fc.constantFrom('', 'Order Refunded', 'Ticket Opened', 'Ticket Solved', 'Subscribed', 'Scanned'),
    }),
    { maxLength: 30 },
  );
  const live = (steps: ReadonlyArray<{ stage: string; gap: number; name: string }>): ContactHistory => {
    const life = createLife();
    let atMs = NOON;
    for (const { stage, gap, name } of steps) {
      atMs += gap;
      life.take(stage, atMs, name);
    }
    return life.history() ?? { contacts: [], lastUsedAtMs: {}, pending: [] };
  };

  it('hold together, in whichever order they join', () => {
    fc.assert(
      fc.property(events, events, (left, right) => {
        const [a, b] = [live(left), live(right)];
        const merged = mergeContacts(a, b);
        expect(JSON.stringify(merged.signals)).toBe(JSON.stringify(mergeContacts(b, a).signals));
        expect(merged.contacts).toEqual(mergeContacts(b, a).contacts);
        const grants = (history: ContactHistory) => history.signals?.grants.wechat ?? 0;
        expect(grants(merged)).toBe(grants(a) + grants(b));
        expect(grants(withoutGrants(merged))).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a policy with wrong rules', () => {
  const problemsOf = (text: string): string => {
    const yaml = `version: 1\n${text}\nstrategies:\n  s: { stages: [a], on: scored, channel: push, template: t, cooldown: 0s, category: promo }\n`;
    const parsed = parsePolicy(yaml, { fileName: 'policy.yaml', featureNames: [] });
    return parsed.ok ? '' : formatProblems(parsed.problems);
  };

  it.each([
    ['channels: { push: {} }', 'the category "promo" needs an entry under "categories", which is missing'],
    ['categories: { promos: {} }\nchannels: { push: {} }', 'unknown category "promo", did you mean "promos"?'],
    [
      'categories: { promo: {} }\nchannels: { push: { permission: { grants: one_time } } }',
      'policy.yaml:3:33: "grants" needs "grantedBy" beside it',
    ],
    [
      'categories: { promo: {} }\nchannels: { push: { permission: { perWindow: 3, openedBy: [a] } } }',
      '"openedBy" needs "replyWindow" beside it',
    ],
    [
      'categories: { promo: {} }\ndoNotDisturb: [{ after: a, for: 1d, categories: [pronto] }]\nchannels: { push: {} }',
      'unknown category "pronto", did you mean "promo"?',
    ],
    [
      `categories: { promo: {} }\nchannels:\n${Array.from({ length: 9 }, (_, channel) => `  c${channel}: { permission: { grants: one_time, grantedBy: [${Array.from({ length: 8 }, (_, event) => `e${channel}-${event}`)}] } }`).join('\n')}\n  push: {}`,
      'it watches 72 events, at most 64 are allowed',
    ],
  ])('is told %#: %s', (text, message) => {
    expect(problemsOf(text)).toContain(message);
  });
});
