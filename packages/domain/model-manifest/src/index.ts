export { toCanonicalManifest, toManifestHash } from './canonical.js';
export { listFileProblems } from './file.js';
export {
  FEATURES_MAX,
  type FeatureReference,
  HEADS_MAX,
  type Head,
  type HeadKind,
  MANIFEST_FORMAT_VERSION,
  type ModelManifest,
  type TensorDeclaration,
} from './manifest.js';
export { listHeadNames, type ManifestResult, parseManifest } from './parse-manifest.js';
export { type CheckedScores, checkScores, toNamedScores } from './scores.js';
