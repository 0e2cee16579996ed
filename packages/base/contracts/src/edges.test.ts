import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type {
  ActionCancelled,
  ActionChanged,
  ActionDecided,
  EventRejected,
  ExperimentAssigned,
  SegmentChanged,
  StageChanged,
} from './edges.js';
import { toCloudEventHeaders } from './headers.js';
import { TOPICS } from './topics.js';

const folder = join(import.meta.dirname, '../../../../proto/edges');
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
ajv.addKeyword('x-writer').addFormat('date-time', RFC3339);

interface EdgeSchema {
  readonly 'x-writer': string;
  readonly properties: Readonly<Record<string, object>>;
  readonly required: readonly string[];
  readonly examples: readonly Record<string, unknown>[];
}

function loadEdge(name: string): { schema: EdgeSchema; validate: ValidateFunction } {
  const schema = JSON.parse(readFileSync(join(folder, `${name}.schema.json`), 'utf8')) as EdgeSchema;
  return {
    schema,
    validate: ajv.getSchema(`https://perennial.dev/schemas/edges/${name}.schema.json`) ?? ajv.compile(schema),
  };
}

/**
 * What the services write, by the TypeScript types: every field is set, so that a field missing in the schema or in the
 * type is found.
 */
const written = {
  'event.rejected': {
    reason: 'event_invalid',
    step: 'name',
    message: 'event: a track call needs an event name',
    field: 'event',
    value: '""',
    position: 'http',
    sourceId: null,
    receivedAt: new Date(0).toISOString(),
    event: '{}',
    encoding: 'json',
    count: 2,
    more: [{ message: 'event: a track call needs an event name', event: '{}' }],
  } satisfies EventRejected,
  'stage.changed': {
    profileKey: 'k',
    userId: null,
    number: 1,
    from: null,
    to: 'new',
    cause: 'event',
    at: new Date(0).toISOString(),
    reasons: [],
    evidence: { orders_recency_days: null },
    lifecycleVersion: 1,
    modelHash: '',
    scores: { churn: 0.5 },
  } satisfies StageChanged,
  'segment.changed': {
    profileKey: 'k',
    userId: null,
    number: 1,
    segment: 'buyers',
    change: 'entered',
    cause: 'event',
    at: new Date(0).toISOString(),
    reasons: [],
    evidence: { 'features.orders_count_all': 1, 'profile.stage': null },
    segmentsVersion: 1,
  } satisfies SegmentChanged,
  'action.cancelled': {
    actionId: 'a',
    profileKey: 'k',
    userId: null,
    strategy: 's',
    channel: 'email',
    reason: 'withdrawn',
    cancelledAt: new Date(0).toISOString(),
  } satisfies ActionCancelled,
  'action.changed': {
    actionId: 'a',
    profileKey: 'k',
    outcome: 'converted',
    state: 'converted',
    at: new Date(0).toISOString(),
    messageId: 'm',
    channel: '',
    value: 5,
    known: true,
  } satisfies ActionChanged,
  'action.decided': {
    actionId: 'a',
    profileKey: 'k',
    userId: 'user-42',
    strategy: 's',
    channel: 'email',
    template: 't',
    parameters: {},
    stage: 'new',
    cause: { kind: 'transition', id: '1' },
    reasons: [],
    policyVersion: 1,
    modelHash: '',
    scores: { churn: 0.5 },
    decidedAt: new Date(0).toISOString(),
    expiresAt: new Date(0).toISOString(),
    cost: 0,
    category: 'promo',
    topic: 'offers',
    purpose: 'marketing',
    option: 'channel=email,offer=ten',
    optionPropensity: 0.25,
    experiment: 'size',
    arm: 'usual',
    propensity: 0.5,
  } satisfies ActionDecided,
  'experiment.assigned': {
    profileKey: 'k',
    experiment: 'size',
    layer: 'default',
    arm: 'usual',
    propensity: 0.5,
    cause: { kind: 'transition', id: '1' },
    policyVersion: 1,
    at: new Date(0).toISOString(),
  } satisfies ExperimentAssigned,
};

/** Fields that are missing in records from before a release, or where they would say nothing. */
const ADDED_LATER: Readonly<Record<string, readonly string[]>> = {
  'event.rejected': ['step', 'field', 'value', 'count', 'more'],
  'stage.changed': ['scores'],
  'action.decided': [
    'scores',
    'category',
    'topic',
    'purpose',
    'option',
    'optionPropensity',
    'experiment',
    'arm',
    'propensity',
  ],
};

const edges = readdirSync(folder).map((file) => file.replace('.schema.json', ''));

describe('edge schemas', () => {
  it('are there for each JSON topic, and name its writer', () => {
    const topics = Object.values(TOPICS).filter((topic) => topic.encoding === 'json');
    expect(edges.map((edge) => `lifecycle.${edge}.v1`).sort()).toEqual(topics.map((topic) => topic.baseName).sort());
    for (const topic of topics) {
      const { schema } = loadEdge(topic.baseName.replace(/^lifecycle\.|\.v1$/g, ''));
      expect(schema['x-writer']).toBe(topic.writer);
    }
  });

  it.each(edges)('%s accepts its own examples and rejects each without a field it requires', (edge) => {
    const { schema, validate } = loadEdge(edge);
    expect(schema.examples.length).toBeGreaterThan(0);
    for (const example of schema.examples) {
      expect({ valid: validate(example), errors: validate.errors }).toEqual({ valid: true, errors: null });
      for (const name of schema.required) {
        const { [name]: _left, ...rest } = example;
        expect(validate(rest)).toBe(false);
      }
    }
  });

  it.each(Object.entries(written))('%s describes exactly what TypeScript writes', (edge, value) => {
    const { schema, validate } = loadEdge(edge);
    expect({ valid: validate(JSON.parse(JSON.stringify(value))), errors: validate.errors }).toEqual({
      valid: true,
      errors: null,
    });
    expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(value).sort());
    const always = Object.keys(value).filter((name) => !ADDED_LATER[edge]?.includes(name));
    expect([...schema.required].sort()).toEqual(always.sort());
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['event.received', { type: 'track', userId: 'u' }, 'a track without an event'],
    ['event.received', { type: 'track', event: 'x' }, 'nobody it belongs to'],
    ['event.received', { type: 'alias', userId: 'u' }, 'an alias without the id so far'],
    ['event.received', { type: 'group', userId: 'u' }, 'a group call without a group'],
    ['event.received', { type: 'dance', userId: 'u' }, 'an unknown type'],
    ['action.outcome', { actionId: 'a', outcome: 'opened', timestamp: '2026-03-01T12:00:00Z' }, 'nobody it belongs to'],
    [
      'action.outcome',
      { actionId: 'a', outcome: 'eaten', userId: 'u', timestamp: '2026-03-01T12:00:00Z' },
      'an unknown outcome',
    ],
    [
      'action.outcome',
      { actionId: 'a', outcome: 'opened', userId: 'u', timestamp: 'yesterday' },
      'a time that is none',
    ],
  ])('%s rejects %j: %s', (edge, value) => {
    expect(loadEdge(edge).validate(value)).toBe(false);
  });
});

describe('toCloudEventHeaders', () => {
  it('writes binary mode headers and leaves out what is not given', () => {
    expect(
      toCloudEventHeaders({ id: '1', source: '/perennial/live/action', type: 'lifecycle.action.decided.v1' }),
    ).toEqual({
      ce_specversion: '1.0',
      'content-type': 'application/json',
      ce_id: '1',
      ce_source: '/perennial/live/action',
      ce_type: 'lifecycle.action.decided.v1',
    });
  });
});
