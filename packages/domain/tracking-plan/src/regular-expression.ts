import { toMessage } from '@perennial/kernel';
import { RE2JS } from 're2js';

/** Longest text that a pattern is tried on; a longer one matches none. Time is bounded by text times pattern. */
const TEXT_CHARS_MAX = 4_096;
/** Instructions of a compiled pattern: `[a-z]{1,400}` has some 800. */
const PROGRAM_MAX = 1_000;
const PATTERN_CHARS_MAX = 500;

/** What is wrong with a pattern: RE2 has no look-around and no back references, so that it takes linear time. */
export function findPatternProblem(pattern: string): string | undefined {
  if (pattern.length > PATTERN_CHARS_MAX) return `a pattern has ${PATTERN_CHARS_MAX} characters at most`;
  try {
    if (RE2JS.compile(pattern).programSize() <= PROGRAM_MAX) return undefined;
    return 'the pattern is too large when its repetitions are written out';
  } catch (error) {
    return `no pattern of RE2, which has no look-around and no back references: ${toMessage(error)}`;
  }
}

/** The engine for Ajv, in place of `RegExp`, which a hostile text can keep busy for hours. */
export const toRegularExpression = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return {
      test: (text: string): boolean => text.length <= TEXT_CHARS_MAX && compiled.matcher(text).find(),
      // Ajv keeps one of each text.
      toString: () => `re2:${pattern}`,
    };
  },
  // Only for code that is written to files.
  { code: 'toRegularExpression' },
);
