export type { ArtifactReader } from './artifact-cache.js';
export {
  type Artifact,
  type ArtifactRecord,
  type ArtifactRegistry,
  createArtifactRegistry,
} from './artifact-registry.js';
export { type ArtifactStore, createArtifactStore } from './artifact-store.js';
export { type ArtifactReaders, type Artifacts, createArtifacts, type InForce } from './artifacts.js';
export * from './content-keeper.js';
export * from './registry.js';
