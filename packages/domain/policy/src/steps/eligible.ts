import { dropWhere, type Step } from './step.js';

/** Those whose condition holds now. */
export const eligible: Step = (context, open) =>
  dropWhere(open, ({ when }) => (when?.test(context.values()) === false ? 'condition_false' : undefined));
