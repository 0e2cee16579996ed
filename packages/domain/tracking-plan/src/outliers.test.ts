import { describe, expect, it } from '@jest/globals';
import { requireTrackingPlan } from './plan-file.js';

const read = (outliers: string) =>
  requireTrackingPlan(`version: 1\ntrack: { Order: { outliers: ${outliers} } }\n`, { fileName: 'plan.yaml' });

describe('the outliers of a plan', () => {
  it('are properties by name, of the events that name them', () => {
    const plan = read('{ revenue: flag, items: flag }');
    expect(plan.listOutliers({ type: 'track', name: 'Order' })).toEqual(['items', 'revenue']);
    expect(plan.listOutliers({ type: 'track', name: 'Other' })).toEqual([]);
    expect(plan.listOutliers({ type: 'page', name: '' })).toEqual([]);
  });

  it('have no other rule, and are eight at most', () => {
    expect(() => read('{ revenue: exclude }')).toThrow('plan.yaml:2:');
    const many = Array.from({ length: 9 }, (_, index) => `p${index}: flag`).join(', ');
    expect(() => read(`{ ${many} }`)).toThrow('plan.yaml:2:');
  });
});
