// What declared traits cost in the feature-store: decode the state, fold an event, encode state and record. CPU time, a spec
// without traits and one with four in turns, in one process: node bench/attributes.mjs (after a build).
import { INITIAL_RATES } from '@perennial/commerce';
import { encodeMessage, FeatureRecord } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { foldEvent } from '../dist/domain/fold.js';
import { createProfileStates } from '../dist/domain/profile-state.js';

const EVENTS = 4_000;
const ROUNDS = 15;
const T0 = Date.UTC(2026, 0, 1);

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const kinds = { plan: 'text', seats: 'number', since: 'time', vip: 'boolean' };
const attributes = Object.entries(kinds).map(([trait, kind]) => ({
  name: `traits.${trait}`,
  source: 'trait',
  of: trait,
  kind,
}));
const declared = specs.add('declared', ECOMMERCE_FEATURES, { attributes });
const states = createProfileStates(specs);

const own = [
  { name: 'plan', value: { $case: 'text', value: 'pro' } },
  { name: 'seats', value: { $case: 'number', value: 12 } },
  { name: 'since', value: { $case: 'timeMs', value: T0 } },
  { name: 'vip', value: { $case: 'flag', value: true } },
];

function toEvent(index) {
  return {
    messageId: `m${index}`,
    ...{ type: 'track', name: 'Order Completed', timestampMs: T0 + index * 60_000, receivedAtMs: T0 + index * 60_000 },
    ...{ sourceId: 's', subject: Buffer.alloc(40), anonymous: false, timeZone: 'UTC', currency: '', namedIds: [] },
    ...{ propertiesJson: Buffer.alloc(0), amount: 59.9, traits: index === 0 ? { own, accountId: '' } : undefined },
  };
}

function run(spec) {
  let bytes;
  let recordBytes = 0;
  const started = process.cpuUsage();
  for (let index = 0; index < EVENTS; index++) {
    const state = bytes && states.decode(bytes);
    const input = { event: toEvent(index), properties: { revenue: 59.9, products: [{ product_id: `p${index % 9}` }] } };
    const folded = foldEvent(state, input, { spec, specs, rates: INITIAL_RATES, logTimeMs: 0 });
    bytes = states.encode(folded.state);
    recordBytes = encodeMessage(FeatureRecord, { record: { $case: 'updated', value: folded.update } }).length;
  }
  const { user, system } = process.cpuUsage(started);
  return { microsPerEvent: (user + system) / EVENTS, recordBytes };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const found = { without: [], with: [] };
for (let round = 0; round < ROUNDS + 2; round++) {
  const results = { without: run(specs.initial), with: run(declared) };
  if (round >= 2) for (const name of Object.keys(found)) found[name].push(results[name]);
}
for (const [name, results] of Object.entries(found)) {
  const micros = median(results.map(({ microsPerEvent }) => microsPerEvent));
  process.stdout.write(`${name} traits: ${micros.toFixed(2)} us an event, record of ${results[0].recordBytes} bytes\n`);
}
const ratios = found.with.map(({ microsPerEvent }, index) => microsPerEvent / found.without[index].microsPerEvent);
process.stdout.write(`ratio ${median(ratios).toFixed(3)} (median of ${ROUNDS} rounds)\n`);
