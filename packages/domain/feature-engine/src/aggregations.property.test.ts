import { AGGREGATION_FEATURES, computeAggregationsNaively } from './aggregations-test-kit.js';
import { describeLaws } from './laws-test-kit.js';

describeLaws({
  name: 'the other aggregations',
  definitions: AGGREGATION_FEATURES,
  naive: computeAggregationsNaively,
  isEachExpiryVisible: false,
});
