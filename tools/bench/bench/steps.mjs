// CPU time an event of each processor's own work: decode, load, steps, encoding of states and outbox, without Kafka and Redis.
//   node tools/bench/bench/steps.mjs [OTHER_CHECKOUT] [--only scoring]      (after a build)
// With another built checkout both run in turn in this process, each figure is followed by its ratio to the other's, and states and outputs
// are compared by their bytes. The records are those of `bench chain`: three orders in ten are a new customer's. The model runs in this process.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const HERE = join(import.meta.dirname, '../../..');
const ROUNDS = 9;
const EVENTS = 12_000;
const BATCH = 100;
const NEW_SHARE = 0.3;
const NAMESPACE = 'bench';
const NOW_MS = Date.UTC(2026, 0, 15, 12);
const LIMITS = {
  batchItemsMax: 1_000,
  outputBytesMax: 900 * 1024,
  cacheEntriesMax: 50_000,
  cacheBytesMax: 32 * 1024 * 1024,
};
const SECRET = 'a secret for the bench, not for anything else';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
const roots = [HERE, ...positionals.map((path) => resolve(path))];

function createRandom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Orders as `tools/bench/src/load.ts` makes them. */
function makeBodies() {
  const random = createRandom(7);
  let users = 0;
  return Array.from({ length: EVENTS }, (_, number) => {
    const isNew = users === 0 || random() < NEW_SHARE;
    const userId = `run-${isNew ? users++ : Math.floor(random() * users)}`;
    const price = Math.round(random() * 10_000) / 100;
    const products = [{ product_id: `sku-${Math.floor(random() * 500)}`, quantity: 1, price }];
    const properties = { order_id: `run-${number}`, revenue: price, currency: 'USD', products };
    return { type: 'track', event: 'Order Completed', userId, messageId: `run-${number}`, properties };
  });
}

/** The default policy as `bench chain` has it: without quiet hours and holdouts. */
function readPolicy(root, { parse, stringify }) {
  const { quietHours, holdout, strategies, ...policy } = parse(
    readFileSync(join(root, 'infra/defaults/policy.yaml'), 'utf8'),
  );
  const free = Object.entries(strategies).map(([name, { holdout: _share, ...rest }]) => [name, rest]);
  return Buffer.from(stringify({ ...policy, strategies: Object.fromEntries(free) }));
}

const require = createRequire(import.meta.url);
const CORE = ['batch', 'decode-batch', 'load-batch', 'commit-batch', 'located-record'].map((name) => `batch/${name}`);
const CORE_FILES = [...CORE, 'partition/state-cache', 'snapshot/changed-keys', 'store/store'];

/** What a checkout was built to. */
function openCheckout(root) {
  const from = (path) => require(join(root, path));
  const take = (folder, files) => Object.assign({}, ...files.map((file) => from(`${folder}/dist/${file}.js`)));
  const packages = Object.assign(
    {},
    ...['domain/feature-engine', 'base/contracts', 'base/kernel', 'domain/model-manifest', 'io/onnx'].map((path) =>
      from(`packages/${path}/dist/index.js`),
    ),
    ...['domain/privacy', 'base/telemetry'].map((path) => from(`packages/${path}/dist/index.js`)),
  );
  return { root, from, take, packages, core: take('packages/stream/keyed-processor', CORE_FILES) };
}

/** What is in force, and where it is loaded from. */
function openArtifacts({ root, from, packages: { toCanonicalManifest, toSha256 } }) {
  const readBytes = (path) => readFileSync(join(root, path));
  const files = {
    model: toCanonicalManifest(readBytes('trainer/models/default/manifest.json')),
    lifecycle: readBytes('infra/defaults/lifecycle.yaml'),
    segments: readBytes('infra/defaults/segments.yaml'),
    policy: readPolicy(root, from('tools/bench/node_modules/yaml/dist/index.js')),
  };
  const graph = readBytes('trainer/models/default/model.onnx');
  const contents = new Map([...Object.values(files), graph].map((bytes) => [toSha256(bytes), bytes]));
  const store = { list: async () => [], load: async (_kind, hash) => contents.get(hash) };
  return {
    store,
    rollouts: Object.entries(files).map(([kind, bytes]) => ({ kind, number: 1, hash: toSha256(bytes) })),
  };
}

