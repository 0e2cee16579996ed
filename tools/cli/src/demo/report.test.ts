import { describe, expect, it } from '@jest/globals';
import type { ProfilePage } from '@perennial/client';
import { AcceptedEvent, AcceptedRecord } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import type { Explained } from './explained.js';
import { LatencyMeter, toQuantile } from './latency.js';
import { renderReport } from './render-report.js';
import { toDemoReport } from './report.js';
import { Tally } from './tally.js';

const AT = '1998-07-02T10:00:00.000Z';
const PAGE: ProfilePage = {
  userId: 'visitor-1',
  identity: null,
  tagChanges: null,
  segmentChanges: null,
  contacts: null,
  known: {
    userId: 'visitor-1',
    known: true,
    asOf: AT,
    specHash: 'a',
    features: { orders_count_all: 1 },
    inexact: [],
    units: { orders_count_all: 'orders' },
    profileKey: 'key',
    timeZone: '',
    lastEventAt: AT,
    tags: [],
    traits: [{ name: 'favourite_genre', type: 'text', value: 'jazz', at: AT, before: [] }],
    account: null,
    reported: null,
    outliers: [],
    tops: {},
    events: [{ type: 'track', name: 'Order Completed', at: AT }],
  },
  standing: null,
  transitions: null,
  actions: null,
  problems: [],
};

const ANSWER = { policyVersion: 2, at: AT, result: 'decided', steps: [{ step: 'candidates', dropped: [] }] };
const EXPLAINED = {
  decided: [
    {
      entered: true,
      explanation: {
        ...ANSWER,
        userId: 'u7',
        action: { strategy: 'thanks', reasons: ['is new'], dueAt: null, expiresAt: AT },
        nothing: null,
        steps: [
          {
            step: 'suppressed',
            dropped: [
              { strategy: 'a', reason: 'cooldown' },
              { strategy: 'b', reason: 'cooldown' },
              { strategy: 'c', reason: 'overall_cap' },
            ],
          },
        ],
      },
    },
  ],
  whyNot: {
    entered: false,
    explanation: {
      ...ANSWER,
      userId: 'u8',
      action: null,
      nothing: { step: 'arm', reason: 'experiment_arm' },
      steps: [{ step: 'arm', dropped: [{ strategy: 'thanks', reason: 'experiment_arm' }] }],
    },
  },
} as unknown as Explained;

