import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { encodeFeatureSpec, parseFeatureSpec } from './spec-file.js';

const BASE = { unit: 'events', aggregation: 'count' };

function parse(event: unknown) {
  return parseFeatureSpec(Buffer.from(JSON.stringify({ version: 1, features: [{ ...BASE, name: 'x', event }] })));
}

function definitionsOf(event: unknown): readonly FeatureDefinition[] {
  const parsed = parse(event);
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
  return parsed.definitions;
}

function problemsOf(event: unknown): readonly string[] {
  const parsed = parse(event);
  return parsed.ok ? [] : parsed.problems;
}

const hashOf = (event: unknown) => compileFeatures(definitionsOf(event)).specHash;

function count(event: unknown, events: ReadonlyArray<Partial<FeatureEvent>>): number | null | undefined {
  const spec = compileFeatures(definitionsOf(event));
  let state = spec.empty;
  events.forEach((one, index) => {
    const full = { messageId: `m${index}`, type: 'track', name: 'a', timestampMs: index, properties: {}, ...one };
    state = spec.apply(state, full).state;
  });
  return spec.vector(state, state.asOfMs).values[0];
}

/** Nothing that events hold makes a condition throw: that takes a defect. */
function withThrowingTexts<T>(run: () => T): T {
  const { startsWith } = String.prototype;
  String.prototype.startsWith = () => {
    throw new Error('no texts');
  };
  try {
    return run();
  } finally {
    String.prototype.startsWith = startsWith;
  }
}

