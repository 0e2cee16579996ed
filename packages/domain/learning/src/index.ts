export { type Evaluation, evaluate } from './evaluation/evaluate.js';
export type { Figure } from './evaluation/figure.js';
export type { LoggedRow, TargetPolicy } from './evaluation/row.js';
export { createDrawer, type Drawer } from './learner/draw.js';
export { createSnapshot, decodeSnapshot, encodeSnapshot, type Snapshot } from './learner/snapshot.js';
export { type Context, type LearnerSpec, toLayout } from './learner/spec.js';
export { type Outcome, update } from './learner/update.js';
