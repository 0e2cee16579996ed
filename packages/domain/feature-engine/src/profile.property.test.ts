import { describeLaws } from './laws-test-kit.js';
import { computeProfileNaively, PROFILE_FEATURES } from './profile-test-kit.js';

describeLaws({
  name: 'what describes habits',
  definitions: PROFILE_FEATURES,
  naive: computeProfileNaively,
  isEachExpiryVisible: false,
});
