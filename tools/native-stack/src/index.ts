export { ensureCached } from './cache.js';
export { closeInstallation } from './closed-folders.js';
export { startDaemon, waitUntilReady } from './daemon.js';
export { type Layout, toLayout } from './layout.js';
export { withLock } from './lock.js';
export { checkMachine, type MachineCheck } from './machine.js';
export { fetchArtifacts } from './maven.js';
export type { KafkaDetour, Part } from './part.js';
export { isPortFree, LOOPBACK, pickPort, requirePort } from './ports.js';
export { endProcess, findMarkedProcesses, isRunning, type ProcessRef, sendSignal } from './process-ref.js';
export { runCommand } from './run-command.js';
export {
  attachStack,
  describeStack,
  type PartStatus,
  probePart,
  startStack,
  stopStack,
} from './stack.js';
export type { StackEndpoints } from './stack-state.js';
export { readStateFile, removeStateFile, writeStateFile } from './state-file.js';
