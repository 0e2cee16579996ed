export { type About, addSaid, countDropped, mergeAbout, NOTHING_KNOWN, type Said } from './about.js';
export { decodeAbout, encodeAbout } from './about-codec.js';
export { describeAbout } from './describe.js';
export { type LeftOutReason, readTraits, withoutTraits } from './read-traits.js';
export type { Trait, TraitValue } from './trait.js';
export { isPersonalByName } from './trait-names.js';
