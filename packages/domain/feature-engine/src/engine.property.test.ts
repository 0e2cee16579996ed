import { describeLaws } from './laws-test-kit.js';
import { computeNaively } from './naive-oracle-test-kit.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';

describeLaws({
  name: 'the e-commerce preset',
  definitions: ECOMMERCE_FEATURES,
  naive: computeNaively,
  isEachExpiryVisible: true,
});
