import { Seam } from '@perennial/kernel';
import type { Log } from './log.js';

/** The seam between a process and the log on a real broker. */
export const logSeam = new Seam<(log: Log) => Log>('log');
