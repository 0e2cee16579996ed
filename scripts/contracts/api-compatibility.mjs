// Checks whether an OpenAPI document still accepts and promises what its released form did. Pure: two documents in,
// problems out.
//
// Compatible means: operations, parameters and answers are only added; nothing new is required; a token that was enough
// is still enough. Schemas of requests and of answers follow schema-compatibility.mjs, as written by clients and by us.
import { findIncompatibilities } from './schema-compatibility.mjs';

/** Problems of `current` against `released`: `[{path, problem}]`. Paths read like `GET /v1/actions query.limit`. */
export function findApiIncompatibilities(released, current) {
  const problems = [];
  const report = (path, problem) => problems.push({ path, problem });
  for (const [path, methods] of Object.entries(released.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const at = `${method.toUpperCase()} ${path}`;
      const now = current.paths[path]?.[method];
      if (now === undefined) report(at, 'operation was removed');
      else compareOperation(operation, now, at, report);
    }
  }
  for (const [name, schema] of Object.entries(released.components.schemas)) {
    compareSchema(schema, current.components.schemas[name], `schema ${name}`, { writer: 'service', report });
  }
  return problems;
}

function compareOperation(released, current, at, report) {
  if (released.operationId !== current.operationId) {
    report(
      at,
      `operationId changed from ${released.operationId} to ${current.operationId}: clients call it by that name`,
    );
  }
  if (JSON.stringify(released.security) !== JSON.stringify(current.security)) {
    report(at, `security changed from ${JSON.stringify(released.security)} to ${JSON.stringify(current.security)}`);
  }
  compareParameters(released, current, at, report);
  compareBody(released.requestBody, current.requestBody, at, report);
  for (const [status, response] of Object.entries(released.responses)) {
    const now = current.responses[status];
    if (now === undefined) report(`${at} ${status}`, 'answer was removed');
    else compareContent(response.content, now.content, `${at} ${status}`, { writer: 'service', report });
  }
}

function compareParameters(released, current, at, report) {
  const find = (operation, { name, in: part }) =>
    operation.parameters.find((parameter) => parameter.name === name && parameter.in === part);
  for (const parameter of released.parameters) {
    const path = `${at} ${parameter.in}.${parameter.name}`;
    const now = find(current, parameter);
    if (now === undefined) report(path, 'parameter was removed');
    else {
      if (now.required && !parameter.required) report(path, 'parameter is newly required');
      compareSchema(parameter.schema, now.schema, path, { writer: 'outside', report });
    }
  }
  for (const parameter of current.parameters) {
    if (parameter.required && find(released, parameter) === undefined) {
      report(`${at} ${parameter.in}.${parameter.name}`, 'parameter is newly required');
    }
  }
}

function compareBody(released, current, at, report) {
  if (released === undefined && current === undefined) return;
  if (released === undefined) return report(`${at} body`, 'a body is newly required');
  if (current === undefined) return report(`${at} body`, 'the body was removed');
  compareContent(released.content, current.content, `${at} body`, { writer: 'outside', report });
}

function compareContent(released, current, at, options) {
  for (const [type, { schema }] of Object.entries(released ?? {})) {
    compareSchema(schema, current?.[type]?.schema, at, options);
  }
}

function compareSchema(released, current, at, { writer, report }) {
  if (current === undefined) return report(at, 'its description was removed');
  const [before, now] = [released, current].map((schema) => ({ ...schema, 'x-writer': writer }));
  for (const { path, problem } of findIncompatibilities(before, now, { promisesMore: true })) {
    report(path === '(root)' ? at : `${at} ${path}`, problem);
  }
}
