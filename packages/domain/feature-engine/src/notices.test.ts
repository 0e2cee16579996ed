import { describe, expect, it } from '@jest/globals';
import { NOTICE_TYPES } from '@perennial/contracts';
import { compileFeatures } from './compile.js';
import type { FeatureEvent } from './event.js';
import { requireFeatureFile } from './feature-file.js';
import { compareWithOracle, findPython } from './oracle-test-kit.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import { DAY_MS } from './time.js';

const NOON = Date.UTC(2024, 4, 15, 12);

/** The example of docs/OUTCOMES.md. */
const BY_CHANNEL = `
version: 1
features:
  emails_{window}:
    { unit: contacts, aggregation: count, event: { type: contact, name: email }, windows: [7d, all] }
  emails_opened_30d:
    unit: emails
    aggregation: count
    event: { type: outcome, names: [opened, clicked] }
    where: properties.channel == "email"
    window: 30d
  emails_opened_share_all:
    { unit: share, aggregation: ratio, numerator: emails_opened_all, denominator: emails_delivered_all }
  emails_opened_all:
    { unit: emails, aggregation: count, event: { type: outcome, name: opened }, where: 'properties.channel == "email"' }
  emails_delivered_all:
    { unit: emails, aggregation: count, event: { type: outcome, name: delivered }, where: 'properties.channel == "email"' }
  days_since_opened: { unit: days, aggregation: days_since_last, event: { type: outcome, name: opened } }
  events_all: { unit: events, aggregation: count }
`;

const python = findPython();
const itWithPython = python === undefined ? it.skip : it;

function notice(index: number, type: string, name: string, properties: object): FeatureEvent {
  return { messageId: `n${index}`, type, name, properties, timestampMs: NOON + index * DAY_MS };
}

const HISTORY: readonly FeatureEvent[] = [
  notice(0, 'contact', 'email', { channel: 'email', campaign: 'spring' }),
  notice(0.1, 'outcome', 'delivered', { channel: 'email', actionId: 'a' }),
  notice(0.2, 'outcome', 'opened', { channel: 'email', actionId: 'a' }),
  notice(0.3, 'outcome', 'opened', { channel: 'push', actionId: 'b' }),
  { messageId: 'e', type: 'track', name: 'opened', properties: { channel: 'email' }, timestampMs: NOON },
  notice(9, 'outcome', 'delivered', { channel: 'email', actionId: 'c' }),
  notice(9, 'consent', '', { purposes: { marketing: false } }),
];

describe('what others report', () => {
  it('counts in no feature that does not name it: values and memory of accumulators stay as they are', () => {
    const spec = compileFeatures(ECOMMERCE_FEATURES);
    const bought = { messageId: 'o', type: 'track', name: 'Order Completed', properties: { revenue: 5 } };
    const { state } = spec.apply(undefined, { ...bought, timestampMs: NOON });
    for (const type of NOTICE_TYPES) {
      const after = spec.apply(state, notice(1, type, 'opened', { channel: 'email', revenue: 7 })).state;
      const behaviour = spec.apply(state, notice(1, 'page', 'opened', {})).state;
      expect(spec.vector(after, NOON + 2 * DAY_MS)).toEqual(spec.vector(state, NOON + 2 * DAY_MS));
      expect(spec.vector(behaviour, NOON + 2 * DAY_MS)).not.toEqual(spec.vector(state, NOON + 2 * DAY_MS));
      expect(after.slots).toEqual(spec.advance(state, after.asOfMs).slots);
    }
  });

  it('is counted per channel by features that name it', () => {
    const { definitions, rules } = requireFeatureFile(Buffer.from(BY_CHANNEL), 'features.yaml');
    const spec = compileFeatures(definitions, rules);
    let state = spec.empty;
    for (const event of HISTORY) state = spec.apply(state, event).state;
    expect(spec.toMap(spec.vector(state, NOON + 10 * DAY_MS).values)).toEqual({
      emails_7d: 0,
      emails_all: 1,
      emails_opened_30d: 1,
      emails_opened_share_all: 0.5,
      emails_opened_all: 1,
      emails_delivered_all: 2,
      days_since_opened: 9.7,
      events_all: 1,
    });
  });

  itWithPython('gives what the oracle gives', () => {
    const { definitions, rules } = requireFeatureFile(Buffer.from(BY_CHANNEL), 'features.yaml');
    const spec = compileFeatures(definitions, rules);
    const cases = [0, 1, 10, 40].map((days) => ({ definitions, events: HISTORY, atMs: NOON + (9 + days) * DAY_MS }));
    const wrong = compareWithOracle(python ?? '', cases, ({ events, atMs }) => {
      let state = spec.empty;
      for (const event of events) state = spec.apply(state, event).state;
      return spec.vector(state, atMs).values;
    });
    expect(wrong).toEqual([]);
  });
});
