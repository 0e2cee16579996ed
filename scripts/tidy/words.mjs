/*
 * One word an idea (docs/GLOSSARY.md): words that meant too much, with what to write instead. `where` are the texts in which a
 * word is looked for: pages (`docs`), log messages (`logs`), quoted text of the command line (`help`), comments of the code.
 * `plain` are the uses in which the word has its everyday meaning.
 */
const EVERYWHERE = ['docs', 'logs', 'help', 'comments'];
/** Names in code and addresses of links are no prose. */
const CODE = /`[^`]*`|\]\([^)]*\)/g;
const SPOKEN = ['logs', 'help'];

const WORDS = [
  { word: /\breplay\w*/gi, instead: 'backfill, dlq redrive, catch-up or backtest', where: EVERYWHERE },
  {
    word: /\bactivation records?|\bactivations? of (?:an? |the |every |each )?(?:artifact|model|polic|spec|chart)\w*/gi,
    instead: 'rollout',
    where: EVERYWHERE,
  },
  {
    word: /\boutcomes? of (?:an? |the |every |each )?(?:step|run|check|decision|world|command|batch)/gi,
    instead: 'result',
    where: EVERYWHERE,
  },
  {
    word: /\bidentit(?:y|ies) of (?:an? |the |every |each )?(?:process|instance|order|row)|\bprocess identit\w+/gi,
    instead: 'process config, or key',
    where: EVERYWHERE,
  },
  {
    word: /\bregistered contents?\b|\bcontents? (?:is |are )?in force\b|\bkinds? of contents?\b/gi,
    instead: 'artifact',
    where: EVERYWHERE,
  },
  {
    word: /\b(?:snapshot|archive|increment)s?.{0,2} chains?\b|\bchains? of (?:snapshot|increment|file|segment|join|merge|forwarder)s?/gi,
    instead: 'lineage, archived log or path',
    where: EVERYWHERE,
  },
  { word: /\bregistrations?\b/gi, instead: 'artifact', where: EVERYWHERE },
  { word: /\brefus\w*/gi, instead: 'fenced, rejected or invalid', where: EVERYWHERE },
  { word: /\bhand(s|ed|ing)? on\b/gi, instead: 'forward', where: EVERYWHERE },
  { word: /\bwork(s|ed|ing)? off\b/gi, instead: 'process', where: EVERYWHERE },
  {
    word: /\bdoors?\b/gi,
    instead: 'source',
    where: EVERYWHERE,
    plain: /front doors?|(?:ingest|kafka|http)['a-z]* doors?|its doors?|door'?s steps|no door without a key/gi,
  },
  { word: /\bplaces?\b/gi, instead: 'position', where: SPOKEN, plain: /in place|takes? place/gi },
  { word: /\bbreakages?\b/gi, instead: 'mutant', where: EVERYWHERE },
  { word: /\bhurt(s|ing)?\b/gi, instead: 'inject', where: EVERYWHERE },
  { word: /\bmend(s|ed|ing)?\b/gi, instead: 'patch', where: EVERYWHERE },
  { word: /\btold\b/gi, instead: 'reported', where: EVERYWHERE },
  { word: /\bturns?\b/gi, instead: 'mutex', where: SPOKEN, plain: /\b(in|by) turns?\b/gi },
];

/*
 * The same of names in the code: what is declared, and files. A name with a `word` may be declared only where it has the meaning
 * that the glossary gives it: in paths that match `home`.
 */
const NAMES = [
  { word: /replay/i, instead: 'backfill, redrive, catch-up, backtest or recompute' },
  { word: /activation/i, instead: 'rollout' },
  { word: /registration/i, instead: 'artifact' },
  { word: /refus/i, instead: 'fenced, rejected or invalid' },
  { word: /breakage/i, instead: 'mutant' },
  { word: /^told|Told(?![a-z])/, instead: 'reported' },
  {
    word: /(?:step|run|decision|stage|batch|check|redis|postgres|command|world|seed)_?outcome|(?:collect|compare)Outcomes?/i,
    instead: 'result',
  },
  {
    word: /outcome/i,
    instead: 'result',
    home: /^services\/(?:action|ingest)\/|^connectors\/|^packages\/(?:base\/contracts|domain)\/|^tools\/(?:bench|chaos|cli|explore|fuzz|launcher|training-export)\/|^tests\//,
  },
  {
    word: /(?:process|order|row|external|pseudonym)[_-]?identit|^identity[_-]?config/i,
    instead: 'process config, key or pseudonym',
  },
  {
    word: /identit/i,
    instead: 'process config, key or pseudonym',
    home: /^packages\/base\/contracts\/|^packages\/io\/client\/|^packages\/domain\/identity\/|^services\/|^tools\/(?:chaos|cli|launcher|fuzz)\/|^tests\//,
  },
  {
    word: /contents?[_-]?(?:keeper|source|registry|options|problems|kinds|faults|kept|bytes)|createContents|^(?:read|load|register|damaged)Contents?$/i,
    instead: 'artifact',
  },
  {
    word: /chain/i,
    instead: 'lineage (of snapshots), archived log or path; the chain is the processors one after another',
    home: /^tools\/bench\/|rebuild-(?:chain|bound)[^/]*$|^tests\/e2e\/rebuild|^tools\/cli\/src\/commands\/bench\.ts$|^tools\/backfill\/src\/quiet\.ts$/,
  },
];

/** Each name that has another meaning than the glossary's, as `path:line name: what to write`. */
export function findBannedNames(facts) {
  return facts.flatMap(({ path, names }) => {
    const file = { text: path.split('/').at(-1), line: 1 };
    const found = [file, ...names].flatMap(({ text, line }) => {
      const rule = NAMES.find(({ word, home }) => word.test(text) && home?.test(path) !== true);
      return rule === undefined ? [] : [`${path}:${line} ${text}: write ${rule.instead}`];
    });
    return [...new Set(found)];
  });
}

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
