import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatChaosReport, listFailures, runChaos, selectFaults } from '@perennial/chaos';

/** Another one with PERENNIAL_CHAOS_SEED; `./perennial chaos` does longer runs. */
const SEED = Number(process.env.PERENNIAL_CHAOS_SEED ?? 1);

describe('the platform under faults', () => {
  it('comes to what a fault-free run over the same log comes to', async () => {
    const home = mkdtempSync(join(tmpdir(), 'perennial-chaos-'));
    try {
      const report = await runChaos({
        home,
        seed: SEED,
        seconds: 40,
        faults: selectFaults([
          'kill-service',
          'pause-service',
          'redis-kill',
          'redis-loses-writes',
          'redis-emptied',
          'broker-kill',
          'kafka-link-cut',
          'redis-link-cut',
          'postgres-restart',
        ]),
        eventsPerSecond: 150,
        partitions: 4,
        instances: 2,
        onProgress: () => undefined,
      });
      const failures = listFailures(report);
      if (failures.length > 0) throw new Error(`seed ${SEED}\n${formatChaosReport(report)}`);
      expect(report.injected.length).toBeGreaterThan(1);
      expect(report.actions).toBeGreaterThan(0);
    } finally {
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    }
  }, 400_000);
});