describe('LatencyMeter', () => {
  it('measures from the answer to the action, whichever is seen first', () => {
    const meter = new LatencyMeter();
    for (const user of ['a', 'b', 'c']) meter.expect(user);
    meter.acked('a', 100);
    meter.decided('a', 112.5);
    meter.decided('b', 99);
    meter.acked('b', 100);
    meter.acked('c', 100);
    meter.decided('stranger', 100);
    expect(meter.summary()).toEqual({ p50: 0, p99: 12.5, count: 2 });
  });

  it('takes the first answer of an event that is sent twice', () => {
    const meter = new LatencyMeter();
    meter.expect('a');
    meter.acked('a', 100);
    meter.acked('a', 105);
    meter.decided('a', 110);
    expect(meter.summary().p50).toBe(10);
  });

  it('knows no quantile of nothing', () => {
    expect(toQuantile([], 0.99)).toBeNull();
    expect(toQuantile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(toQuantile([1, 2, 3, 4], 0.99)).toBe(4);
  });
});

describe('the report', () => {
  const tally = createTally();
  const traffic = { sent: 4, answered: 4, failed: 0, latencyMs: { p50: 8, p99: 21, count: 3 } };
  const report = toDemoReport({
    sent: 4,
    tally,
    suppressed: { holdout: 2 },
    traffic,
    visitor: { anonymousId: 'browser-1', userId: 'visitor-1', sent: 5, page: PAGE },
    trial: null,
    explained: EXPLAINED,
    history: { origin: 'cdnow', note: 'CDNOW' },
    seconds: 12.345,
  });

  it('counts each thing once', () => {
    expect(report).toMatchObject({
      events: { sent: 4, accepted: 3, rejected: 1, duplicates: 1 },
      transitions: 3,
      stages: { engaged: 1, new: 1 },
      segments: { buyers: 2, basket: 0 },
      flows: { '(first seen) -> new': 2, 'new -> engaged': 1 },
      actions: { total: 1, byStrategy: { welcome: 1 }, suppressed: { holdout: 2 } },
      latencyMs: { p50: 8, p99: 21 },
      seconds: 12.3,
    });
  });

  it('reads well', () => {
    const text = renderReport(report, { namespace: 'demo', urls: { 'feature-store': 'http://127.0.0.1:1' } });
    expect(text).toContain('4 sent, 3 accepted, 1 rejected');
    expect(text).toContain('welcome to u1 (new), email "welcome"');
    expect(text).toContain('because first order');
    expect(text).toContain('  in the arm usual of the experiment trial\n');
    expect(text).toContain(
      '  ./perennial explain u7 --entered --namespace demo\n    u7: thanks now, since it is new\n    no other: suppressed dropped 2 cooldown, 1 overall_cap\n',
    );
    expect(text).toMatch(
      /\n {2}And why not:\n {2}\.\/perennial explain u8 --namespace demo\n {4}u8: nothing, because of experiment_arm \(arm\)\n/,
    );
    expect(text).toMatch(/\n {4}arm {2}thanks {2}experiment_arm\n/);
    expect(text).not.toContain('Does a welcome help?');
    expect(text).toMatch(/Which segments they are in\n {2}buyers +2\n {2}basket +0\n/);
    expect(text).toContain('half within 8 ms, 99 of 100 within 21 ms');
    expect(text).toContain('http://127.0.0.1:1/v1/features/u1');
    expect(text).toContain('tokens local --namespace demo');
    expect(text).toContain('browser-1 looked at three products, signed in as visitor-1');
    expect(text).toMatch(/^ {4}favourite_genre +jazz/m);
    expect(text).not.toMatch(/ $/m);
    expect(text).not.toContain('undefined');
  });
});

function createTally(): Tally {
  const tally = new Tally();
  for (const messageId of ['m1', 'm2', 'm1']) {
    const value = { ...AcceptedEvent.decode(new Uint8Array()), messageId, type: 'track', name: 'Order Completed' };
    const bytes = AcceptedRecord.encode({ record: { $case: 'event', value } }).finish();
    tally.addAccepted(toRecord('p1', Buffer.from(bytes)));
  }
  const tick = AcceptedRecord.encode({ record: { $case: 'tick', value: { timeMs: 1 } } }).finish();
  tally.addAccepted(toRecord(null, Buffer.from(tick)));
  tally.addRejected(toRecord(null, json({ reason: 'invalid_id' })));
  const changes = [
    { profileKey: 'p1', number: 1, from: null, to: 'new' },
    { profileKey: 'p2', number: 1, from: null, to: 'new' },
    { profileKey: 'p1', number: 2, from: 'new', to: 'engaged' },
    { profileKey: 'p1', number: 1, from: null, to: 'new' },
  ];
  for (const change of changes) tally.addStageChange(toRecord('p', json(change)));
  const segmentChanges = [
    { profileKey: 'p1', segment: 'buyers', change: 'entered' },
    { profileKey: 'p1', segment: 'basket', change: 'entered' },
    { profileKey: 'p2', segment: 'buyers', change: 'entered' },
    { profileKey: 'p1', segment: 'basket', change: 'left' },
  ];
  for (const change of segmentChanges) tally.addSegmentChange(toRecord('p:s', json(change)));
  const action = {
    actionId: 'a1',
    profileKey: 'p1',
    userId: 'u1',
    strategy: 'welcome',
    channel: 'email',
    template: 'welcome',
    parameters: { coupon: 'X' },
    stage: 'new',
    experiment: 'trial',
    arm: 'usual',
    reasons: ['first order'],
    decidedAt: '2024-01-01T10:00:00Z',
    expiresAt: '2024-01-04T10:00:00Z',
  };
  tally.addAction(toRecord('p1', json(action)));
  return tally;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function toRecord(key: string | null, value: Buffer): LogRecord {
  return {
    topic: 't',
    partition: 0,
    offset: 0,
    timestampMs: 0,
    key: key === null ? null : Buffer.from(key),
    value,
    headers: {},
  };
}
