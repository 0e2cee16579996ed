/*
 * What the simulator and the kits need beyond what a service may use: how the heart writes outboxes, dead letters and
 * snapshots, and the ports that they implement. Lint allows nobody else to import it.
 */
export { toDeadLetter } from './batch/dead-letter.js';
export { decodeOutbox, encodeOutbox } from './batch/outbox.js';
export type { Rejection } from './definition.js';
export { type ProcessorWrappers, processorSeam, type StoreAddress } from './processor-seam.js';
export { decodeManifest, encodeManifest, type SnapshotManifest } from './snapshot/snapshot-format.js';
export type { SnapshotTelemetry } from './snapshot/snapshot-telemetry.js';
export { EMPTY_META, SCAN_START } from './store/store.js';
export type { ProcessorTelemetry } from './telemetry.js';
