/*
 * What the simulator and the kits need beyond the public interface: how the processor encodes outboxes, dead letters
 * and snapshots, and the ports that they implement. Lint forbids any other import.
 */
export { toDeadLetter } from './batch/dead-letter.js';
export { locateRecord, toBeyondCause } from './batch/located-record.js';
export { decodeOutbox, encodeOutbox } from './batch/outbox.js';
export type { Rejection } from './definition.js';
export { type ProcessorWrappers, processorSeam, type StoreAddress } from './processor-seam.js';
export { decodeManifest, encodeManifest, type SnapshotManifest } from './snapshot/snapshot-format.js';
export type { SnapshotTelemetry } from './snapshot/snapshot-telemetry.js';
export { EMPTY_META, SCAN_START } from './store/store.js';
export type { ProcessorTelemetry } from './telemetry.js';
