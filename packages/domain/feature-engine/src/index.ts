export { advance } from './advance.js';
export { type ApplyResult, apply } from './apply.js';
export { decodeState, encodeState, STATE_FORMAT_VERSION } from './codec.js';
export { AMOUNT_MAX, type FeatureEvent, ORDER_COMPLETED, ORDER_REFUNDED, toEventAmount } from './event.js';
export { merge } from './merge.js';
export { PRODUCTS_EXACT_MAX } from './product-sketch.js';
export { DAY_MS, FEATURE_SPEC, type Feature, type FeatureSpec, HOUR_MS, toFeatureMap } from './spec.js';
export { createEmptyState, type EngineState, MESSAGE_IDS_MAX, MESSAGE_MEMORY_MS } from './state.js';
export { advanceClockFeatures, type FeatureVector, vector } from './vector.js';
