export type { GraphDeclaration } from './graph.js';
export { GRAPH_BYTES_MAX, RUN_LIMITS, TRIAL_LIMITS } from './limits.js';
export { loadModel, loadModelHere, type Model } from './model.js';
export type { Failure, FailureReason, ScoredRows } from './results.js';
export { EXECUTION_PROVIDERS, type ExecutionProvider } from './session.js';
