// The OpenAPI 3.1 document of a service, generated from the operations of its routes. Pure.

const JSON_TYPE = 'application/json';
const PROBLEM = { $ref: '#/components/schemas/Problem' };

/** Allowed contents of an `Authorization` header, by what a route requires. */
const SECURITY_SCHEMES = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description: 'A token of `./perennial tokens create`, with the scope that the operation names.',
  },
  writeKey: {
    type: 'http',
    scheme: 'basic',
    description: 'The write key of a source as user; also as Bearer, or as `writeKey` or `api_key` in the body.',
  },
};

/** Texts of the statuses that follow from what an operation accepts. */
const INPUT_PROBLEM = { 400: 'The request is not as described; `errors` names each field at fault.' };
const TOKEN_PROBLEMS = { 401: 'No valid token.', 403: 'The token lacks the scope.' };
const AWAY_PROBLEM = { 503: 'A part behind it is away: try again after `Retry-After` seconds.' };

/** The document of a service with these operations; `problem` is the schema of problem details. */
export function toOpenApiDocument({ service, version, operations, problem }) {
  const paths = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    paths[operation.path][operation.method.toLowerCase()] = toOperation(operation);
  }
  const schemes = [...new Set(operations.map(({ access }) => toScheme(access)))].filter((name) => name !== undefined);
  return toPlain({
    openapi: '3.1.0',
    info: { title: `Perennial ${service}`, version },
    jsonSchemaDialect: 'https://spec.openapis.org/oas/3.1/dialect/base',
    paths,
    components: {
      securitySchemes: Object.fromEntries(schemes.sort().map((name) => [name, SECURITY_SCHEMES[name]])),
      schemas: { Problem: problem },
    },
  });
}

function toOperation(operation) {
  const { id, summary, access, body } = operation;
  const scheme = toScheme(access);
  return {
    operationId: id,
    summary,
    security: scheme === undefined ? [] : [{ [scheme]: scheme === 'token' ? [access] : [] }],
    parameters: [...toParameters(operation.parameters, 'path'), ...toParameters(operation.query, 'query')],
    ...(body === undefined ? {} : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: body } } } }),
    responses: toResponses(operation),
  };
}

function toScheme(access) {
  if (access === 'open') return undefined;
  return access === 'write-key' ? 'writeKey' : 'token';
}

function toParameters(schema, part) {
  return Object.entries(schema?.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: part,
    required: schema.required?.includes(name) ?? false,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

/**
 * The Segment API's own form of errors is described where SDKs read it: for those routes only the success is described.
 */
function toResponses({ access, answer, parameters, query, body, problems = {} }) {
  const success = { 200: { description: 'Done.', content: { [JSON_TYPE]: { schema: answer } } } };
  if (access === 'write-key') return success;
  const texts = {
    ...((parameters ?? query ?? body) ? INPUT_PROBLEM : {}),
    ...(access === 'open' ? {} : { ...TOKEN_PROBLEMS, ...AWAY_PROBLEM }),
    ...problems,
  };
  const content = { 'application/problem+json': { schema: PROBLEM } };
  const failures = Object.entries(texts).map(([status, description]) => [status, { description, content }]);
  return { ...success, ...Object.fromEntries(failures) };
}

/** Without what TypeBox keeps under symbols, and with maps of any key in the usual form. */
function toPlain(value) {
  return JSON.parse(JSON.stringify(value), (_key, inner) => {
    const values = inner?.patternProperties?.['^(.*)$'];
    if (values === undefined) return inner;
    const { patternProperties: _pattern, ...rest } = inner;
    return { ...rest, additionalProperties: values };
  });
}
