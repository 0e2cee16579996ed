// Proves docker-compose.yml on a real engine: builds the images, starts everything under a project name and ports of its
// own, sends a new user's first order over HTTP, waits for that user's action, stops gracefully, leaves nothing behind.
//
//   node scripts/test-compose.mjs [--keep]     --keep leaves the project running, to look at
//
// Exit codes: 0 passed, 1 failed, 3 there is no Docker engine here.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { SERVICE_NAMES } from '../packages/base/contracts/dist/index.js';
import { createCompose, findEngineProblem } from './containers/compose.mjs';
import { ensureEnvFile, parseEnv } from './containers/env-file.mjs';

/** A path of each service that nobody may read without a token. */
const GUARDED_ROUTES = {
  ingest: '/v1/clock',
  'feature-store': '/v1/features/nobody',
  scoring: '/v1/stages',
  action: '/v1/summary',
};
const UP_TIMEOUT_S = 480;
const ACTION_TIMEOUT_MS = 60_000;
/**
 * One profile in twenty is held out and gets no action: that all five are has a probability of one in three million.
 */
const USERS = 5;
const EXIT_NO_ENGINE = 3;

const { values: options } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const root = join(import.meta.dirname, '..');
const project = `perennial-test-${process.pid}`;
const startedAt = Date.now();

const problem = findEngineProblem();
if (problem === undefined) await main();
else {
  console.error(`test:compose needs Docker with Compose, version 2: ${problem}`);
  process.exitCode = EXIT_NO_ENGINE;
}

async function main() {
  if (ensureEnvFile(join(root, '.env'))) say('made .env with new secrets');
  const compose = createCompose({ root, project, env: await createTestPorts() });
  let passed = false;
  // Ctrl-C ends the current docker command, and with it this try block: the started containers are still removed.
  process.on('SIGINT', () => say('interrupted: cleaning up'));
  try {
    await step('build the images', () => compose.run(['build', '--quiet']));
    await step('start everything', () =>
      compose.run(['up', '--detach', '--wait', '--wait-timeout', String(UP_TIMEOUT_S)]),
    );
    await step('every service is ready and runs without root', () => checkServices(compose));
    await step('no container has privileges, and none shows a secret', () => checkPrivileges(compose));
    const users = Array.from({ length: USERS }, () => `compose-${randomUUID()}`);
    await step('first orders over HTTP', () => sendFirstOrders(compose, users));
    const action = await step('an action in the ledger', () => waitForAction(compose, users));
    await step('the same action on the topic, as its schema says', () => checkTopic(compose, action));
    await step('a preset, without a restart', () => checkPreset(compose, users[0]));
    await step('stop: every service drains and ends with 0', () => checkStop(compose));
    passed = true;
  } catch (error) {
    console.error(`test:compose failed: ${error.stack}`);
    await compose.run(['ps', '--all']).catch(() => undefined);
    await compose.run(['logs', '--no-color', '--tail', '60']).catch(() => undefined);
    process.exitCode = 1;
  } finally {
    if (options.keep) say(`left running: docker compose --project-name ${project} down --volumes removes it`);
    else await compose.run(['down', '--volumes', '--remove-orphans']).catch(reportFailure);
  }
  if (passed && !process.exitCode) say('passed');
}

/** Free ports: 0 would let the engine choose, but Kafka has to advertise its port to clients. */
async function createTestPorts() {
  const names = [...SERVICE_NAMES, 'redis', 'postgres'].map((name) => name.toUpperCase().replaceAll('-', '_'));
  return {
    ...Object.fromEntries(names.map((name) => [`${name}_PORT`, '0'])),
    KAFKA_PORT: String(await findFreePort()),
  };
}

function findFreePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function checkServices(compose) {
  for (const service of SERVICE_NAMES) {
    const response = await fetch(`${compose.urlOf(service, 8080)}/health/ready`);
    if (!response.ok) throw new Error(`${service} is not ready: ${response.status} ${await response.text()}`);
    const user = compose.read(['exec', '-T', service, 'node', '-p', 'process.getuid()']).trim();
    if (user === '0') throw new Error(`${service} runs as root`);
  }
  for (const [service, path] of Object.entries(GUARDED_ROUTES)) {
    const { status } = await fetch(`${compose.urlOf(service, 8080)}${path}`);
    if (status !== 401) throw new Error(`${service}${path} answered ${status} without a token`);
  }
}

/** Of the first process of each container: who it is, what it may, and what its arguments say. */
function checkPrivileges(compose) {
  const secrets = [...parseEnv(readFileSync(join(root, '.env'), 'utf8'))]
    .filter(([name]) => /PASSWORD|SECRET|TOKEN/.test(name))
    .map(([, value]) => value);
  for (const container of ['kafka', 'redis', 'postgres', ...SERVICE_NAMES]) {
    const read = (path) => compose.read(['exec', '-T', container, 'cat', path]);
    const status = new Map(
      read('/proc/1/status')
        .split('\n')
        .map((line) => line.split(/:\s+/)),
    );
    const facts = {
      uid: status.get('Uid').split('\t')[0],
      effective: status.get('CapEff'),
      more: status.get('NoNewPrivs'),
    };
    if (facts.uid === '0' || !/^0+$/.test(facts.effective) || facts.more !== '1')
      throw new Error(`${container} has privileges: ${JSON.stringify(facts)}`);
    const args = read('/proc/1/cmdline');
    if (secrets.some((secret) => args.includes(secret)))
      throw new Error(`${container} shows a secret in its arguments`);
    if (container === 'kafka') continue;
    const written = compose.read(['exec', '-T', container, 'sh', '-c', 'touch /etc/made 2>&1 || true']);
    if (!written.includes('Read-only file system')) throw new Error(`${container} can write to /etc: ${written}`);
  }
}

