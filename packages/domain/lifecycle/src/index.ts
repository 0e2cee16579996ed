export type { Lifecycle } from './chart.js';
export { parseLifecycle } from './parse.js';
export {
  type StageInputs,
  type StageResult,
  type StageState,
  type StageTransition,
  stepStage,
} from './step.js';
