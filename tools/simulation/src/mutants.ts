import { JOIN_MUTANTS } from './joins/join-mutants.js';
import type { Mutant } from './mutant.js';
import { PORT_MUTANTS } from './port-mutants.js';
import type { RuleName } from './rules.js';
import { SERVER_MUTANTS } from './server-mutants.js';
import { SNAPSHOT_MUTANTS } from './snapshot-mutants.js';

/** A mutant for each rule; a missing one, or one for an unknown rule, does not compile. */
export const MUTANTS: Readonly<Record<RuleName, Mutant>> = {
  ...PORT_MUTANTS,
  ...SERVER_MUTANTS,
  ...SNAPSHOT_MUTANTS,
  ...JOIN_MUTANTS,
};
