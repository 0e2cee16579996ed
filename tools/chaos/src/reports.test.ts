import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import { Reports } from './reports.js';

const ACTION = { actionId: 'a1', userId: 'user-1', channel: 'email' };
const draw = (reports: Reports) => Array.from({ length: 300 }, () => reports.draw());

describe('what the load reports', () => {
  it('is nothing while no action is known, nor of the hot user', () => {
    const reports = new Reports(createSeededRandom(1));
    reports.note({ ...ACTION, userId: 'hot-0' });
    expect(reports.draw()).toBeUndefined();
  });

  it('is of actions that were decided: outcomes of every telling kind, contacts and consents', () => {
    const reports = new Reports(createSeededRandom(1));
    reports.note(ACTION);
    const drawn = draw(reports);
    for (const report of drawn) expect(report).toMatchObject({ userId: 'user-1' });
    expect(new Set(drawn.map((report) => report?.type))).toEqual(new Set(['outcome', 'contact', 'consent']));
    const outcomes = drawn.filter((report) => report?.type === 'outcome');
    expect(new Set(outcomes.map((report) => report?.actionId))).toEqual(new Set(['a1']));
    const kinds = outcomes.map((report) => report?.outcome);
    expect(kinds).toEqual(expect.arrayContaining(['delivered', 'opened', 'bounced', 'unsubscribed', 'converted']));
  });

  it('is mostly of the newest actions', () => {
    const reports = new Reports(createSeededRandom(1));
    for (let i = 0; i < 2_000; i++) reports.note({ ...ACTION, userId: `user-${i}` });
    const numbers = draw(reports).map((report) => Number(String(report?.userId).split('-')[1]));
    expect(Math.min(...numbers)).toBeGreaterThan(1_400);
  });
});