function toPseudonymizer({ createPseudonymizer, createCachedPseudonymizer }) {
  return createCachedPseudonymizer(createPseudonymizer(SECRET), { entriesMax: 50_000 });
}

function openFeatureStore({ take }, { store, toMetrics }) {
  const { createParts } = take('services/feature-store', ['parts']);
  const metrics = toMetrics('feature-store');
  return createParts({ config: { secret: SECRET }, namespace: NAMESPACE, metrics, artifactStore: store }).definition;
}

const SCORING_FILES = ['artifacts', 'processor', 'joins', 'telemetry', 'domain/segment-changed'];

function openScoring({ take, packages }, { store, logger, toMetrics }) {
  const service = take('services/scoring', SCORING_FILES);
  const { FeatureSpecs, ECOMMERCE_FEATURES, loadModelHere, toTopic } = packages;
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const telemetry = service.createScoringTelemetry(logger, toMetrics('scoring'));
  const pseudonymizer = toPseudonymizer(packages);
  const artifacts = service.createScoringArtifacts(store, {
    specs,
    loadGraph: (file, declared) => loadModelHere(file, declared, { providers: ['cpu'] }),
    onModelLoaded: telemetry.modelLoaded,
    onConditionError: telemetry.conditionFailed,
  });
  const parts = { namespace: NAMESPACE, artifacts, specs, pseudonymizer, telemetry };
  return service.withJoins(service.createScoringProcessor(parts), {
    scoreTopic: toTopic(NAMESPACE, 'scoreComputed'),
    toSegmentChanged: service.createSegmentChangedWriter(NAMESPACE, pseudonymizer),
  });
}

function openAction({ take, packages }, { store, logger, toMetrics }) {
  const service = take('services/action', ['artifacts', 'processor', 'joins', 'telemetry']);
  const { FeatureSpecs, ECOMMERCE_FEATURES, createPseudonymizer } = packages;
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const telemetry = service.createActionTelemetry(logger, toMetrics('action'));
  const artifacts = service.createActionArtifacts(store, { specs, telemetry });
  const pseudonymizer = createPseudonymizer(SECRET);
  return service.withJoins(
    service.createActionProcessor({ namespace: NAMESPACE, artifacts, specs, pseudonymizer, telemetry }),
  );
}

/** The orders as ingest accepts them. */
function makeRecords({ take, packages }) {
  const { normalise, toAcceptedRecord } = take('services/ingest', ['domain/normalise', 'records']);
  const topics = { acceptedTopic: 'accepted', rejectedTopic: 'rejected' };
  const context = { pseudonymizer: toPseudonymizer(packages), namespace: NAMESPACE, partitions: 1, ...topics };
  const arrival = { clockMode: 'wall', createMessageId: () => 'none', bytesMax: 500 };
  return makeBodies().map((body, number) =>
    toAcceptedRecord(normalise(body, { ...arrival, receivedAtMs: NOW_MS + number }), 'src_1', context),
  );
}

/** A checkout's processors, their first records, and what is in force. */
function load(root) {
  const checkout = openCheckout(root);
  const { store, rollouts } = openArtifacts(checkout);
  const { createLogger, createMetrics } = checkout.packages;
  const logger = createLogger({ service: 'bench', namespace: NAMESPACE, instanceId: '0', level: 'fatal' });
  const toMetrics = (service) => createMetrics({ service, namespace: NAMESPACE, processMetrics: false });
  const parts = { store, logger, toMetrics };
  const processors = [
    ['feature-store', openFeatureStore(checkout, parts)],
    ['scoring', openScoring(checkout, parts)],
    ['action', openAction(checkout, parts)],
  ];
  return { core: checkout.core, rollouts, processors, records: makeRecords(checkout) };
}

