export type { ApplyResult } from './apply-result.js';
export { type AttributeValue, listTenures, toConditionNames, toConditionValues } from './attributes.js';
export { type CompiledFeatures, compileFeatures } from './compile.js';
export type { FeatureDefinition, FeatureRules } from './definition.js';
export {
  DistributionSample,
  DRIFT_LIMITS,
  type FeatureDistribution,
  parseDistributions,
  toBin,
  toPsi,
} from './distribution.js';
export { type FeatureEvent, toEventAmount } from './event.js';
export { requireFeatureFile } from './feature-file.js';
export { describeMissing, describeMissingAttributes, FeatureSpecs, type TravellingVector } from './feature-specs.js';
export { toHash64 } from './hash.js';
export { MESSAGE_IDS_MAX } from './message-memory.js';
export { isOracleEqual } from './oracle-equality.js';
export { createOrderLabels, type OrderChange, type OrderLabels } from './order-labels.js';
export { oncePerSpec } from './per-spec.js';
export { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
export { encodeFeatureSpec } from './spec-file.js';
export { createSpecReader, loadSpecInForce, SPECS_MAX, toSpecOrPreset } from './spec-reader.js';
export { toSpecTag } from './spec-tag.js';
export type { EngineState } from './state.js';
export { MEMORY_BYTES_MAX, toBytesMax, toCorrectionBytesMax, toOutlierBytesMax } from './state-bound.js';
export { DAY_MS, HOUR_MS } from './time.js';
export type { FeatureVector } from './vector.js';
export { toWindowText } from './window.js';
