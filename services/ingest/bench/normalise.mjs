// Events per second through the pure core and through encoding, in one process: node bench/normalise.mjs (after a build).
import { createCachedPseudonymizer, createPseudonymizer } from '@perennial/privacy';
import { requireTrackingPlan } from '@perennial/tracking-plan';
import { normalise } from '../dist/domain/normalise.js';
import { toAcceptedRecord } from '../dist/records.js';

const EVENTS = 50_000;
const ROUNDS = 7;
const createMessageId = () => 'generated';
const arrival = { receivedAtMs: Date.now(), clockMode: 'wall', createMessageId };

const bodies = Array.from({ length: EVENTS }, (_, i) =>
  JSON.stringify({
    type: 'track',
    messageId: `node-next-1700000000000-${i}`,
    userId: `user-${i % 5000}`,
    event: 'Order Completed',
    timestamp: new Date(arrival.receivedAtMs - 1000).toISOString(),
    sentAt: new Date(arrival.receivedAtMs).toISOString(),
    context: { library: { name: '@segment/analytics-node', version: '3.1.0' }, timezone: 'Europe/Berlin' },
    properties: { order_id: `o${i}`, revenue: 59.9, products: [{ product_id: 'sku-1', quantity: 2, price: 29.95 }] },
  }),
);

const context = {
  pseudonymizer: createCachedPseudonymizer(createPseudonymizer('a secret for the bench, not for anything else'), {
    entriesMax: 50_000,
  }),
  acceptedTopic: 'accepted',
  rejectedTopic: 'rejected',
  namespace: 'bench',
  partitions: 12,
};
const uncached = { ...context, pseudonymizer: createPseudonymizer('a secret for the bench, not for anything else') };

const plan = requireTrackingPlan(
  `{version: 1, personal: [email], track: {Order Completed: {schema: {required: [order_id], properties: {
    order_id: {type: string, pattern: '^o[0-9]+$'}, revenue: {type: number, minimum: 0},
    products: {items: {required: [product_id], properties: {product_id: {type: string}, quantity: {type: integer}, price: {type: number}}}}
  }, additionalProperties: false}}}}`,
  { fileName: 'plan.yaml' },
);
const planned = { ...arrival, bytesMax: 500, plan: { number: 1, plan } };

const parsed = bodies.map((body) => JSON.parse(body));
const normalised = parsed.map((raw) => normalise(raw, { ...arrival, bytesMax: 500 }));

const runs = {
  'JSON.parse alone (baseline)': () => bodies.map((body) => JSON.parse(body)),
  'normalise, size known': () => parsed.map((raw) => normalise(raw, { ...arrival, bytesMax: 500 })),
  'normalise, size known, by a plan': () => parsed.map((raw) => normalise(raw, planned)),
  'normalise, size measured': () => parsed.map((raw) => normalise(raw, arrival)),
  'encode, pseudonyms cached': () => normalised.map((event) => toAcceptedRecord(event, 'src_1', context)),
  'encode, pseudonyms computed': () => normalised.map((event) => toAcceptedRecord(event, 'src_1', uncached)),
};

for (const [name, run] of Object.entries(runs)) {
  const rates = [];
  for (let round = 0; round < ROUNDS; round++) {
    // CPU time, not wall time: other work on the machine then hardly shows.
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    rates.push((EVENTS / (user + system)) * 1e6);
  }
  rates.sort((a, b) => a - b);
  process.stdout.write(
    `${name.padEnd(34)} ${Math.round(rates[ROUNDS >> 1]).toLocaleString('en')} events per CPU second (median of ${ROUNDS})\n`,
  );
}
