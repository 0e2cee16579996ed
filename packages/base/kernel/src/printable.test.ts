import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { escapeLines, escapeText, toPrintable, toPrintableJson, VALUE_CHARS_MAX } from './printable.js';

/** Spelled out, not taken from the code under test: what a terminal obeys or a reader cannot see. */
function isHostile(point: number): boolean {
  const ranges = [
    [0x00, 0x1f], // C0
    [0x7f, 0x9f], // DEL, C1, NEXT LINE
    [0xad, 0xad],
    [0x61c, 0x61c],
    [0x180b, 0x180f],
    [0x200b, 0x200f], // zero-width, directional marks
    [0x2028, 0x202e], // separators, embeddings and overrides
    [0x2060, 0x206f], // joiners, isolates, invisible operators
    [0xd800, 0xdfff], // lone surrogates
    [0xe000, 0xf8ff], // private
    [0xfe00, 0xfe0f], // variation selectors
    [0xfeff, 0xfeff],
    [0xfff0, 0xfffb],
    [0xe0000, 0xe0fff], // tags
  ];
  return ranges.some(([first = 0, last = 0]) => point >= first && point <= last);
}

const ALLOWED = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;

describe('printable text', () => {
  it('lets no hostile code point of all pass, and leaves letters, marks, digits and signs as they are', () => {
    const wrong: number[] = [];
    for (let point = 0; point <= 0x10ffff; point++) {
      const character = String.fromCodePoint(point);
      const escaped = escapeText(character);
      const isChanged = escaped !== character;
      if (isHostile(point) && !isChanged) wrong.push(point);
      if (isChanged && !/^(\\u[0-9a-f]{4})+$/.test(escaped)) wrong.push(point);
      if (isChanged && /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]$/u.test(character) && !/\p{DI}/u.test(character))
        wrong.push(point);
    }
    expect(wrong).toEqual([]);
  });

  it('is the same in JSON: valid, printable, and parsed the same value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, text) => {
        const value = { [`n${name}`]: [text] };
        const json = toPrintableJson(value, 2);
        expect(json.replaceAll('\n', '')).toMatch(ALLOWED);
        expect(JSON.parse(json)).toEqual(value);
        // JSON of somebody else's, escaped as text, stays the same value too.
        expect(JSON.parse(escapeText(JSON.stringify(value)))).toEqual(value);
      }),
    );
  });

  it('is one line, however long the value is, and of bounded length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const shown = toPrintable(text);
        expect(shown).toMatch(ALLOWED);
        expect(shown.length).toBeLessThanOrEqual(6 * VALUE_CHARS_MAX + 30);
        expect(escapeText(shown)).toBe(shown);
      }),
    );
    expect(toPrintable('x'.repeat(300))).toBe(`${'x'.repeat(256)}... (300 characters)`);
    expect(toPrintable('a\u001b]0;owned\u0007\r\nb')).toBe('a\\u001b]0;owned\\u0007\\u000d\\u000ab');
  });

  it('keeps line feeds, and nothing else, of text of several lines', () => {
    expect(escapeLines('a\nb\r\n\u2028c\u0085')).toBe('a\nb\\u000d\n\\u2028c\\u0085');
  });
});
