export { toCanonicalManifest, toManifestHash } from './canonical.js';
export { listFileProblems } from './file.js';
export { listKnownHeads } from './known-heads.js';
export { MANIFEST_BYTES_MAX, type ModelManifest } from './manifest.js';
export { parseManifest } from './parse-manifest.js';
export { type CheckedScores, checkScores, toNamedScores } from './scores.js';
