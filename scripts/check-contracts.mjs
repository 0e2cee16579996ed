// Checks that the wire contracts in proto/ are in order and compatible with what was released.
//
//   node scripts/check-contracts.mjs             exit 0 when all is well, 1 with every problem named
//   node scripts/check-contracts.mjs --release   checks, then freezes the present state in proto/released
//
// `--proto FOLDER` checks another folder in place of proto/ (for the tests); generated code is then not checked.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findAsyncApiProblems } from './contracts/asyncapi-document.mjs';
import { findApiProblems, findUngenerated, listDocuments, releaseApis } from './contracts/check-openapi.mjs';
import { findIncompatibilities } from './contracts/schema-compatibility.mjs';

const root = join(import.meta.dirname, '..');
const buf = join(root, 'node_modules/.bin/buf');
const SUFFIX = '.schema.json';

const { values: options } = parseArgs({ options: { release: { type: 'boolean' }, proto: { type: 'string' } } });
const proto = resolve(options.proto ?? join(root, 'proto'));
const image = join(proto, 'released/perennial.binpb');
const releasedEdges = join(proto, 'released/edges');
const apis = join(proto, 'openapi');
const releasedApis = join(proto, 'released/openapi');

const problems = [
  ...(options.proto === undefined ? [...checkGenerated(), ...(await findUngenerated(root, apis))] : []),
  ...runBuf(['lint']),
  ...(existsSync(image) ? runBuf(['breaking', '--against', image]) : missingRelease(image)),
  ...checkEdges(),
  ...(existsSync(releasedApis) ? [] : missingRelease(releasedApis)),
  ...(await findApiProblems(apis, releasedApis)),
  ...findAsyncApiProblems(join(proto, 'asyncapi.yaml'), listEdges(join(proto, 'edges'))).map(
    ({ path, problem }) => `asyncapi.yaml ${path}: ${problem}`,
  ),
];

if (problems.length > 0) {
  for (const problem of problems) console.error(`contracts: ${problem}`);
  console.error(
    `contracts: ${problems.length} problem${problems.length === 1 ? '' : 's'}. Released fields stay as they are: add a new one instead.`,
  );
  process.exitCode = 1;
} else if (options.release) {
  release();
} else {
  console.log(
    `contracts: ${listEdges(join(proto, 'edges')).length} edges, ${listDocuments(apis).length} OpenAPI documents and proto/ are compatible with the released ones`,
  );
}

/** Generated code must be what proto/ generates. */
function checkGenerated() {
  const generated = join(root, 'packages/base/contracts/src/generated');
  const fresh = mkdtempSync(join(tmpdir(), 'perennial-generated-'));
  try {
    execFileSync(process.execPath, [join(root, 'scripts/generate-proto.mjs'), fresh], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const names = new Set([...listFiles(fresh), ...listFiles(generated)]);
    return [...names]
      .filter((name) => readOrNothing(join(fresh, name)) !== readOrNothing(join(generated, name)))
      .map((name) => `packages/base/contracts/src/generated/${name} is not what proto/ generates: run pnpm proto`);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function runBuf(args) {
  const { status, stdout, stderr, error } = spawnSync(buf, args, { cwd: proto, encoding: 'utf8' });
  if (error) throw error;
  if (status === 0) return [];
  return `${stdout}${stderr}`.trim().split('\n');
}

/** Each released JSON Schema must still exist and accept and promise the same as before, or more. */
function checkEdges() {
  if (!existsSync(releasedEdges)) return missingRelease(releasedEdges);
  return listEdges(releasedEdges).flatMap((edge) => {
    const current = join(proto, 'edges', `${edge}${SUFFIX}`);
    if (!existsSync(current)) return [`edges/${edge}${SUFFIX} was removed`];
    return findIncompatibilities(readJson(join(releasedEdges, `${edge}${SUFFIX}`)), readJson(current)).map(
      ({ path, problem }) => `edges/${edge}${SUFFIX} ${path}: ${problem}`,
    );
  });
}

/** Without `--release` a missing baseline is a problem: the check must never pass by comparing with nothing. */
function missingRelease(path) {
  return options.release ? [] : [`${path} is missing: restore it, or freeze the present state with --release`];
}

function release() {
  mkdirSync(releasedEdges, { recursive: true });
  execFileSync(buf, ['build', '--exclude-source-info', '-o', image], { cwd: proto, stdio: 'inherit' });
  for (const edge of listEdges(join(proto, 'edges'))) {
    copyFileSync(join(proto, 'edges', `${edge}${SUFFIX}`), join(releasedEdges, `${edge}${SUFFIX}`));
  }
  releaseApis(apis, releasedApis);
  console.log('contracts: froze the present state in proto/released; commit it');
}

function listEdges(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => basename(name, SUFFIX))
    .sort();
}

function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function readOrNothing(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
