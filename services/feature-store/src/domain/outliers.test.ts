import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeValues, judgeOutliers, mergeSeries, type ValueSeries } from './outliers.js';

const toEvent = (timestampMs: number, outliers: readonly string[] = ['revenue'], name = 'Order Completed') => ({
  type: 'track',
  name,
  timestampMs,
  plan: { number: 1, violations: [], outliers: [...outliers] },
});

function judgeAll(values: readonly unknown[]) {
  let series: readonly ValueSeries[] | undefined;
  const flags = values.map((revenue, index) => {
    const judged = judgeOutliers(series, toEvent(index), { revenue });
    series = judged.series;
    return judged.found.length === 1;
  });
  return { flags, series };
}

describe('outliers', () => {
  it('are values that are far from the own history, once there is one', () => {
    const usual = [20, 22, 19, 21, 25, 18, 20];
    expect(judgeAll([...usual, 2_000]).flags.at(-1)).toBe(false);
    const { flags, series } = judgeAll([...usual, 23, 2_000, 24, -500, 21]);
    expect(flags.slice(8)).toEqual([true, false, true, false]);
    expect(series?.[0]).toMatchObject({ event: 'Order Completed', property: 'revenue', flagged: 2 });
    expect(describeValues(series?.[0]?.values ?? [])).toEqual({ median: 21, spread: expect.closeTo(2.9652, 6) });
  });

  it('are none while a constant price changes by a third, and new prices become usual', () => {
    const constant = Array.from({ length: 8 }, () => 9.99);
    expect(judgeAll([...constant, 12.99]).flags.at(-1)).toBe(false);
    expect(judgeAll([...constant, 99.9]).flags.at(-1)).toBe(true);
    const { flags } = judgeAll([...constant, ...Array.from({ length: 20 }, () => 99.9)]);
    expect(flags.at(-1)).toBe(false);
  });

  it('are judged only of properties that the plan names, and of numbers', () => {
    const properties = { revenue: 5, other: 1 };
    expect(judgeOutliers(undefined, { ...toEvent(0), plan: undefined }, properties)).toEqual({
      series: undefined,
      found: [],
    });
    expect(judgeOutliers(undefined, toEvent(0, []), properties).series).toBeUndefined();
    for (const odd of ['5', null, Number.NaN, [5], undefined]) {
      expect(judgeOutliers(undefined, toEvent(0), { revenue: odd }).series).toBeUndefined();
    }
    expect(judgeOutliers(undefined, toEvent(0, ['toString']), {}).series).toBeUndefined();
    expect(judgeOutliers(undefined, toEvent(0), null).series).toBeUndefined();
    const many = Array.from({ length: 20 }, (_, index) => `p${index}`);
    const all = Object.fromEntries(many.map((name) => [name, 1]));
    expect(judgeOutliers(undefined, toEvent(0, many), all).series).toHaveLength(8);
  });

  it('keep a history that depends neither on the order of arrival nor on how parts are merged', () => {
    const drawn = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: -5, max: 5 })), {
      maxLength: 80,
    });
    const toSeries = (values: ReadonlyArray<readonly [number, number]>) =>
      values.reduce<readonly ValueSeries[]>(
        (series, timed) => mergeSeries(series, [{ event: 'e', property: 'p', values: [timed], flagged: 0 }]),
        [],
      );
    fc.assert(
      fc.property(drawn, drawn, (a, b) => {
        const all = toSeries([...a, ...b]);
        expect(toSeries([...b, ...a].reverse())).toEqual(all);
        expect(mergeSeries(toSeries(b), toSeries(a))).toEqual(all);
        expect(all[0]?.values.length ?? 0).toBe(Math.min(a.length + b.length, 32));
      }),
      { seed: 16 },
    );
  });
});
