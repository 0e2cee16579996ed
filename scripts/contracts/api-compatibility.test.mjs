import { describe, expect, it } from '@jest/globals';
import { findApiIncompatibilities } from './api-compatibility.mjs';
import { toOpenApiDocument } from './openapi-document.mjs';

const LIST_ACTIONS = {
  id: 'listActions',
  method: 'GET',
  path: '/v1/actions',
  access: 'read',
  summary: 'Lists.',
  query: {
    type: 'object',
    properties: { userId: { type: 'string' }, limit: { type: 'integer', maximum: 500 } },
    required: ['userId'],
  },
  answer: { type: 'object', properties: { actions: { type: 'array', items: {} } }, required: ['actions'] },
};
const MOVE = {
  id: 'advanceClock',
  method: 'POST',
  path: '/v1/clock',
  access: 'operate',
  summary: 'Moves.',
  body: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
  answer: { type: 'object', properties: {} },
};

const toDocument = (operations) =>
  toOpenApiDocument({ service: 'x', version: '1', operations, problem: { type: 'object', properties: {} } });
const compare = (...operations) => findApiIncompatibilities(toDocument([LIST_ACTIONS, MOVE]), toDocument(operations));

/** A copy of LIST_ACTIONS with a change. */
function change(operation, edit) {
  const copy = structuredClone(operation);
  edit(copy);
  return copy;
}

describe('compatibility of an API', () => {
  it('allows what is added', () => {
    const more = change(LIST_ACTIONS, (operation) => {
      operation.query.properties.cursor = { type: 'string' };
      operation.query.properties.limit.maximum = 1_000;
      operation.answer.properties.next = { type: 'string' };
      operation.answer.required.push('next');
    });
    const optional = change(MOVE, (operation) => {
      operation.body.properties.stepMs = { type: 'integer' };
    });
    expect(compare(more, optional, { ...MOVE, path: '/v1/more', id: 'more' })).toEqual([]);
  });

  it.each([
    ['GET /v1/actions', 'operation was removed', [MOVE]],
    ['GET /v1/actions', 'operationId changed', [{ ...LIST_ACTIONS, id: 'list' }, MOVE]],
    ['GET /v1/actions', 'security changed', [{ ...LIST_ACTIONS, access: 'operate' }, MOVE]],
    [
      'GET /v1/actions query.limit',
      'parameter was removed',
      [change(LIST_ACTIONS, ({ query }) => delete query.properties.limit), MOVE],
    ],
    [
      'GET /v1/actions query.limit',
      'parameter is newly required',
      [change(LIST_ACTIONS, ({ query }) => query.required.push('limit')), MOVE],
    ],
    [
      'GET /v1/actions query.limit',
      'maximum changed from 500 to 100',
      [
        change(LIST_ACTIONS, ({ query }) => {
          query.properties.limit.maximum = 100;
        }),
        MOVE,
      ],
    ],
    [
      'GET /v1/actions query.channel',
      'parameter is newly required',
      [
        change(LIST_ACTIONS, ({ query }) => {
          query.properties.channel = { type: 'string' };
          query.required.push('channel');
        }),
        MOVE,
      ],
    ],
    [
      'GET /v1/actions 200 actions',
      'field was removed',
      [change(LIST_ACTIONS, ({ answer }) => delete answer.properties.actions), MOVE],
    ],
    [
      'GET /v1/actions 200 actions',
      'type changed from array to string',
      [
        change(LIST_ACTIONS, ({ answer }) => {
          answer.properties.actions.type = 'string';
        }),
        MOVE,
      ],
    ],
    [
      'GET /v1/actions 200 actions',
      'field is no longer required',
      [
        change(LIST_ACTIONS, ({ answer }) => {
          answer.required = [];
        }),
        MOVE,
      ],
    ],
    [
      'POST /v1/clock body by',
      'field is newly required',
      [LIST_ACTIONS, change(MOVE, ({ body }) => body.required.push('by'))],
    ],
    ['POST /v1/clock body', 'the body was removed', [LIST_ACTIONS, change(MOVE, (operation) => delete operation.body)]],
  ])('rejects at %s: %s', (path, problem, operations) => {
    const found = compare(...operations);
    expect(found).toContainEqual({ path, problem: expect.stringContaining(problem) });
  });
});
