// The OpenAPI documents of the built services, by file name. Run `pnpm build` first.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HEALTH_OPERATIONS, PROBLEM_SCHEMA as problem } from '../../packages/io/service-host/dist/index.js';
import { OPERATIONS as action } from '../../services/action/dist/index.js';
import { OPERATIONS as featureStore } from '../../services/feature-store/dist/index.js';
import { OPERATIONS as ingest } from '../../services/ingest/dist/index.js';
import { OPERATIONS as scoring } from '../../services/scoring/dist/index.js';
import { toOpenApiDocument } from './openapi-document.mjs';

/** By service; `scripts/topology.test.mjs` fails when one is missing. */
const OPERATIONS = { ingest, 'feature-store': featureStore, scoring, action };

const PACKAGE = join(import.meta.dirname, '..', '..', 'package.json');

/** `[{service, document}]`, each service's own operations and the health of all. */
export function toOpenApiDocuments() {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  return Object.entries(OPERATIONS).map(([service, own]) => {
    const operations = [...own, ...HEALTH_OPERATIONS];
    return { service, document: toOpenApiDocument({ service, version, operations, problem }) };
  });
}

export function toText(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
