// What training clusters takes: `node tools/training-export/bench/clusters.mjs` after a build. 100,000 made-up profiles of 5 features.
import { createSeededRandom } from '@perennial/kernel';
import { trainClusters } from '../dist/index.js';

const PROFILES = 100_000;
const features = ['a', 'b', 'c', 'd', 'e'];
const random = createSeededRandom(1);
// Long tails, as counts and amounts have them, around a few kinds of profile.
const vectors = Array.from({ length: PROFILES }, () => {
  const kind = Math.floor(random() * 6);
  return features.map((_, index) => ((kind * (index + 2)) % 7) - Math.log(1 - random()));
});

for (const k of [5, 'auto']) {
  const begin = process.cpuUsage().user;
  const { chosen } = trainClusters(vectors, { features, k, seed: 1, missing: 'skip' });
  const seconds = (process.cpuUsage().user - begin) / 1e6;
  process.stdout.write(
    `--k ${k}: ${seconds.toFixed(1)} s of CPU, k = ${chosen.k}, silhouette ${chosen.silhouette.toFixed(3)}\n`,
  );
}
