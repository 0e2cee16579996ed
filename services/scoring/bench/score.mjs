// CPU time an event of scoring's prepare and step, with the model in this process and in one of its own, in turn:
// node services/scoring/bench/score.mjs (after a build, on Linux).
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { toSha256 } from '@perennial/kernel';
import { toCanonicalManifest } from '@perennial/model-manifest';
import { loadModel, loadModelHere, RUN_LIMITS } from '@perennial/onnx';
import { createPseudonymizer } from '@perennial/privacy';
import { createScoringArtifacts } from '../dist/artifacts.js';
import { createScoringProcessor } from '../dist/processor.js';

const ROOT = join(import.meta.dirname, '../../..');
const BATCHES = [1, 5, 20, 100, 500];
const ROUNDS = 9;
const EVENTS = 6_000;
const T0 = 1_700_000_000_000;
const providers = ['cpu'];
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const pseudonymizer = createPseudonymizer('a secret for the bench, not for anything else');

const chart = readFileSync(join(ROOT, 'infra/defaults/lifecycle.yaml'));
const manifest = toCanonicalManifest(readFileSync(join(ROOT, 'trainer/models/default/manifest.json')));
const file = readFileSync(join(ROOT, 'trainer/models/default/model.onnx'));
const contents = new Map([chart, manifest, file].map((bytes) => [toSha256(bytes), bytes]));
const store = { list: async () => [], load: async (_kind, hash) => contents.get(hash) };
const inForce = new Map([
  ['model', { kind: 'model', number: 1, hash: toSha256(manifest) }],
  ['lifecycle', { kind: 'lifecycle', number: 1, hash: toSha256(chart) }],
]);
const telemetry = {
  modelLoaded: () => {},
  conditionFailed: () => {},
  rowFailed: () => {},
  modelProcessLost: () => {},
  timeInference: (_rows, run) => run(),
  transitionsStored: () => {},
};

function create(loadGraph) {
  const handlers = { onModelLoaded: () => {}, onConditionError: () => {} };
  const artifacts = createScoringArtifacts(store, { specs, loadGraph, ...handlers });
  return createScoringProcessor({ namespace: 'bench', artifacts, specs, pseudonymizer, telemetry });
}

function toItem(_, index) {
  const values = specs.initial.names.map((name, at) => (name.endsWith('_days') ? 1 + (index % 90) : (index + at) % 7));
  const event = { messageId: `m${index}`, type: 'track', name: 'Order Completed', timestampMs: T0, value: 30 };
  const subject = pseudonymizer.seal(`user ${index}`);
  const input = {
    specHash: specs.initial.specHash,
    asOfMs: T0,
    values,
    lastEventAtMs: T0,
    subject,
    timeZone: '',
    event,
  };
  const key = pseudonymizer.toProfileKey({ userId: `user ${index}` });
  const context = { key, partition: 0, offset: index, ordinal: 0, logTimeMs: 0, inForce };
  return { state: undefined, cause: { kind: 'record', input }, context };
}

/** CPU microseconds of all threads of a process. */
function readCpuUs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ns = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]));
  return ns.reduce((sum, used) => sum + used, 0) / 1000;
}

async function runBatches(definition, items, size) {
  for (let start = 0; start < items.length; start += size) {
    const batch = items.slice(start, start + size);
    const evidence = await definition.prepare(batch);
    batch.forEach((item, index) => void definition.step(item, evidence[index]));
  }
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const items = Array.from({ length: EVENTS }, toItem);
const here = create((bytes, graph) => loadModelHere(bytes, graph, { providers }));
const apart = create((bytes, graph) => loadModel(bytes, graph, { providers, limits: RUN_LIMITS }));
for (const definition of [here, apart]) await runBatches(definition, items, 100);
const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
const child = Number(
  children
    .split('\n')
    .find((line) => line.includes('process/main.js'))
    .trim()
    .split(' ')[0],
);

for (const size of BATCHES) {
  const some = items.slice(0, Math.min(EVENTS, size * 400));
  const rounds = { here: [], own: [], apart: [], wallHere: [], wallApart: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, definition] of Object.entries({ here, apart })) {
      const before = { own: readCpuUs(process.pid), child: readCpuUs(child), wall: performance.now() };
      await runBatches(definition, some, size);
      const own = (readCpuUs(process.pid) - before.own) / some.length;
      const wall = ((performance.now() - before.wall) * 1000) / some.length;
      rounds[name].push(own + (readCpuUs(child) - before.child) / some.length);
      if (name === 'apart') rounds.own.push(own);
      rounds[name === 'here' ? 'wallHere' : 'wallApart'].push(wall);
    }
  }
  const [a, b] = [median(rounds.here), median(rounds.apart)];
  process.stdout.write(
    `batches of ${String(size).padStart(3)}: CPU an event ${a.toFixed(0)} us here, ${b.toFixed(0)} us with a process ` +
      `(${median(rounds.own).toFixed(0)} of it in the service), ratio ${(b / a).toFixed(2)}; ` +
      `wall ratio ${(median(rounds.wallApart) / median(rounds.wallHere)).toFixed(2)}\n`,
  );
}
