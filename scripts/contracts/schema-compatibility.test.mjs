import { describe, expect, it } from '@jest/globals';
import { findIncompatibilities } from './schema-compatibility.mjs';

const released = {
  'x-writer': 'action',
  type: 'object',
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 10 },
    kind: { type: 'string', enum: ['a', 'b'] },
    nested: { type: 'object', properties: { inner: { type: ['string', 'null'] } }, required: ['inner'] },
    list: { type: 'array', items: { type: 'string' } },
    at: { type: 'string', format: 'date-time' },
    open: { type: 'object', additionalProperties: { type: 'number' } },
  },
  required: ['id', 'nested'],
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  allOf: [{ if: { required: ['kind'] }, then: { required: ['at'] } }],
  anyOf: [{ required: ['id'] }, { required: ['kind'] }],
};

/** A copy of the released schema after `change`. */
function changed(change, base = released) {
  const copy = structuredClone(base);
  change(copy);
  return copy;
}

const outside = changed((schema) => {
  schema['x-writer'] = 'outside';
});

function problemsOf(change, base = released) {
  return findIncompatibilities(base, changed(change, base)).map(({ path, problem }) => `${path}: ${problem}`);
}

describe('findIncompatibilities', () => {
  it.each([
    ['nothing', () => undefined],
    ['a new optional field', (s) => Object.assign(s.properties, { extra: { type: 'string' } })],
    ['a new nested field', (s) => Object.assign(s.properties.nested.properties, { more: { type: 'integer' } })],
    ['a wider enum', (s) => s.properties.kind.enum.push('c')],
    ['an enum opened to all', (s) => void delete s.properties.kind.enum],
    ['words only', (s) => Object.assign(s.properties.id, { description: 'new words', examples: ['x'] })],
    [
      'a type list in another order',
      (s) => Object.assign(s.properties.nested.properties.inner, { type: ['null', 'string'] }),
    ],
    ['looser limits', (s) => Object.assign(s.properties.id, { minLength: 0, maxLength: 20 })],
    ['another alternative', (s) => s.anyOf.push({ required: ['at'] })],
  ])('allows %s', (_name, change) => {
    expect(problemsOf(change)).toEqual([]);
  });

  it.each([
    ['a removed field', (s) => void delete s.properties.at, 'at: field was removed'],
    [
      'a removed nested field',
      (s) => void delete s.properties.nested.properties.inner,
      'nested.inner: field was removed',
    ],
    [
      'a renamed field',
      (s) => {
        s.properties.when = s.properties.at;
        delete s.properties.at;
      },
      'at: field was removed',
    ],
    [
      'a changed type',
      (s) => Object.assign(s.properties.id, { type: 'integer' }),
      'id: type changed from string to integer',
    ],
    [
      'a wider type',
      (s) => Object.assign(s.properties.id, { type: ['string', 'null'] }),
      'id: type changed from string to null|string',
    ],
    [
      'a narrower type',
      (s) => Object.assign(s.properties.nested.properties.inner, { type: 'string' }),
      'nested.inner: type changed from null|string to string',
    ],
    [
      'another item type',
      (s) => Object.assign(s.properties.list.items, { type: 'number' }),
      'list[]: type changed from string to number',
    ],
    [
      'another value type',
      (s) => Object.assign(s.properties.open.additionalProperties, { type: 'string' }),
      'open.*: type changed from number to string',
    ],
    ['a newly required field', (s) => s.required.push('kind'), 'kind: field is newly required'],
    [
      'a newly required nested field',
      (s) => s.properties.nested.required.push('x'),
      'nested.x: field is newly required',
    ],
    [
      'a new required field',
      (s) => Object.assign(s, { properties: { ...s.properties, extra: {} }, required: [...s.required, 'extra'] }),
      'extra: field is newly required',
    ],
    [
      'a promise taken back',
      (s) => Object.assign(s, { required: ['id'] }),
      'nested: field is no longer required: consumers rely on it',
    ],
    ['a narrower enum', (s) => void s.properties.kind.enum.pop(), 'kind: enum value "b" was removed'],
    ['a new enum', (s) => Object.assign(s.properties.id, { enum: ['x'] }), 'id: an enum now limits what had no limit'],
    ['a tighter limit', (s) => Object.assign(s.properties.id, { maxLength: 5 }), 'id: maxLength changed from 10 to 5'],
    ['a new limit', (s) => Object.assign(s.properties.at, { maxLength: 5 }), 'at: maxLength changed from nothing to 5'],
    [
      'another format',
      (s) => Object.assign(s.properties.at, { format: 'date' }),
      'at: format changed from "date-time" to "date"',
    ],
    [
      'strangers shut out',
      (s) => Object.assign(s, { additionalProperties: false }),
      '*: a schema now limits what had no limit',
    ],
    [
      'a new condition',
      (s) => s.allOf.push({ required: ['list'] }),
      '(root).allOf[1]: branch was added and limits what is allowed',
    ],
    ['an alternative gone', (s) => void s.anyOf.pop(), '(root).anyOf[1]: branch was removed'],
    [
      'another writer',
      (s) => Object.assign(s, { 'x-writer': 'outside' }),
      '(root): x-writer changed from "action" to "outside"',
    ],
  ])('rejects %s', (_name, change, problem) => {
    expect(problemsOf(change)).toContain(problem);
  });

  it('rejects a changed condition by naming its place', () => {
    expect(problemsOf((s) => s.allOf[0].then.required.push('list'))[0]).toMatch(/^\(root\)\.allOf\[0\]: then changed/);
  });

  it('lets outsiders leave out what they had to send before, and rejects to ask them for more', () => {
    expect(problemsOf((s) => Object.assign(s, { required: ['id'] }), outside)).toEqual([]);
    expect(problemsOf((s) => void s.allOf.pop(), outside)).toEqual([]);
    expect(problemsOf((s) => s.required.push('kind'), outside)).toEqual(['kind: field is newly required']);
  });

  it('reports all problems at once', () => {
    const problems = problemsOf((s) => {
      delete s.properties.at;
      s.properties.id.type = 'integer';
      s.required.push('kind');
    });
    expect(problems).toHaveLength(3);
  });
});
