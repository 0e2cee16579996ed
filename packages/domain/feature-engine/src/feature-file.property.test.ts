import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isAppError } from '@perennial/kernel';
import fc from 'fast-check';
import { compileFeatures } from './compile.js';
import { requireFeatureFile } from './feature-file.js';
import { drawCase } from './oracle-cases-test-kit.js';
import { encodeFeatureSpec, parseFeatureSpec } from './spec-file.js';

const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const PRESETS = join(import.meta.dirname, '../../../../infra/presets');
const PRESET = readFileSync(join(PRESETS, 'ecommerce/features.yaml'), 'utf8');

/** What a careless hand, or a hostile one, puts into a file. */
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ' - ',
  '\n',
  '\t',
  '&a',
  '*a',
  '{window}',
  'all',
  '365d',
  '"',
  "'",
  '\0',
  '__proto__',
  'where',
  'null',
  '#',
  '%',
  '🙂',
  '\u0000',
  '2e999',
];

/** One that begins as JSON is read as such, and has paths in place of lines. */
const PROBLEM = /^f\.yaml:(\d+:\d+:)? \S/;

const spliced = fc
  .array(fc.record({ at: fc.nat(PRESET.length), cut: fc.nat(40), piece: fc.constantFrom(...PIECES) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((edits) => edits.reduce((text, { at, cut, piece }) => text.slice(0, at) + piece + text.slice(at + cut), PRESET));

describe(`feature files from seed ${SEED}`, () => {
  it('mean what the JSON of the artifact means', () => {
    fc.assert(
      fc.property(drawCase, ({ definitions }) => {
        const bytes = encodeFeatureSpec(definitions);
        // Some windows are drawn that an author cannot write.
        fc.pre(parseFeatureSpec(bytes).ok);
        const { features } = JSON.parse(bytes.toString()) as {
          features: Array<{ name: string }>;
        };
        const entries = Object.fromEntries(features.map(({ name, ...rest }) => [name, rest]));
        const yaml = `version: 1\nfeatures: ${JSON.stringify(entries)}\n`;
        const read = requireFeatureFile(Buffer.from(yaml), 'f.yaml');
        expect(compileFeatures(read.definitions).specHash).toBe(compileFeatures(definitions).specHash);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  it('are read, or rejected with a place, whatever they hold', () => {
    fc.assert(
      fc.property(spliced, (text) => {
        try {
          const { definitions, rules } = requireFeatureFile(Buffer.from(text), 'f.yaml');
          compileFeatures(definitions, rules);
        } catch (error) {
          expect(isAppError(error) && error.code).toBe('config_invalid');
          for (const line of String((error as Error).message).split('\n')) expect(line).toMatch(PROBLEM);
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});
