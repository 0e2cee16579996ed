// Pins the images of docker-compose.yml by digest, in .env: what was pulled today is what every later start uses.
//
//   node scripts/pin-images.mjs           asks the registry for each tag's digest and writes NAME_IMAGE lines into .env
//   node scripts/pin-images.mjs --check   compares the pins in .env with the tags' present digests; 1 when one has moved
//
// The repository holds no digests: a digest is worth what checked it, and here that is your own pull. Compare it with the
// one that the image's publisher names, then keep .env.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureEnvFile, parseEnv } from './containers/env-file.mjs';
import { IMAGES, setPins, toPin } from './containers/images.mjs';

const path = join(import.meta.dirname, '..', '.env');

try {
  const pins = Object.fromEntries(Object.entries(IMAGES).map(([name, tag]) => [name, toPin(tag, readDigests(tag))]));
  if (process.argv.includes('--check')) check(pins);
  else write(pins);
} catch (error) {
  console.error(`pin-images: ${error.message}`);
  process.exitCode = 1;
}

function write(pins) {
  ensureEnvFile(path);
  writeFileSync(path, setPins(readFileSync(path, 'utf8'), pins), { mode: 0o600 });
  for (const [name, pin] of Object.entries(pins)) console.log(`${name}=${pin}`);
}

function check(pins) {
  const kept = parseEnv(readFileSync(path, 'utf8'));
  for (const [name, pin] of Object.entries(pins)) {
    if (kept.get(name) === pin) continue;
    console.log(`${name} is ${kept.get(name) ?? 'not pinned'} in .env, and its tag is ${pin} today`);
    process.exitCode = 1;
  }
}

/** Digests that the registry named when this tag was pulled just now. */
function readDigests(tag) {
  docker(['pull', '--quiet', tag]);
  return JSON.parse(docker(['image', 'inspect', '--format', '{{json .RepoDigests}}', tag])) ?? [];
}

function docker(args) {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${error?.message ?? (stderr.trim() || stdout.trim())}`);
  return stdout;
}
