export { type Evaluation, evaluate } from './evaluation/evaluate.js';
export type { LoggedRow, TargetPolicy } from './evaluation/row.js';