describe('a filter', () => {
  it('counts events of several names', () => {
    const events = ['a', 'b', 'c', 'A'].map((name) => ({ name }));
    expect(count({ type: 'track', names: ['a', 'b'] }, [...events, { name: 'a', type: 'page' }])).toBe(2);
  });

  it('counts events that fulfil its condition', () => {
    const events = [60, 50, '60', null].map((total) => ({ properties: { total } }));
    expect(count({ type: 'track', where: 'properties.total > 50' }, events)).toBe(1);
    expect(count({ type: 'track', where: '!(properties.total > 50)' }, events)).toBe(3);
    expect(count({ type: 'page', where: 'properties.total > 50' }, events)).toBe(0);
  });

  it('reads the context that an event carries', () => {
    const events = ['ios', 'web', undefined].map((type) => ({ context: { device: { type } } }));
    expect(count({ type: 'track', where: 'context.device.type == "ios"' }, [...events, {}])).toBe(1);
  });

  it('reads an event that is used again with other properties', () => {
    const spec = compileFeatures(definitionsOf({ type: 'track', where: 'properties.total > 50' }));
    const event = { messageId: 'a', type: 'track', name: 'a', timestampMs: 0, properties: { total: 60 } };
    const { state } = spec.apply(spec.empty, event);
    Object.assign(event, { messageId: 'b', properties: { total: 1 } });
    expect(spec.vector(spec.apply(state, event).state, 0).values).toEqual([1]);
  });

  it('tests an event once for each different condition', () => {
    const where = 'properties.total > 50';
    const definition = { ...BASE, event: { type: 'track', name: undefined, where } } as const;
    const spec = compileFeatures([
      { ...definition, name: 'a', aggregation: 'count', windowMs: undefined },
      { ...definition, name: 'b', aggregation: 'active_days', windowMs: undefined },
      { ...definition, name: 'c', event: { type: 'track', name: 'a', where }, aggregation: 'days_since_last' },
    ]);
    let reads = 0;
    const properties = {
      get total() {
        reads += 1;
        return 60;
      },
    };
    spec.apply(undefined, { messageId: 'm', type: 'track', name: 'a', timestampMs: 0, properties });
    expect(reads).toBe(1);
  });

  it('names the features of a condition that throws, for which the event does not pass', () => {
    const where = 'properties.plan.startsWith("pro")';
    const filter = { type: 'track', name: undefined, where };
    const rest = { unit: 'events', aggregation: 'count', windowMs: undefined } as const;
    const spec = compileFeatures([
      { ...rest, name: 'pros', event: filter },
      { ...rest, name: 'all', event: undefined },
      { ...rest, name: 'pros_share', aggregation: 'share', event: undefined, matching: filter },
      { ...rest, name: 'pages', event: { ...filter, type: 'page' } },
      { ...rest, name: 'free', event: { ...filter, where: 'properties.plan == "free"' } },
    ]);
    const toEvent = (messageId: string, type = 'track') => {
      return { messageId, type, name: 'a', timestampMs: 0, properties: { plan: 'pro' } };
    };
    const { state, failed } = withThrowingTexts(() => spec.apply(undefined, toEvent('a')));
    expect(failed).toMatchObject([{ source: where, features: ['pros', 'pros_share'], error: { message: 'no texts' } }]);
    expect(spec.vector(state, 0).values).toEqual([0, 1, 0, 0, 0]);
    // Neither the next event nor one that the filter's type keeps away has anything of it.
    expect(spec.apply(state, toEvent('b')).failed).toBeUndefined();
    expect(withThrowingTexts(() => spec.apply(state, toEvent('c', 'screen'))).failed).toBeUndefined();
  });

  it('has one hash for one meaning, and keeps that of a filter without a condition', () => {
    const where = 'properties.total > 50';
    const spaced = '\n  properties.total   > 50 // large\n';
    expect(hashOf({ type: 'track', where: spaced })).toBe(hashOf({ type: 'track', where }));
    expect(hashOf({ type: 'track', names: ['b', 'a'] })).toBe(hashOf({ type: 'track', names: ['a', 'b'] }));
    expect(hashOf({ type: 'track', names: ['a'] })).toBe(hashOf({ type: 'track', name: 'a' }));
    const hashes = [
      hashOf({ type: 'track' }),
      hashOf({ type: 'track', where }),
      hashOf({ type: 'track', names: ['a', 'b'] }),
    ];
    expect(new Set(hashes).size).toBe(3);
    // Of the release before there were conditions.
    expect(hashes[0]).toBe('5afc972e4b1d621cb9394fe778ed3f6cda8f1dbac33c7aaea668f52cb81e802c');
  });

  it('is in the artifact as it is read', () => {
    const definitions = definitionsOf({ type: 'track', names: ['b', 'a'], where: 'properties.a  == "x  y"' });
    expect(encodeFeatureSpec(definitions).toString()).toBe(
      '{"features":[{"aggregation":"count","event":{"names":["a","b"],"type":"track","where":"properties.a == \\"x  y\\""},"name":"x","unit":"events"}],"version":1}',
    );
    const again = parseFeatureSpec(encodeFeatureSpec(definitions));
    expect(again.ok && again.definitions).toEqual(definitions);
  });

  it.each<[unknown, unknown]>([
    [{ type: 'track', name: 'a', names: ['b'] }, 'features[0].event.name: cannot stand beside "names"'],
    [{ type: 'track', names: [] }, 'features[0].event.names: must be 1 to 16 different texts, it is []'],
    [{ type: 'track', where: '' }, 'features[0].event.where: must be a condition on properties and context, it is ""'],
    [
      { type: 'track', where: 'property.a == 1' },
      'features[0].event.where: unknown name "property.a", did you mean "properties.a"?',
    ],
    [
      { type: 'track', where: 'context.ip == "x"' },
      expect.stringContaining(
        'features[0].event.where: "context.ip" is not carried with events; of the context there are',
      ),
    ],
    [
      { type: 'track', where: `true ${'|| true '.repeat(600)}` },
      'features[0].event.where: a condition is at most 4096 characters long',
    ],
    [{ type: 'track', wher: 'true' }, 'features[0].event.wher: is an unknown key, did you mean "where"?'],
  ])('is not %j', (event, problem) => {
    expect(problemsOf(event)).toEqual([problem]);
  });
});
