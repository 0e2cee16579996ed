import { describe, expect, it } from '@jest/globals';
import { parseYaml, type Tree, tree } from './index.js';

const TEXT = `version: 1
list:
  - name: a
  - { when: "x\\"y > 3" }
empty:
`;

function read(text: string): { value: Tree; at: (place: { offset: number }) => string } {
  const parsed = parseYaml(text, tree(), { fileName: 'x.yaml' });
  if (!parsed.ok) throw new Error('invalid');
  return { value: parsed.value, at: ({ offset }) => text.slice(offset, offset + 4) };
}

describe('a tree', () => {
  it('gives plain values', () => {
    expect(read(TEXT).value.value).toEqual({ version: 1, list: [{ name: 'a' }, { when: 'x"y > 3' }], empty: null });
    expect(read('').value.value).toBeNull();
  });

  it('knows where each of them stands', () => {
    const { value, at } = read(TEXT);
    expect(at(value.placeOf(['version'], 'key'))).toBe('vers');
    expect(at(value.placeOf(['version']))).toBe('1\nli');
    expect(at(value.placeOf(['list', 0, 'name']))).toBe('a\n  ');
    expect(at(value.placeOf(['list', 1, 'none', 'x']))).toBe('{ wh');
    expect(at(value.placeWithin(['list', 1, 'when'], 4))).toBe('> 3"');
    expect(at(value.placeWithin(['version'], 4))).toBe('1\nli');
  });
});
