import { describe, expect, it } from '@jest/globals';
import { encodePosition, isAfter, parsePosition, toCloudEventHeaders } from './headers.js';
import { parseTopic, toTopic } from './topics.js';

describe('positions', () => {
  it('survive the header', () => {
    const position = { source: 'feature-store/11', offset: 9007199254740991, ordinal: 3 };
    expect(parsePosition(encodePosition(position))).toEqual(position);
  });

  it.each([undefined, '', 'x', 'x:1', ':1:2', 'x:-1:0', 'x:1:b', 'x:9007199254740992:0', `x:${'9'.repeat(400)}:0`])(
    '%s is none',
    (header) => {
      expect(parsePosition(header)).toBeUndefined();
    },
  );

  it('are ordered by offset, then ordinal', () => {
    expect(isAfter({ offset: 2, ordinal: 0 }, { offset: 1, ordinal: 9 })).toBe(true);
    expect(isAfter({ offset: 1, ordinal: 1 }, { offset: 1, ordinal: 0 })).toBe(true);
    expect(isAfter({ offset: 1, ordinal: 0 }, { offset: 1, ordinal: 0 })).toBe(false);
  });
});

describe('edges', () => {
  it('carry CloudEvents attributes as headers, absent ones not at all', () => {
    expect(toCloudEventHeaders({ id: '1', source: 's', type: 't' })).toEqual({
      ce_specversion: '1.0',
      'content-type': 'application/json',
      ce_id: '1',
      ce_source: 's',
      ce_type: 't',
    });
  });
});

describe('topic names', () => {
  it('are bare in the live namespace, prefixed in others, and read back', () => {
    expect(toTopic('live', 'actionDecided')).toBe('lifecycle.action.decided.v1');
    expect(parseTopic(toTopic('live', 'actionDecided'))).toEqual({ namespace: 'live', topic: 'actionDecided' });
    expect(parseTopic(toTopic('or', 'eventAccepted'))).toEqual({ namespace: 'or', topic: 'eventAccepted' });
    expect(parseTopic('something.else')).toBeUndefined();
  });
});
