import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@perennial/kernel';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createSegmentTelemetry, startMemberCount } from './segment-metrics.js';

function setUp() {
  const metrics = createMetrics({ service: 'scoring', namespace: 'live', processMetrics: false });
  const telemetry = createSegmentTelemetry(createSilentLogger(), metrics);
  return { telemetry, text: () => metrics.registry.metrics() };
}

describe('metrics of segments', () => {
  it('are members, counted again and again, and entries and exits as they are stored', async () => {
    const { telemetry, text } = setUp();
    const answers: Array<Record<string, number> | Error> = [{ buyers: 3, gone: 1 }, new Error('away'), { buyers: 5 }];
    let waits = 0;
    const counting = startMemberCount({
      telemetry,
      segments: {
        async countMembers() {
          const answer = answers.shift() ?? {};
          if (answer instanceof Error) throw answer;
          return answer;
        },
      },
      clock: {
        ...systemClock,
        wait: async (ms, signal) => {
          waits += 1;
          if (waits > 2) await systemClock.wait(ms, signal);
        },
      },
    });
    while (waits < 3) await new Promise((resolve) => setImmediate(resolve));
    await counting.stop();
    telemetry.changesStored([
      { segment: 'buyers', change: 'entered', count: 4 },
      { segment: 'buyers', change: 'left', count: 1 },
    ]);
    const found = await text();
    expect(found).toMatch(/segment_members\{.*segment="buyers".*\} 5\n/);
    expect(found).not.toContain('segment="gone"');
    expect(found).toMatch(/segment_counts_failed_total\{.*\} 1\n/);
    expect(found).toMatch(/segment_changes_stored_total\{.*segment="buyers".*change="entered".*\} 4\n/);
    expect(found).toMatch(/segment_changes_stored_total\{.*segment="buyers".*change="left".*\} 1\n/);
  });

  it('have a bounded number of labels', async () => {
    const { telemetry, text } = setUp();
    telemetry.membersCounted(Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`s${n}`, 1])));
    const found = await text();
    expect(found.match(/segment_members\{/g)).toHaveLength(513);
    expect(found).toMatch(/segment_members\{.*segment="other".*\} 88\n/);
  });
});
