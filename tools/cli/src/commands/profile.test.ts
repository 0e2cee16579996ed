import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import type { Platform } from '@perennial/launcher';
import { capturePrinted } from '../printed-test-kit.js';
import { createProfileCommand } from './profile.js';

const printed = capturePrinted();

const AT = '2026-05-01T12:00:00.000Z';
const KNOWN = {
  userId: 'ada',
  known: true,
  asOf: AT,
  features: { orders_count_all: 3, orders_recency_days: 1.23456789, orders_gap_mean_days: null },
  units: { orders_count_all: 'orders', orders_recency_days: 'days', orders_gap_mean_days: 'days' },
  inexact: [],
  profileKey: 'a-profile-key-22-chars',
  timeZone: 'Asia/Tokyo',
  lastEventAt: AT,
  traits: [
    {
      name: 'plan',
      type: 'text',
      value: 'pro',
      at: AT,
      before: [
        { value: 'free', at: AT },
        { value: null, at: AT },
      ],
    },
  ],
  tags: [{ name: 'wholesale', kind: 'imported', owner: 'crm', since: AT }],
  account: { id: 'acme', since: AT },
  reported: { asOf: AT, values: { 'account.traits.seats': 12 } },
  outliers: [{ event: 'Order Completed', property: 'revenue', flagged: 2, median: 21, spread: 3 }],
  tops: {
    top_page_30d: [
      { id: '/shoes', count: 7 },
      { id: '/cart', count: 2 },
    ],
    top_brand_7d: [],
  },
  events: [
    { type: 'identify', name: '', at: AT },
    { type: 'track', name: 'Order\u001b[2J Completed', at: AT },
  ],
};
const ANSWERS: Record<string, unknown> = {
  getKnownProfile: KNOWN,
  getTags: {
    userId: 'ada',
    history: [
      { tag: 'wholesale', change: 'given', kind: 'imported', owner: 'crm', at: AT },
      { tag: 'vip', change: 'taken', kind: 'manual', owner: '', at: '2026-04-01T00:00:00.000Z' },
    ],
  },
  getProfile: {
    userId: 'ada',
    known: true,
    asOf: AT,
    stage: 'loyal',
    since: AT,
    transitionNumber: 2,
    nextCheckAt: '2026-06-01T00:00:00.000Z',
    scores: { churn: 0.25 },
    segments: [{ name: 'vip', since: AT }],
  },
  listTransitions: {
    userId: 'ada',
    transitions: [
      {
        number: 2,
        from: 'active',
        to: 'loyal',
        cause: 'score',
        at: AT,
        reasons: ['scores.churn < 0.3'],
        evidence: { 'scores.churn': 0.2 },
      },
    ],
    next: null,
  },
  getIdentity: {
    id: 'ada',
    kind: 'user',
    profileKey: KNOWN.profileKey,
    known: true,
    joined: [],
    members: [
      { profileKey: 'phone', kind: null, joined: true, at: AT },
      { profileKey: 'tv', kind: null, joined: false, at: AT },
    ],
    cutOff: 2,
    namedBy: 0,
    namedByMax: null,
  },
  listSegmentChanges: {
    userId: 'ada',
    changes: [{ number: 1, segment: 'vip', change: 'entered', cause: 'event', at: AT, reasons: ['Spends much'] }],
    next: null,
  },
  getContacts: {
    userId: 'ada',
    waiting: [
      {
        strategy: 'upsell',
        cause: { kind: 'transition', id: '2' },
        causedAt: AT,
        dueAt: '2026-05-02T08:00:00.000Z',
        expiresAt: '2026-05-09T00:00:00.000Z',
        reasons: [],
      },
    ],
    contacts: [{ at: AT, channel: 'email' }],
    lastUsed: {},
  },
  listActions: {
    userId: 'ada',
    actions: [
      {
        decidedAt: AT,
        strategy: 'thank',
        channel: 'email',
        template: 'thanks',
        reasons: ['stage is loyal'],
        expiresAt: '2026-05-08T00:00:00.000Z',
      },
    ],
    next: null,
  },
};

