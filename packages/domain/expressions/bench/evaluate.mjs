// Compares compiled conditions with cel-js's own evaluator: ns per evaluation, median of alternating rounds.
import { Environment } from '@marcbachmann/cel-js';
import { compileCondition, declareVariables } from '../dist/index.js';

const SOURCES = [
  'features.orders_count_90d >= 3 && features.orders_recency_days < 45',
  'scores.churn >= 0.65 && features.orders_count_all >= 1',
  'features.orders_count_365d >= 6 && features.orders_tenure_days >= 60 && scores.churn < 0.5',
];
const NAMES = [
  'features.orders_count_90d',
  'features.orders_recency_days',
  'features.orders_count_all',
  'features.orders_count_365d',
  'features.orders_tenure_days',
  'scores.churn',
];
const ROUNDS = 11;
const EVALUATIONS = 200_000;

const variables = declareVariables(NAMES.map((name) => ({ name, kind: 'number' })));
const environment = new Environment()
  .registerVariable('features', 'map<string, double>')
  .registerVariable('scores', 'map<string, double>');
const rows = Array.from({ length: 64 }, (_, i) => [i % 5, i, i % 9, i % 11, i * 3, i / 64]);
const contexts = rows.map((row) => {
  const context = { features: {}, scores: {} };
  NAMES.forEach((name, i) => {
    const [group, member] = name.split('.');
    context[group][member] = row[i];
  });
  return context;
});

const ours = SOURCES.map((source) => compileCondition(source, variables).condition);
const theirs = SOURCES.map((source) => environment.parse(source));
const timings = { ours: [], theirs: [] };
let held = 0;
for (let round = 0; round < ROUNDS; round++) {
  timings.ours.push(measure((i) => ours[i % 3].test(rows[i & 63])));
  timings.theirs.push(measure((i) => theirs[i % 3](contexts[i & 63])));
}
const [a, b] = [median(timings.ours), median(timings.theirs)];
process.stdout.write(
  `compiled: ${a.toFixed(0)} ns; cel-js: ${b.toFixed(0)} ns; ratio ${(b / a).toFixed(1)} (${held} held)\n`,
);

function measure(evaluate) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < EVALUATIONS; i++) if (evaluate(i)) held++;
  return Number(process.hrtime.bigint() - start) / EVALUATIONS;
}

function median(values) {
  return values.sort((x, y) => x - y)[values.length >> 1];
}
