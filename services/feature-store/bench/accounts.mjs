// What accounts cost in the feature-store: steps of ten members of one account with states through their bytes, CPU time an
// event of a member, the account's step included. A spec without accounts and one with, in turns: node bench/accounts.mjs (after a build).
import { INITIAL_RATES } from '@perennial/commerce';
import { AcceptedRecord } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { createMetrics } from '@perennial/telemetry';
import { createAccountTelemetry } from '../dist/accounts/account-telemetry.js';
import { createFills } from '../dist/fill/fills.js';
import { createIdentityTelemetry } from '../dist/identity/identity-telemetry.js';
import { createJoiningProcessor } from '../dist/identity/joining-processor.js';
import { createFeatureTelemetry } from '../dist/telemetry.js';

const EVENTS = 2_000;
const MEMBERS = 10;
const ROUNDS = 11;
const T0 = Date.UTC(2026, 0, 1);

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const attributes = [
  { name: 'account.orders_count_7d', source: 'account_feature', of: 'orders_count_7d', kind: 'number' },
  { name: 'account.traits.seats', source: 'account_trait', of: 'seats', kind: 'number' },
];
specs.add('accounts', ECOMMERCE_FEATURES, { attributes });
const metrics = createMetrics({ service: 'bench', namespace: 'live', processMetrics: false });
const { codec, decode, step, inputTopic } = createJoiningProcessor({
  namespace: 'live',
  artifacts: { fills: createFills({}, specs) },
  telemetry: createFeatureTelemetry(metrics),
  specs,
  joins: createIdentityTelemetry(metrics),
  accounts: createAccountTelemetry(metrics),
  toAccountKey: (id) => `account-${id}`,
});

function toEvent(index) {
  const receivedAtMs = T0 + index * 60_000;
  const account = [{ name: 'seats', value: { $case: 'number', value: 12 } }];
  const isFirst = index < MEMBERS;
  return {
    messageId: `m${index}`,
    ...{ type: isFirst ? 'group' : 'track', name: isFirst ? '' : 'Order Completed' },
    ...{ timestampMs: receivedAtMs, receivedAtMs, sourceId: 's', subject: Buffer.alloc(40), anonymous: false },
    ...{ timeZone: 'UTC', currency: '', namedIds: [], amount: 59.9 },
    propertiesJson: Buffer.from('{"products":[{"product_id":"p1"}]}'),
    traits: isFirst ? { own: [], accountId: 'acme', account } : undefined,
  };
}

function run(inForce) {
  const states = new Map();
  let copyBytes = 0;
  let written = 0;
  const take = (key, value) => {
    const { input } = decode({ key: Buffer.from(key), value });
    const bytes = states.get(key);
    const logTimeMs = input.event?.receivedAtMs ?? T0;
    const context = { key, partition: 0, offset: 0, ordinal: 0, logTimeMs, inForce };
    const item = { state: bytes && codec.decode(bytes), cause: { kind: 'record', input }, context };
    const { state, outputs } = step(item, { rates: INITIAL_RATES });
    states.set(key, codec.encode(state));
    for (const output of outputs) {
      if (output.topic !== inputTopic) continue;
      written += 1;
      copyBytes = Math.max(copyBytes, output.value.length);
      take(output.key, output.value);
    }
  };
  const started = process.cpuUsage();
  for (let index = 0; index < EVENTS; index++) {
    const record = { $case: 'event', value: toEvent(index) };
    take(`user-${index % MEMBERS}`, Buffer.from(AcceptedRecord.encode({ record }).finish()));
  }
  const { user, system } = process.cpuUsage(started);
  return { micros: (user + system) / EVENTS, written: written / EVENTS, copyBytes };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const inForce = new Map([['features', { kind: 'features', number: 1, hash: 'accounts' }]]);
const found = { without: [], with: [] };
for (let round = 0; round < ROUNDS + 2; round++) {
  const results = { without: run(new Map()), with: run(inForce) };
  if (round >= 2) for (const name of Object.keys(found)) found[name].push(results[name]);
}
for (const [name, results] of Object.entries(found)) {
  const { written, copyBytes } = results[0];
  const micros = median(results.map((result) => result.micros)).toFixed(1);
  process.stdout.write(
    `${name} accounts: ${micros} us an event, ${written.toFixed(2)} records more of at most ${copyBytes} bytes\n`,
  );
}
