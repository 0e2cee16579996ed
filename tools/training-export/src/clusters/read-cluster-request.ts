import { OptionReader } from '@perennial/explore';
import { findNearest } from '@perennial/expressions';
import { CLUSTER_LIMITS as LIMITS } from './limits.js';
import type { ClusterRequest } from './train-clusters.js';

/** Options as they were typed. */
export interface ClusterTexts {
  readonly features: string;
  readonly k: string;
  readonly seed: string;
  readonly missing: string;
  readonly name: string;
}

/** Throws `config_invalid` with all problems, one a line. */
export function readClusterRequest(
  texts: ClusterTexts,
  known: readonly string[],
): { readonly name: string; readonly request: ClusterRequest } {
  const reader = new OptionReader();
  const features = texts.features.split(',').map((name) => name.trim());
  if (features.length > LIMITS.featuresMax)
    reader.problem('--features', `has ${features.length} names, ${LIMITS.featuresMax} at most`);
  for (const [index, name] of features.entries()) {
    const nearest = findNearest(name, known);
    const hint = nearest === undefined ? '' : `, did you mean ${nearest}?`;
    if (!known.includes(name)) reader.problem('--features', `has "${name}", which is no feature${hint}`);
    else if (features.indexOf(name) < index) reader.problem('--features', `has ${name} twice`);
  }
  const { k, seed, missing, name } = texts;
  const pattern = new RegExp(`^[a-z][a-z0-9_]{0,${LIMITS.nameCharsMax - 1}}$`);
  if (!pattern.test(name))
    reader.problem(
      '--name',
      `is "${name}" but must be lower-case letters, digits and _, ${LIMITS.nameCharsMax} at most`,
    );
  const request = {
    features,
    k: k === 'auto' ? ('auto' as const) : reader.whole('--k', k, { min: LIMITS.kMin, max: LIMITS.kMax }),
    seed: reader.whole('--seed', seed, { min: 0, max: LIMITS.seedMax }),
    missing: reader.oneOf('--missing', missing, ['skip', 'median']),
  };
  reader.finish();
  return { name, request };
}
