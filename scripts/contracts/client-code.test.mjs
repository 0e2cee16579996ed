import { describe, expect, it } from '@jest/globals';
import { toClientCode } from './client-code.mjs';
import { toOpenApiDocument } from './openapi-document.mjs';
import { toTypeText } from './schema-type.mjs';

const operation = (over) => ({
  id: 'getThing',
  method: 'GET',
  path: '/v1/things/{name}',
  access: 'read',
  summary: 'A thing.',
  parameters: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  answer: { type: 'object', properties: { size: { type: 'integer' } }, required: ['size'] },
  ...over,
});
const toDocument = (...operations) => ({
  service: 'things',
  document: toOpenApiDocument({ service: 'things', version: '1', operations, problem: { type: 'object' } }),
});

describe('the generated client', () => {
  it('has the operations that a token opens, and their places', () => {
    const open = operation({ id: 'getHealth', path: '/health', access: 'open', parameters: undefined });
    const code = toClientCode([toDocument(operation({}), open)]);
    expect(code).toContain("getThing: { service: 'things', method: 'GET', path: '/v1/things/{name}' },");
    expect(code).toContain('path: {\n      readonly name: string;\n    };');
    expect(code).not.toContain('getHealth');
  });

  it('rejects two operations of one name', () => {
    expect(() => toClientCode([toDocument(operation({})), toDocument(operation({}))])).toThrow('getThing');
  });

  it.each([
    [{ type: 'integer' }, 'number'],
    [{ type: ['string', 'integer'] }, 'string | number'],
    [{ anyOf: [{ const: 'a' }, { type: 'null' }] }, "'a' | null"],
    [{ type: 'array', items: { type: 'boolean' } }, 'ReadonlyArray<boolean>'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Readonly<Record<string, number>>'],
    [{ description: 'anything' }, 'unknown'],
    [{ type: 'object', properties: { 'a-b': { type: 'null' } } }, "{\n  readonly 'a-b'?: null | undefined;\n}"],
  ])('writes %j as %s', (schema, text) => expect(toTypeText(schema)).toBe(text));

  it('rejects a schema that it does not know', () => {
    expect(() => toTypeText({ $ref: '#/x' })).toThrow('no TypeScript type is known');
  });
});
