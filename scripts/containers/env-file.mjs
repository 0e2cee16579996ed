// The .env that docker-compose.yml needs: secrets made for this installation, never a default, never overwritten.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';

/** Each secret, what it is for, and how it begins. Hexadecimal, so that one can stand in a URL as it is. */
export const SECRETS = [
  [
    'PERENNIAL_SECRET',
    'Root of pseudonyms and sealed ids. Keep it: without it nobody knows whose a profile is; another makes all profiles anew.',
  ],
  ['REDIS_PASSWORD', 'Password of Redis.'],
  ['POSTGRES_PASSWORD', 'Password of PostgreSQL. Taken over when its volume is empty; change it there too.'],
  ['PERENNIAL_TOKEN', 'Token with every scope, for whoever operates the platform: Authorization: Bearer.', 'pt_'],
];
const SECRET_BYTES = 32;
const OWNER_ONLY = 0o600;

/**
 * Creates the file if it is missing. An existing one is kept: throws when it lacks a secret, or is another user's.
 * Returns whether it was created. Tests replace `chmod`.
 */
export function ensureEnvFile(path, { chmod = chmodSync } = {}) {
  if (existsSync(path)) {
    // One that was written by hand may be open to every user of the machine.
    closeToOthers(path, chmod);
    const missing = findMissing(readFileSync(path, 'utf8'));
    if (missing.length === 0) return false;
    const [[name, , prefix]] = missing;
    const names = missing.map(([missingName]) => missingName).join(', ');
    throw new Error(`${path} lacks ${names}; add a line for each, such as ${name}=${createSecret(prefix)}`);
  }
  // wx: of two concurrent starts only one creates it, and no link is followed.
  writeFileSync(path, createEnvText(), { mode: OWNER_ONLY, flag: 'wx' });
  return true;
}

/** Only its owner may change a file's mode, even to the one that it has. */
function closeToOthers(path, chmod) {
  try {
    chmod(path, OWNER_ONLY);
  } catch (cause) {
    if (cause.code !== 'EPERM') throw cause;
    throw new Error(
      `${path} belongs to another user (uid ${statSync(path).uid}), so it cannot be made readable by its owner alone: ` +
        `run this as that user, or make the file yours with \`sudo chown "$(id -u)" ${path}\``,
      { cause },
    );
  }
}

function createEnvText() {
  const lines = SECRETS.flatMap(([name, description, prefix]) => [
    `# ${description}`,
    `${name}=${createSecret(prefix)}`,
    '',
  ]);
  return ['# Secrets of this installation; .env.example lists what else can be set here.', '', ...lines].join('\n');
}

function findMissing(text) {
  const values = parseEnv(text);
  return SECRETS.filter(([name]) => !values.get(name));
}

/** `NAME=value` lines as a map; comments and empty lines are left out. */
export function parseEnv(text) {
  const pairs = [...text.matchAll(/^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*(.*?)[ \t\r]*$/gm)];
  return new Map(pairs.map(([, name, value]) => [name, value.replace(/^(['"])(.*)\1$/, '$2')]));
}

function createSecret(prefix = '') {
  return prefix + randomBytes(SECRET_BYTES).toString('hex');
}
