/*
 * What to run before a commit: types, lint, contracts, the tidy test, and the unit tests that the changes since `main` can
 * reach. `./perennial test` runs everything.
 *
 *   node scripts/check.mjs                  `pnpm check`
 *   node scripts/check.mjs --since REF      changed since another commit or branch
 *   node scripts/check.mjs --all            every unit test
 */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '..');
const BASES = ['main', 'origin/main'];
const TIDY = 'scripts/tidy/';

/** The steps in rounds: those of one round run at the same time. The contracts are read from what types builds. */
export function toRounds({ since, all }) {
  const jest = ['jest', '--selectProjects', 'unit'];
  const units = all
    ? { name: 'unit tests', command: jest }
    : {
        name: `unit tests of what changed since ${since}`,
        command: [...jest, '--passWithNoTests', '--changedSince', since],
      };
  return [
    [
      { name: 'types', command: ['tsc', '--build'] },
      { name: 'lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
    ],
    [
      { name: 'contracts', command: ['node', join('scripts', 'check-contracts.mjs')] },
      ...(all ? [] : [{ name: 'tidy', command: [...jest, '--testPathPatterns', TIDY] }]),
      units,
    ],
  ];
}

/** Where to look for changes: what was asked for, else the main branch, here or at its origin. */
export function chooseBase(asked, isKnown) {
  return [asked, ...BASES].find((ref) => ref !== undefined && isKnown(ref));
}

function isKnownToGit(ref) {
  try {
    execFileSync('git', ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], { cwd: ROOT, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs a step, and prints its output in one piece when it has ended. True when it passed. */
function run({ name, command: [program, ...args] }) {
  const startedAt = performance.now();
  const path = program === 'node' ? process.execPath : join(ROOT, 'node_modules', '.bin', program);
  return new Promise((resolve) => {
    const output = [];
    const child = spawn(path, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    child.once('error', (error) => output.push(`${error.message}\n`));
    child.once('close', (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      const passed = code === 0;
      if (!passed) process.stderr.write(Buffer.concat(output.map((chunk) => Buffer.from(chunk))));
      console.error(`${passed ? 'ok    ' : 'FAILED'} ${seconds.padStart(6)} s  ${name}`);
      resolve(passed);
    });
  });
}

async function main() {
  const { values } = parseArgs({ options: { since: { type: 'string' }, all: { type: 'boolean', default: false } } });
  const since = chooseBase(values.since, isKnownToGit);
  if (values.since !== undefined && since !== values.since) throw new Error(`git knows no ${values.since}`);
  let passed = true;
  for (const round of toRounds({ since, all: values.all || since === undefined }))
    passed = (await Promise.all(round.map(run))).every(Boolean) && passed;
  if (!passed) process.exitCode = 1;
}

if (process.argv[1] === import.meta.filename)
  main().catch((error) => {
    console.error(`check: ${error.message}`);
    process.exitCode = 2;
  });