/** Runs the command on services that answer this, by operation; an error is thrown. */
async function run(args: readonly string[], answers: Record<string, unknown> = ANSWERS): Promise<unknown[]> {
  const asked: unknown[] = [];
  const call = async (id: string, request: unknown) => {
    asked.push([id, request]);
    if (answers[id] instanceof Error) throw answers[id];
    return answers[id];
  };
  const command = createProfileCommand(() => ({ client: { call } as unknown as Platform['client'] }));
  await command.parseAsync([...args], { from: 'user' });
  return asked;
}

describe('profile show', () => {
  it('prints one page from all services', async () => {
    expect(await run(['show', 'ada'])).toEqual([
      ['getKnownProfile', { path: { userId: 'ada' } }],
      ['getTags', { path: { userId: 'ada' } }],
      ['getIdentity', { path: { id: 'ada' }, query: {} }],
      ['getProfile', { path: { userId: 'ada' } }],
      ['listTransitions', { query: { userId: 'ada', limit: 10 } }],
      ['listSegmentChanges', { query: { userId: 'ada', limit: 10 } }],
      ['listActions', { query: { userId: 'ada', limit: 10 } }],
      ['getContacts', { path: { userId: 'ada' } }],
    ]);
    for (const text of [
      `ada  (profile a-profile-key-22-chars, as of ${AT})`,
      'its own, 1 joined it, 2 cut off',
      'acme, since',
      'Order Completed revenue  2 far from its history  usually 21',
      'top_page_30d  /shoes (7), /cart (2)',
      'account.traits.seats  12',
      'plan  pro  since 2026-05-01T12:00:00.000Z  before: free, removed',
      'loyal, since',
      'vip  since',
      'wholesale  imported  by crm  since',
      'vip        taken by -',
      'vip  entered: Spends much',
      '2026-05-02T08:00:00.000Z  upsell, which waits',
      'active -> loyal  score  scores.churn < 0.3',
      'churn  0.2500  was 0.2000 when the stage changed last',
      'orders_recency_days  1.23457  days',
      '1 have no value yet',
      'Order\\u001b[2J Completed',
      'thank  email thanks  stage is loyal',
      '2026-06-01T00:00:00.000Z  its stage and segments are checked again',
      '2026-05-08T00:00:00.000Z  the action of thank expires',
    ]) {
      expect(printed.text).toContain(text);
    }
    expect(printed.text).not.toMatch(/ $/m);
  });

  it('gives the parts to scripts', async () => {
    await run(['show', 'ada', '--json']);
    expect(JSON.parse(printed.text)).toMatchObject({
      known: { userId: 'ada' },
      standing: { stage: 'loyal' },
      transitions: [{ number: 2 }],
      actions: [{ strategy: 'thank' }],
      problems: [],
    });
  });

  it('says what is missing where a service does not answer', async () => {
    const away = new AppError('dependency_unavailable', 'scoring does not answer', { retriable: true });
    await run(['show', 'ada'], { ...ANSWERS, getProfile: away, listTransitions: away });
    expect(printed.text).toContain('plan  pro');
    expect(printed.text).toContain('stage and scores is missing: scoring does not answer');
    const none = Object.fromEntries(Object.keys(ANSWERS).map((id) => [id, away]));
    for (const answers of [{ ...ANSWERS, getKnownProfile: away, getIdentity: away }, none]) {
      await run(['show', 'ada'], answers);
      expect(printed.text).toContain('traits:\nunknown');
      expect(printed.text).toContain('who it is, with traits, events and features, is missing');
    }
    const invalid = new AppError('config_invalid', 'userId is empty');
    await expect(run(['show', 'ada'], { ...ANSWERS, getProfile: invalid })).rejects.toBe(invalid);
  });

  it('says of whom no event has come', async () => {
    const nobody = { ...KNOWN, userId: 'bo', known: false, tags: [] };
    const noTags = { getTags: { userId: 'bo', history: [] } };
    await run(['show', 'bo'], { ...ANSWERS, ...noTags, getKnownProfile: nobody });
    expect(printed.text).toBe('bo is not known: no event of this id has come\n');
    await run(['show', 'bo'], { ...ANSWERS, getKnownProfile: { ...nobody, tags: KNOWN.tags } });
    expect(printed.text).toMatch(/tags:\nwholesale +imported +by crm/);
  });
});
