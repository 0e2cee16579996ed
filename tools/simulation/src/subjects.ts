import { createJoinSubject } from './joins/join-subject.js';
import type { WorldPlan } from './plan.js';
import type { Subject } from './subject.js';
import { createToySubject } from './toy-subject.js';

export function createSubject(plan: WorldPlan): Subject {
  return plan.kind === 'joins' ? createJoinSubject(plan) : createToySubject(plan);
}
