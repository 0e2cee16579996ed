import { type PowerPlan, planPersons } from '@perennial/experiments';
import { LOOKS_MAX, type PlanOptions } from './read-plan.js';

export interface Plan extends PowerPlan {
  readonly looks: number;
  /** Absent without `--traffic`. */
  readonly days?: number;
  /** When the difference is as large as planned, on average. */
  readonly expectedDays?: number;
}

const LOOKS_DEFAULT = 30;

/** Persons and days. Without `--looks` there is one a day, for as many days as the traffic needs. */
export function planExperiment({ question, looks, traffic }: PlanOptions): Plan {
  const plan = (count: number): Plan => ({ ...planPersons({ ...question, looks: count }), looks: count });
  const first = plan(looks ?? LOOKS_DEFAULT);
  if (traffic === undefined) return first;
  const days = Math.ceil(first.persons / traffic);
  const found = looks === undefined ? plan(Math.min(days, LOOKS_MAX)) : first;
  return {
    ...found,
    days: Math.ceil(found.persons / traffic),
    expectedDays: Math.ceil((found.persons * found.expectedShare) / traffic),
  };
}
