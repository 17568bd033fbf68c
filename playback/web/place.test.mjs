import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stuck } from './place.js';

const ranges = [[0.573, 0.656], [0.776, 16.2], [16.391, 32.4]];

test('a picture that plays, or has something to play, is let alone', () => {
  for (const at of [1, 16.1, 16.37, 20, 32.4]) assert.ok(!stuck(ranges, at, 0), at);
});

test('a picture goes over the gap in front of which it stands', () => {
  for (const at of [0.65, 0.7, 16.19, 16.3, 100]) assert.ok(stuck(ranges, at, 0), at);
});

test('a seek into a range that has ended does not end', () => {
  assert.ok(!stuck(ranges, 0.573, 100));
  assert.ok(stuck(ranges, 0.573, 600));
  assert.ok(stuck(ranges, 0.7, 600)); // between two
});

test('a seek to the live end may take as long as the decoder needs', () => {
  assert.ok(!stuck(ranges, 32, 4000));
  assert.ok(stuck(ranges, 32, 6000));
});
