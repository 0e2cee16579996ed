export { describePlatform, type NamespaceStatus, openLog, type PlatformStatus } from './describe.js';

export { toDefaultPath } from './fingerprint.js';
export { toKafkaConnection } from './kafka-connection.js';
export { loadNamespaceState } from './namespace-state.js';
export {
  attachPlatform,
  ensurePlatform,
  type Platform,
  stopNamespace,
  stopPlatform,
} from './platform.js';
export type { PlatformOptions } from './platform-options.js';
export { listPresets, toFeaturesPath, toIdentityPath, toPresetChoices } from './presets.js';
export { createNamespaceTopics } from './provision.js';
export { rebuildNamespace } from './rebuild.js';
export { loadService } from './services.js';
