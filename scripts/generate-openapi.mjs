// Writes proto/openapi from the services' routes, and the generated part of packages/io/client from that (built: run `pnpm build` first).
// Run it after changing a route and commit the result.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toClientCode } from './contracts/client-code.mjs';
import { toOpenApiDocuments, toText } from './contracts/openapi-files.mjs';

const root = join(import.meta.dirname, '..');
const documents = toOpenApiDocuments();
for (const { service, document } of documents) write('proto/openapi', `${service}.json`, toText(document));
write('packages/io/client/src/generated', 'operations.ts', toClientCode(documents));

function write(folder, name, text) {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, name), text);
}
