// What a step costs that changes nothing, by what the file of segments has: `node packages/domain/segments/bench/step.mjs` after a build.
import { readFileSync } from 'node:fs';
import { ECOMMERCE_FEATURES } from '../../feature-engine/dist/index.js';
import { parseSegments, stepSegments } from '../dist/index.js';

const STEPS = 200_000;
const ROUNDS = 7;
const file = readFileSync(new URL('../../../../infra/defaults/segments.yaml', import.meta.url), 'utf8');
const featureNames = ECOMMERCE_FEATURES.map(({ name }) => name);
const measured = featureNames.filter((name) => name.startsWith('orders_')).slice(0, 5);

const centres = [0, 1, 2, 3, 4].map((at) => ({ name: `c${at}`, at: measured.map((_, index) => at - index) }));
const features = measured.map((feature) => ({ feature, median: 1, scale: 2, missing: 0 }));
const clusters = `clusters: { habits: ${JSON.stringify({ margin: 0.1, features, centres })} }\n`;
const cohorts = 'cohorts: { joined: { since: orders_tenure_days, from: 2024-01, count: 24 } }\n';
const files = {
  'the default file': file,
  'and 5 clusters of 5 features': file + clusters,
  'and 24 cohorts': file + cohorts,
};

const run = ([name, text]) => {
  const parsed = parseSegments(text, { fileName: 'segments.yaml', featureNames });
  if (!parsed.ok) throw new Error(`${name}: ${JSON.stringify(parsed.problems)}`);
  const facts = { features: featureNames.map((_, index) => (index % 4) + 0.5), stage: 'engaged', daysInStage: 3 };
  const nowMs = Date.UTC(2025, 0, 1);
  let { state } = stepSegments(parsed.value, undefined, { nowMs, facts });
  const begin = process.hrtime.bigint();
  for (let step = 0; step < STEPS; step += 1) ({ state } = stepSegments(parsed.value, state, { nowMs, facts }));
  return { name, us: Number(process.hrtime.bigint() - begin) / STEPS / 1e3 };
};

const rounds = Array.from({ length: ROUNDS }, () => Object.entries(files).map(run));
const [base, ...others] = Object.keys(files).map((name, index) => {
  const times = rounds.map((round) => round[index].us).sort((a, b) => a - b);
  return { name, us: times[Math.floor(ROUNDS / 2)] };
});
process.stdout.write(`${base.name}: ${base.us.toFixed(2)} us a step (median of ${ROUNDS} rounds)\n`);
for (const { name, us } of others)
  process.stdout.write(`${name}: ${us.toFixed(2)} us, ${(us - base.us).toFixed(2)} more\n`);