async function sendFirstOrders(compose, users) {
  const name = `test-${process.pid}`;
  const created = compose.read([
    'exec',
    '-T',
    'ingest',
    'node',
    'dist/main.js',
    'sources',
    'create',
    '--name',
    name,
    '--json',
  ]);
  const { writeKey } = parseLastLine(created);
  const response = await fetch(`${compose.urlOf('ingest', 8080)}/v1/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Basic ${btoa(`${writeKey}:`)}` },
    body: JSON.stringify({ batch: users.map(toFirstOrder) }),
  });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`POST /v1/batch answered ${response.status}: ${body}`);
}

function toFirstOrder(userId) {
  return {
    type: 'track',
    userId,
    messageId: randomUUID(),
    event: 'Order Completed',
    timestamp: new Date().toISOString(),
    context: { timezone: findZoneAtNoon() },
    properties: {
      order_id: randomUUID(),
      revenue: 59.9,
      products: [{ product_id: 'sku-1', quantity: 1, price: 59.9 }],
    },
  };
}

/** A time zone where it is about noon, so that no quiet hours hold the action back. POSIX signs: Etc/GMT-2 is two hours ahead. */
function findZoneAtNoon() {
  const hoursAhead = 12 - new Date().getUTCHours();
  return `Etc/GMT${hoursAhead > 0 ? '-' : '+'}${Math.abs(hoursAhead)}`;
}

/** The ledger's first action of any of the users. */
async function waitForAction(compose, users) {
  const base = compose.urlOf('action', 8080);
  const deadline = Date.now() + ACTION_TIMEOUT_MS;
  for (let answers = []; ; await delay(250)) {
    answers = await Promise.all(users.map((user) => readText(`${base}/v1/actions?userId=${user}`)));
    const [action] = answers.flatMap(({ ok, text }) => (ok ? (JSON.parse(text).actions ?? []) : []));
    if (action !== undefined) {
      say(`  ${action.strategy} on ${action.channel}: ${JSON.stringify(action.reasons)}`);
      return action;
    }
    if (Date.now() < deadline) continue;
    const { text } = await readText(`${base}/v1/summary`);
    throw new Error(
      `no action after ${ACTION_TIMEOUT_MS / 1000} s; the ledger answers ${answers[0].text}, its summary ${text}`,
    );
  }
}

/** The operator's token, as imported by the provisioning. */
function readToken() {
  return parseEnv(readFileSync(join(root, '.env'), 'utf8')).get('PERENNIAL_TOKEN');
}

async function readText(url) {
  const response = await fetch(url, { headers: { authorization: `Bearer ${readToken()}` } });
  return { ok: response.ok, text: await response.text() };
}

/**
 * Reads action.decided from its beginning, as any consumer would, and validates each record against the published
 * schema.
 */
function checkTopic(compose, action) {
  const consume = '/opt/kafka/bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --from-beginning';
  const script = `${consume} --topic lifecycle.action.decided.v1 --timeout-ms 20000 2>/dev/null || true`;
  const output = compose.read(['exec', '-T', 'kafka', 'bash', '-c', script], { timeoutMs: 120_000 });
  const records = output.split('\n').filter((line) => line.startsWith('{'));
  if (!records.some((record) => JSON.parse(record).actionId === action.actionId))
    throw new Error(`action ${action.actionId} is in the ledger but not on the topic, which holds:\n${output}`);
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
  const validate = ajv.compile(JSON.parse(readFileSync(join(root, 'proto/edges/action.decided.schema.json'), 'utf8')));
  for (const record of records)
    if (!validate(JSON.parse(record))) throw new Error(`${ajv.errorsText(validate.errors)}: ${record}`);
}

/** Puts the features of a preset in force that has all of the default's and more, and waits for one of the others. */
async function checkPreset(compose, userId) {
  await compose.run(['run', '--rm', '--no-deps', '--env', 'PERENNIAL_PRESET=ecommerce', 'provision']);
  const url = `${compose.urlOf('feature-store', 8080)}/v1/features/${userId}?names=orders_gap_median_days`;
  const deadline = Date.now() + ACTION_TIMEOUT_MS;
  for (;;) {
    const { ok, text } = await readText(url);
    if (ok) return;
    if (Date.now() >= deadline) throw new Error(`the preset is not in force: ${text}`);
    await delay(250);
  }
}

async function checkStop(compose) {
  await compose.run(['stop', ...SERVICE_NAMES]);
  for (const line of compose
    .read(['ps', '--all', '--format', 'json', ...SERVICE_NAMES])
    .trim()
    .split('\n')) {
    const { Service: service, ExitCode: exitCode } = JSON.parse(line);
    if (exitCode !== 0) throw new Error(`${service} ended with ${exitCode} when it was asked to stop`);
  }
}

function parseLastLine(text) {
  return JSON.parse(text.trim().split('\n').at(-1));
}

async function step(what, action) {
  const begun = Date.now();
  say(`${what} ...`);
  const result = await action();
  say(`${what}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  return result;
}

function reportFailure(error) {
  console.error(error.message);
  process.exitCode = 1;
}

function say(text) {
  console.log(`test:compose ${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${text}`);
}
