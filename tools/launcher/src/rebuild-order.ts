import type { StatefulServiceName } from '@perennial/contracts';
import type { RebuildSummary } from './rebuild-chain.js';

/** JSON of a RebuildOrder. */
export const REBUILD_VARIABLE = 'PERENNIAL_REBUILD';

/** Input of the process that rebuilds. */
export interface RebuildOrder {
  readonly namespace: string;
  readonly force: boolean;
  readonly environments: Readonly<Record<StatefulServiceName, Readonly<Record<string, string>>>>;
}

/** Its messages. */
export type RebuildMessage = { readonly progress: string } | { readonly summary: RebuildSummary };
