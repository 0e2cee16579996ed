export { type About, addSaid, countDropped, mergeAbout, NOTHING_KNOWN, type Said } from './about.js';
export { decodeAbout, encodeAbout } from './about-codec.js';
export { type DescribedTag, type DescribedTagChange, describeAbout, describeTagHistory } from './describe.js';
export { type LeftOutReason, readTraits, withoutTraits } from './read-traits.js';
export {
  changeTag,
  type GivenKind,
  isTagName,
  listGiven,
  TAG_OWNER_CHARS_MAX,
  TAGS_MAX,
} from './tags.js';
export type { Trait, TraitValue } from './trait.js';
export { isPersonalByName } from './trait-names.js';
