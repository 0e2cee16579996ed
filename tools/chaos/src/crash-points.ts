import { type ServiceName, STATEFUL_SERVICE_NAMES } from '@perennial/contracts';

/** A named point of a service's code at which a process can be made to end itself. */
export type CrashPoint = 'before commit' | 'after commit' | 'in mid publish' | 'after publish';

const PUBLISH_POINTS: readonly CrashPoint[] = ['in mid publish', 'after publish'];
const COMMIT_POINTS: readonly CrashPoint[] = ['before commit', 'after commit'];

/** The points at which a process of a service can be made to end itself; a service without states has no commits. */
export function listCrashPoints(service: ServiceName): readonly CrashPoint[] {
  const hasStates = (STATEFUL_SERVICE_NAMES as readonly ServiceName[]).includes(service);
  return hasStates ? [...COMMIT_POINTS, ...PUBLISH_POINTS] : PUBLISH_POINTS;
}
