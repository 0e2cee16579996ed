import type { Fault } from './fault.js';
import { createHeld, createLinkLost, toMode } from './infrastructure-faults.js';

/*
 * Faults between the clients and the front doors. A client whose response is cut does not receive its 200, and sends
 * again what was accepted.
 */

const KINDS = ['slow', 'reset', 'half-open', 'cut'] as const;

export const INGEST_FAULTS: readonly Fault[] = [
  ...KINDS.map((kind) =>
    createHeld(`ingest-link-${kind}`, 10, {
      seconds: [3, 12],
      begin: ({ ingestLinks }, draw) => ingestLinks.set(toMode(kind, draw)),
      end: ({ ingestLinks }) => ingestLinks.heal(),
      tell: ({ ingestLinks }) => (kind === 'cut' ? `, ${ingestLinks.cuts} answers cut in the run so far` : ''),
    }),
  ),
  createLinkLost('ingest', ({ ingestLinks }) => ingestLinks),
];
