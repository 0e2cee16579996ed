import { describe, expect, it } from '@jest/globals';
import { readFacts } from './source-facts.mjs';
import { findBannedNames, findBannedWords } from './words.mjs';

const namesIn = (path, text) => findBannedNames([readFacts(path, text)]);
const wordsIn = (where, text) => findBannedWords([{ where, path: 'a', line: 1, text }]);

describe('names with another meaning than the glossary gives their word', () => {
  it.each([
    ['replay', 'services/feature-store/src/a.ts', 'export class KeyReplay {}'],
    ['replay', 'services/feature-store/src/replay-unmerge.ts', ''],
    ['activation', 'services/ingest/src/a.ts', 'function writeActivation() {}'],
    ['registration', 'packages/io/onnx/src/a.ts', 'export const REGISTRATION_LIMITS = {};'],
    ['outcome', 'packages/stream/keyed-processor/src/a.ts', 'export interface StepOutcome { readonly a: number }'],
    ['outcome', 'tools/simulation/src/a.ts', 'const { outcome } = run;'],
    ['outcome', 'services/action/src/a.ts', 'type DecisionOutcome = 1;'],
    ['identity', 'packages/base/config/src/a.ts', 'export interface ProcessIdentity {}'],
    ['identity', 'services/ingest/src/a.ts', 'const processIdentity = read();'],
    ['identity', 'packages/domain/privacy/src/a.ts', 'function toIdentity(id) {}'],
    ['content', 'packages/stream/artifacts/src/a.ts', 'export class ContentKeeper {}'],
    ['content', 'services/scoring/src/a.ts', 'const CONTENT_KINDS = [];'],
    ['chain', 'packages/stream/event-archive/src/a.ts', 'export interface ArchiveChain {}'],
    ['chain', 'packages/stream/event-archive/src/chain.ts', ''],
    ['told', 'tools/chaos/src/a.ts', 'class A { #toldMs = 1; constructor(told) {} }'],
  ])('are found: %s in %s', (word, path, text) => {
    expect(namesIn(path, text).join('\n').toLowerCase()).toContain(word);
  });

  it('are found under the line that declares them, once', () => {
    expect(namesIn('tools/a.ts', 'const a = 1;\nconst isReplayed = a;\nuse(isReplayed);')).toEqual([
      'tools/a.ts:2 isReplayed: write backfill, redrive, catch-up, backtest or recompute',
    ]);
  });

  it.each([
    ['services/action/src/a.ts', 'const outcome = read();'],
    ['packages/domain/identity/src/a.ts', 'export interface IdentityNode {}'],
    ['tools/bench/src/run-chain-bench.ts', 'export function startChain() {}'],
    ['packages/domain/commerce/src/a.ts', 'function read(content) {}'],
    ['tools/fuzz/src/a.ts', "drawn.chain((one) => one); import { replay } from 'elsewhere';"],
    ['tools/fuzz/src/a.ts', 'const stolders = toldersOf(threshold);'],
  ])('are none in %s: %s', (path, text) => expect(namesIn(path, text)).toEqual([]));
});

describe('words with another meaning than the glossary gives them', () => {
  it.each([
    ['docs', 'The outcome of a step is stored.'],
    ['comments', '/** Identity of a process: its namespace. */'],
    ['logs', 'activation of the model ignored'],
    ['docs', 'A chain of increments follows a full snapshot.'],
    ['help', 'lists the kinds of content'],
    ['comments', '// Hands on every record.'],
    ['docs', 'The log is replayed.'],
  ])('are found in %s: %s', (where, text) => expect(wordsIn(where, text)).toHaveLength(1));

  it.each([
    ['docs', 'The outcome of an action; the identity of a profile; the chain of processors; `replay()`'],
    ['comments', '// The content of the record, and the first activation of a user.'],
  ])('are none in %s: %s', (where, text) => expect(wordsIn(where, text)).toEqual([]));
});

describe('facts of a source', () => {
  it('have its comments with their lines', () => {
    const { comments } = readFacts('a.ts', '/**\n * One.\n */\nconst a = 1; // Two.\n');
    expect(comments.filter(({ text }) => /\w/.test(text))).toEqual([
      { text: ' * One.', line: 2 },
      { text: '// Two.', line: 4 },
    ]);
  });
});
