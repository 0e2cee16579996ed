import { AppError } from '@perennial/kernel';
import { ARTIFACT_FAULTS } from './artifact-faults.js';
import { CRASH_POINT_FAULTS } from './crash-point-faults.js';
import type { Fault } from './fault.js';
import { FOREIGN_FAULTS } from './foreign-faults.js';
import { INFRASTRUCTURE_FAULTS } from './infrastructure-faults.js';
import { INGEST_FAULTS } from './ingest-faults.js';
import { OVERLOAD_FAULTS } from './overload-faults.js';
import { SERVICE_FAULTS } from './service-faults.js';
import { UPGRADE_FAULTS } from './upgrade-faults.js';

export const FAULTS: readonly Fault[] = [
  ...SERVICE_FAULTS,
  ...UPGRADE_FAULTS,
  ...INFRASTRUCTURE_FAULTS,
  ...INGEST_FAULTS,
  ...FOREIGN_FAULTS,
  ...ARTIFACT_FAULTS,
  ...CRASH_POINT_FAULTS,
  ...OVERLOAD_FAULTS,
];

/**
 * The faults with these names, or all that fit into the run when none is given. Throws `config_invalid` that lists the
 * known names.
 */
export function selectFaults(names: readonly string[] | undefined, runSeconds = 0): readonly Fault[] {
  if (names === undefined) return FAULTS.filter(({ runSecondsMin = 0 }) => runSeconds >= runSecondsMin);
  const unknown = names.filter((name) => !FAULTS.some((fault) => fault.name === name));
  if (unknown.length > 0) {
    const known = FAULTS.map(({ name }) => name).join(', ');
    throw new AppError('config_invalid', `no such fault: ${unknown.join(', ')}; there are ${known}`);
  }
  return FAULTS.filter(({ name }) => names.includes(name));
}
