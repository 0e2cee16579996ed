export { openDuckDb, type Row, toSqlText } from './database.js';
export {
  exploreExposed,
  exploreFunnel,
  explorePaths,
  exploreRetention,
  exploreRfm,
  exploreRules,
  type Reading,
} from './explorer.js';
export type { ExposedPerson } from './exposed.js';
export { EXPLORE_LIMITS } from './limits.js';
export { OptionReader } from './option-reader.js';
export {
  type CohortTexts,
  type FunnelTexts,
  type PathTexts,
  type RetentionTexts,
  type RfmTexts,
  type RuleTexts,
  readCohortOptions,
  readFunnelOptions,
  readPathOptions,
  readRetentionOptions,
  readRfmOptions,
  readRuleOptions,
  type SourceTexts,
} from './read-options.js';
export { type SyntheticEvent, type SyntheticTick, writeSyntheticArchive } from './synthetic/archive-writer.js';
export { createShop } from './synthetic/shop.js';
