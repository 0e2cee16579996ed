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
      begin: ({ ingestLinks }, draw) => ingestLinks.set(toMode(kind, draw)),
      end: ({ ingestLinks }) => ingestLinks.heal(),
      tell: ({ ingestLinks }) => (kind === 'cut' ? `, ${ingestLinks.cuts} answers cut in the run so far` : ''),
    }),
  ),
  createLinkLost('ingest', ({ ingestLinks }) => ingestLinks),
];
