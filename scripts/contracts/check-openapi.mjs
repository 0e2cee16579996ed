// Problems of the OpenAPI documents in proto/openapi: different from the routes, invalid, or incompatible with the
// released ones.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { findApiIncompatibilities } from './api-compatibility.mjs';
import { toClientCode } from './client-code.mjs';
import { toOpenApiDocuments, toText } from './openapi-files.mjs';

const CLIENT_CODE = 'packages/io/client/src/generated/operations.ts';

/** Documents and client must be what the routes generate. */
export async function findUngenerated(root, folder) {
  const documents = toOpenApiDocuments();
  const stale = documents
    .filter(({ service, document }) => readOrNothing(join(folder, `${service}.json`)) !== toText(document))
    .map(({ service }) => `openapi/${service}.json is not what the routes of ${service} generate: run pnpm openapi`);
  const isClientStale = readOrNothing(join(root, CLIENT_CODE)) !== toClientCode(documents);
  return [...stale, ...(isClientStale ? [`${CLIENT_CODE} is not what proto/openapi generates: run pnpm openapi`] : [])];
}

/** Each document must be valid OpenAPI 3.1, and accept and promise what its released form did. */
export async function findApiProblems(folder, releasedFolder) {
  const problems = [];
  for (const name of listDocuments(folder)) {
    const { valid, errors } = await new Validator().validate(readJson(join(folder, name)));
    if (!valid) problems.push(`openapi/${name} is not valid OpenAPI: ${JSON.stringify(errors)}`);
  }
  for (const name of listDocuments(releasedFolder)) {
    if (!existsSync(join(folder, name))) problems.push(`openapi/${name} was removed`);
    else {
      const found = findApiIncompatibilities(readJson(join(releasedFolder, name)), readJson(join(folder, name)));
      problems.push(...found.map(({ path, problem }) => `openapi/${name} ${path}: ${problem}`));
    }
  }
  return problems;
}

/** Freezes the present documents. */
export function releaseApis(folder, releasedFolder) {
  mkdirSync(releasedFolder, { recursive: true });
  for (const name of listDocuments(folder)) copyFileSync(join(folder, name), join(releasedFolder, name));
}

export function listDocuments(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort();
}

function readOrNothing(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
