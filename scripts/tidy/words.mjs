/*
 * One word an idea (docs/GLOSSARY.md): words that meant too much, with what to write instead. `where` are the texts in which a
 * word is looked for: pages (`docs`), log messages (`logs`), quoted text of the command line (`help`). `plain` are the uses in
 * which the word has its everyday meaning.
 */
const EVERYWHERE = ['docs', 'logs', 'help'];
/** Names in code and addresses of links are no prose. */
const CODE = /`[^`]*`|\]\([^)]*\)/g;
const SPOKEN = ['logs', 'help'];

const WORDS = [
  { word: /\breplay\w*/gi, instead: 'backfill, dlq redrive, catch-up or backtest', where: EVERYWHERE },
  { word: /\bactivation records?/gi, instead: 'rollout', where: EVERYWHERE },
  { word: /\bregistrations?\b/gi, instead: 'artifact', where: EVERYWHERE },
  { word: /\brefus\w*/gi, instead: 'fenced, rejected or invalid', where: EVERYWHERE },
  { word: /\bhand(s|ed|ing)? on\b/gi, instead: 'forward', where: EVERYWHERE },
  { word: /\bwork(s|ed|ing)? off\b/gi, instead: 'process', where: EVERYWHERE },
  { word: /\bdoors?\b/gi, instead: 'source', where: EVERYWHERE, plain: /front doors?|no door without a key/gi },
  { word: /\bplaces?\b/gi, instead: 'position', where: SPOKEN, plain: /in place|takes? place/gi },
  { word: /\bbreakages?\b/gi, instead: 'mutant', where: EVERYWHERE },
  { word: /\bhurt(s|ing)?\b/gi, instead: 'inject', where: EVERYWHERE },
  { word: /\bmend(s|ed|ing)?\b/gi, instead: 'patch', where: EVERYWHERE },
  { word: /\btold\b/gi, instead: 'reported', where: EVERYWHERE },
  { word: /\bturns?\b/gi, instead: 'mutex', where: SPOKEN, plain: /\b(in|by) turns?\b/gi },
];

/** Each use of a banned word, as `path:line word: what to write`. */
export function findBannedWords(texts) {
  return texts.flatMap(({ where, path, line, text }) =>
    WORDS.filter((rule) => rule.where.includes(where)).flatMap(({ word, plain, instead }) => {
      const prose = where === 'docs' ? text.replaceAll(CODE, '') : text;
      const rest = plain === undefined ? prose : prose.replaceAll(plain, '');
      return [...rest.matchAll(word)].map(([found]) => `${path}:${line} "${found}": write ${instead}`);
    }),
  );
}
