export * from './describe.js';
export { type ClockMode, toServiceEnvironment } from './environment.js';
export { toDefaultPath } from './fingerprint.js';
export { loadNamespaceState, type NamespaceState, type RegisteredArtifact } from './namespace-state.js';
export {
  attachPlatform,
  ensurePlatform,
  type Platform,
  type PlatformOptions,
  stopNamespace,
  stopPlatform,
} from './platform.js';
export { createNamespaceTopics } from './provision.js';
export { rebuildNamespace, runRebuild } from './rebuild.js';
export type { RebuildSummary } from './rebuild-chain.js';
export { runServiceCommand } from './service-process.js';
