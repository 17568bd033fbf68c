import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff, Pace, leastAhead, liveWithin } from './pace.js';

// play lets a player follow a Pace for some seconds and returns how much it has buffered.
function play(pace, ahead, time, from = 0) {
  for (let t = from; t < from + time; t += 0.1) {
    const { rate, jump } = pace.steer(ahead, t);
    ahead -= jump + 0.1 * (rate - 1);
  }
  return ahead;
}

test('what is somewhat behind catches up by rate, never over a quarter faster', () => {
  const pace = new Pace();
  for (let ahead = 0.31; ahead < 2.1; ahead += 0.1) {
    const { rate, jump } = pace.steer(ahead, 0);
    assert.equal(jump, 0);
    assert.ok(rate >= 1.05 && rate <= 1.25, `${rate} at ${ahead}`);
  }
  assert.ok(play(new Pace(), 1.5, 15) <= leastAhead + 0.11);
});

test('what is about to run dry fills up, unheard', () => {
  const pace = new Pace();
  assert.deepEqual(pace.steer(0.05, 0), { rate: 0.96, jump: 0 });
  const ahead = play(pace, 0.05, 10);
  assert.ok(ahead >= leastAhead && ahead < leastAhead + 0.05, ahead);
  assert.equal(pace.steer(ahead, 10).rate, 1);
});

test('what is far behind jumps', () => {
  const { rate, jump } = new Pace().steer(8, 0);
  assert.equal(rate, 1);
  assert.ok(Math.abs(8 - jump - leastAhead) < 0.01);
});

test('at the target nothing changes', () => {
  const pace = new Pace();
  for (let t = 0; t < 100; t++) assert.deepEqual(pace.steer(leastAhead + 0.05, t), { rate: 1, jump: 0 });
});

test('stalls raise the target, within bounds, and calm lowers it again', () => {
  const pace = new Pace();
  pace.stalled(0);
  pace.stalled(0.5); // the same one
  const once = pace.target;
  assert.ok(once > leastAhead && once < 2 * leastAhead);
  for (let t = 2; t < 100; t += 2) pace.stalled(t);
  assert.equal(pace.target, 1.5);
  play(pace, 1.5, 1000, 100);
  assert.equal(pace.target, leastAhead);
});

test('who has stalled as often as can be counts as live still', () => {
  const pace = new Pace();
  for (let t = 0; t < 100; t += 2) pace.stalled(t);
  for (const ahead of [0.3, 1.5, 3]) assert.ok(play(pace, ahead, 20, 100) < liveWithin - 0.1);
});

test('the wait between tries doubles up to its bound, and begins anew', () => {
  const backoff = new Backoff(0.25, 5);
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(() => backoff.next()), [0.25, 0.5, 1, 2, 4, 5, 5]);
  backoff.good();
  assert.equal(backoff.next(), 0.25);
});
