export { createProjectionOffsets } from './offsets.js';
export { startProjection } from './projection.js';
