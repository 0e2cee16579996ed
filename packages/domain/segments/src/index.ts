export { fromBits, toBits } from './bits.js';
export {
  assignCluster,
  type ClusterFeature,
  type ClusterModel,
  findNearestCentre,
  toClusterName,
  toPoint,
  toSquaredDistance,
} from './cluster.js';
export { listMeasures, toThresholds, withPopulation } from './in-population.js';
export { readGivenTags, readSegmentNames } from './names.js';
export { parseSegments } from './parse.js';
export { decodePopulation, encodePopulation, type Population, PopulationBuilder } from './population/population.js';
export type { Segment } from './segment.js';
export type { Segments } from './segments.js';
export {
  leaveSegments,
  type SegmentChange,
  type SegmentResult,
  type SegmentState,
  type Since,
  stepSegments,
} from './step.js';