/** One pass of a processor over records, from no state; returns the records of the next one. */
async function runStage({ core, rollouts }, definition, records, hash = undefined) {
  const inForce = new Map();
  for (const rollout of rollouts) {
    inForce.set(rollout.kind, rollout);
    await definition.loadRollout?.(rollout, inForce);
  }
  const own = {
    ...{ owner: 'bench', cache: new core.StateCache(LIMITS), changes: new core.ChangedKeys(0), catchUp: undefined },
    ...{ timersFromMs: Number.POSITIVE_INFINITY, meta: { ...core.EMPTY_META, inForce: rollouts } },
    publisher: { peekAcknowledged: () => [], forget: () => {}, add: (outbox) => sent.push(outbox.records) },
  };
  const sent = [];
  let bytes = 0;
  const store = {
    load: async (_fence, { keys }) => ({ states: keys.map(() => null), timers: [], nextTimerAtMs: undefined }),
    async commit(_fence, { states, outbox }) {
      for (const part of [...states.map(([, state]) => state), outbox?.bytes]) {
        bytes += part?.length ?? 0;
        if (part != null) hash?.update(part);
      }
    },
  };
  const ends = { endOf: () => Number.MAX_SAFE_INTEGER };
  const { codec } = definition;
  const before = process.cpuUsage();
  for (let start = 0; start < records.length; start += BATCH) {
    const located = records.slice(start, start + BATCH).map((record) => core.locateRecord(definition, record));
    const entries = core.decodeBatch(definition, located, own.meta, ends);
    const { states, timers } = await core.loadBatch(own, entries, { store, codec, limits: LIMITS });
    const parts = { partition: 0, partitions: 1, deadLetterTopic: 'dead', meta: own.meta, limits: LIMITS };
    const result = await core.processBatch(definition, { ...parts, entries, states, timers });
    await core.commitBatch(own, result, { store, codec });
  }
  const { user, system } = process.cpuUsage(before);
  return { us: (user + system) / records.length, outputs: sent.flat(), bytes };
}

/** As the next processor's consumer gets them. */
function toInput(outputs, topic) {
  const kept = outputs.filter((record) => record.topic === topic);
  return kept.map((record, offset) => ({ ...record, offset, timestampMs: NOW_MS }));
}

const builds = [];
for (const root of roots) {
  const build = load(root);
  let records = build.records.map((record, offset) => ({ ...record, offset, timestampMs: NOW_MS }));
  build.stages = [];
  for (const [name, definition] of build.processors) {
    const input = toInput(records, name === 'feature-store' ? records[0].topic : definition.inputTopic);
    const hash = createHash('sha256');
    const { outputs, bytes } = await runStage(build, definition, input, hash);
    build.stages.push({ name, definition, input, bytes, hash: hash.digest('hex'), us: [] });
    records = outputs;
  }
  builds.push(build);
}
for (let round = 0; round < ROUNDS; round++) {
  for (const [at, { name }] of builds[0].stages.entries()) {
    if (values.only !== undefined && values.only !== name) continue;
    // Each goes first in every other round.
    for (const build of round % 2 === 0 ? builds : builds.toReversed()) {
      const stage = build.stages[at];
      globalThis.gc?.();
      stage.us.push((await runStage(build, stage.definition, stage.input)).us);
    }
  }
}
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
for (const [at, { name, us, input, bytes, hash }] of builds[0].stages.entries()) {
  if (us.length === 0) continue;
  const other = builds[1]?.stages[at];
  const ratio = other && us.map((value, round) => value / other.us[round]);
  const beside = other
    ? ` (${median(other.us).toFixed(1)} there, ratio ${median(ratio).toFixed(2)}, ${hash === other.hash ? 'the same' : 'OTHER'} states and outputs)`
    : '';
  process.stdout.write(
    `${name}: ${median(us).toFixed(1)} us of CPU an event${beside}; ${input.length} records, ${bytes} bytes\n`,
  );
}
process.exit(0);
