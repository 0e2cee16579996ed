// The generated part of packages/io/client: types and routes of every operation that a token opens. Pure.
import { toTypeText } from './schema-type.mjs';

const JSON_TYPE = 'application/json';

/** TypeScript from `[{service, document}]`. Throws when two services use one name for an operation. */
export function toClientCode(documents) {
  const operations = documents.flatMap(({ service, document }) => listOperations(service, document));
  const names = operations.map(({ id }) => id);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two operations are named ${twice}: the client calls them by name`);
  return [
    '// Generated from proto/openapi by scripts/generate-openapi.mjs: do not edit.',
    '',
    '/** What each operation takes and answers. */',
    'export interface Operations {',
    ...operations.map(toInterfaceText),
    '}',
    '',
    '/** Where each operation is. */',
    'export const ROUTES = {',
    ...operations.map(
      ({ id, service, method, path }) => `  ${id}: { service: '${service}', method: '${method}', path: '${path}' },`,
    ),
    '} as const;',
    '',
  ].join('\n');
}

function listOperations(service, { paths }) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => security.some((scheme) => Object.hasOwn(scheme, 'token')))
      .map(([method, operation]) => ({
        id: operation.operationId,
        service,
        method: method.toUpperCase(),
        path,
        operation,
      })),
  );
}

function toInterfaceText({ id, operation }) {
  const { summary, parameters, requestBody, responses } = operation;
  const answer = responses['200'].content[JSON_TYPE].schema;
  return [
    `  /** ${summary} */`,
    `  ${id}: {`,
    ...toPartText('path', toObjectSchema(parameters, 'path')),
    ...toPartText('query', toObjectSchema(parameters, 'query')),
    ...toPartText('body', requestBody?.content[JSON_TYPE].schema),
    `    answer: ${toTypeText(answer, 4)};`,
    '  };',
  ].join('\n');
}

function toPartText(name, schema) {
  return schema === undefined ? [] : [`    ${name}: ${toTypeText(schema, 4)};`];
}

function toObjectSchema(parameters, part) {
  const own = parameters.filter((parameter) => parameter.in === part);
  if (own.length === 0) return undefined;
  return {
    type: 'object',
    properties: Object.fromEntries(own.map(({ name, schema, description }) => [name, { ...schema, description }])),
    required: own.filter(({ required }) => required).map(({ name }) => name),
  };
}
