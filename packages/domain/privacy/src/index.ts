export { createCachedPseudonymizer } from './cached-pseudonymizer.js';
export { EXTERNAL_ID_CHARS_MAX, parseUserId, unsealUserId } from './external-id.js';
export { createPseudonymizer, type Pseudonymizer } from './pseudonymizer.js';
