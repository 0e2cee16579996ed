export { createProjectionOffsets } from './offsets.js';
export { type ProjectionOptions, startProjection } from './projection.js';
