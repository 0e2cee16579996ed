import { type ClusterModel, toClusterName } from '@perennial/segments';
import type { TrainedClusters } from './train-clusters.js';

/**
 * The block of a `segments.yaml`. Numbers stand as the shortest text that is read as the same bits, so that the file assigns as the
 * training did.
 */
export function toClusterYaml(
  name: string,
  { model, profiles, chosen }: Pick<TrainedClusters, 'model' | 'profiles' | 'chosen'>,
  trained: { readonly cutoff: string; readonly seed: number },
): string {
  const facts = `${profiles} profiles at ${trained.cutoff}, seed ${trained.seed}, silhouette ${chosen.silhouette.toFixed(3)}`;
  return [
    `clusters: # trained by k-means: ${facts}`,
    `  ${name}:`,
    `    clip: ${model.clip}`,
    '    features:',
    ...model.features.map((feature) => `      - ${toFlow(feature)}`),
    `    centres: # segments ${toClusterName(name, '1')} to ${toClusterName(name, String(model.clusters.length))}`,
    ...model.clusters.map(({ name: own, description, centre }) => {
      return `      - { name: "${own}", description: "${description}", at: [${centre.join(', ')}] }`;
    }),
    '',
  ].join('\n');
}

function toFlow({ feature, median, scale, missing }: ClusterModel['features'][number]): string {
  const rule = missing === undefined ? '' : `, missing: ${missing}`;
  return `{ feature: ${feature}, median: ${median}, scale: ${scale}${rule} }`;
}
