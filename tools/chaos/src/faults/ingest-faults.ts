import type { Fault } from './fault.js';
import { createHeld, createLinkLost, toMode } from './infrastructure-faults.js';

/*
 * Between the clients and the front doors. A client whose answer is cut never learns of its 200, and sends again what was
 * accepted.
 */

const KINDS = ['slow', 'reset', 'half-open', 'cut'] as const;

export const INGEST_FAULTS: readonly Fault[] = [
  ...KINDS.map((kind) =>
    createHeld(`ingest-link-${kind}`, 10, {
      seconds: [3, 12],
      begin: ({ ingests }, draw) => ingests.set(toMode(kind, draw)),
      end: ({ ingests }) => ingests.heal(),
      tell: ({ ingests }) => (kind === 'cut' ? `, ${ingests.cuts} answers cut in the run so far` : ''),
    }),
  ),
  createLinkLost('ingest', ({ ingests }) => ingests),
];
