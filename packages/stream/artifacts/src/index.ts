export { createArtifactCache } from './artifact-cache.js';
export {
  type Artifact,
  type ArtifactRegistry,
  createArtifactRegistry,
} from './artifact-registry.js';
export { type ArtifactStore, createArtifactStore, toArtifactKey } from './artifact-store.js';
export { type Artifacts, createArtifacts } from './artifacts.js';
