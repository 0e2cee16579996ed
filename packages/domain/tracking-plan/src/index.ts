export { requireTrackingPlan } from './plan-file.js';
export { type PlannedEvent, type PlanViolation, TrackingPlan } from './tracking-plan.js';
