// The OpenAPI documents of the services as they are built, by file name. Run `pnpm build` first.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_NAMES } from '../../packages/base/contracts/dist/index.js';
import { HEALTH_OPERATIONS, PROBLEM_SCHEMA as problem } from '../../packages/io/service-host/dist/index.js';
import { toOpenApiDocument } from './openapi-document.mjs';

const PACKAGE = join(import.meta.dirname, '..', '..', 'package.json');

/** `[{service, document}]`, each service's own operations and the health of all. */
export async function loadOpenApiDocuments() {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  return Promise.all(
    SERVICE_NAMES.map(async (service) => {
      const { OPERATIONS } = await import(`../../services/${service}/dist/index.js`);
      const operations = [...OPERATIONS, ...HEALTH_OPERATIONS];
      return { service, document: toOpenApiDocument({ service, version, operations, problem }) };
    }),
  );
}

export function toText(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
