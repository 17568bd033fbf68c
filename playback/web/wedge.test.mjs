import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Wedge, wedgedAfter } from './wedge.js';

test('media that cannot be played wedges the player, whether it comes evenly or in bursts', () => {
  for (const every of [40, 900, 3000]) {
    const wedge = new Wedge();
    let pieces = 0;
    for (; !wedge.wedged; pieces++) {
      assert.ok(pieces < 200, `not wedged after ${pieces} pieces, one every ${every} ms`);
      wedge.came(pieces * every);
    }
    assert.ok((pieces - 1) * every > wedgedAfter, `wedged after ${pieces} pieces, one every ${every} ms`);
  }
});

test('what comes first after a pause is no proof, however long the pause was', () => {
  const wedge = new Wedge();
  for (let t = 0; t < 10000; t += 40) {
    wedge.came(t);
    wedge.grew();
  }
  wedge.came(3600000); // it is not in the buffer yet
  assert.ok(!wedge.wedged);
});

test('with more to play the count begins anew', () => {
  const wedge = new Wedge();
  for (let t = 0; t <= wedgedAfter - 40; t += 40) wedge.came(t);
  wedge.grew();
  for (let t = wedgedAfter; t < 2 * wedgedAfter - 40; t += 40) wedge.came(t);
  assert.ok(!wedge.wedged);
});
