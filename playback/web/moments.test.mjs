import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentOf, moved, partOf, there } from './moments.js';

const kept = { from_ms: 1_000_000, to_ms: 1_600_000, bytes: 1 }; // ten minutes

test('a timeline takes something to choose from', () => {
  assert.equal(there(undefined), false);
  assert.equal(there(null), false);
  assert.equal(there({ from_ms: 5, to_ms: 5 }), false);
  assert.equal(there({ from_ms: 0, to_ms: 19_999 }), false);
  assert.equal(there(kept), true);
});

test('a moment has its place, and a place its moment', () => {
  assert.equal(partOf(kept, null), 1);
  assert.equal(partOf(kept, 1_000_000), 0);
  assert.equal(partOf(kept, 1_300_000), 0.5);
  assert.equal(partOf(kept, 5), 0); // it is no longer kept
  assert.equal(partOf(kept, 9_999_999), 1);
  assert.equal(momentOf(kept, 0), 1_000_000);
  assert.equal(momentOf(kept, 0.5), 1_300_000);
  assert.equal(momentOf(kept, 1), null);
  assert.equal(momentOf(kept, 0.99), null); // six seconds ago
  for (const part of [0, 0.1, 0.25, 0.7, 0.95]) assert.ok(Math.abs(partOf(kept, momentOf(kept, part)) - part) < 1e-5);
});

test('steps end at the oldest and at live', () => {
  assert.equal(moved(kept, null, -10), null); // that is live, as near as a viewer of the past gets
  assert.equal(moved(kept, null, -30), 1_570_000);
  assert.equal(moved(kept, 1_570_000, 10), 1_580_000);
  assert.equal(moved(kept, 1_580_000, 10), null);
  assert.equal(moved(kept, 1_005_000, -10), 1_000_000);
});
