export { toCanonicalCondition } from './canonical-condition.js';
export {
  type Condition,
  compileCondition,
} from './compile.js';
export { findConstant } from './constant.js';
export { canHold, declareEventVariables, toEventValues } from './event-scope.js';
export { namesOrNamed } from './names.js';
export { findNearest, toEditDistance } from './nearest.js';
export { formatProblems, type Parsed, type Problem, requireValid } from './problem.js';
export {
  declareProfileVariables,
  describeMissingHeads,
  describeMissingSegments,
  listHeads,
  listSegments,
  type ProfileFacts,
  type ProfileVariables,
  type ScoreVector,
  toEvidence,
  toProfileValues,
  toReasons,
  withStage,
} from './profile-scope.js';
export {
  condition,
  duration,
  flag,
  integer,
  jsonObject,
  number,
  oneOf,
  reference,
  text,
  timeOfDay,
} from './shapes.js';
export { type Tree, tree } from './tree.js';
export {
  declareVariables,
  type OnEvaluationError,
  type Value,
  type VariableSet,
} from './variables.js';
export {
  list,
  located,
  named,
  object,
  optional,
  type Place,
  parseYaml,
  type Shape,
  type ShapeValue,
  type YamlContext,
} from './yaml.js';
