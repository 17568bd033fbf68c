import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Beat } from './beat.js';

// play lets pictures come for some seconds, each so late as late says of its time, and calls also after each.
function play(beat, from, seconds, late, also = () => {}) {
  for (let at = from; at < from + seconds; at += 0.04) {
    beat.came('video', at, at + late(at));
    also(at + late(at));
  }
}

test('all is due as early as the latest comes in time', () => {
  const beat = new Beat();
  play(beat, 0, 5, (at) => 0.1 + (Math.round(at / 0.04) % 7) * 0.01);
  beat.begin(0.1, 5);
  assert.ok(Math.abs(beat.told(5, ['video']) - 0.175) < 1e-9, beat.delay);
  assert.ok(Math.abs(beat.unrest(['video']) - 0.06) < 1e-9);
});

test('it gets nearer slowly, and more slowly where it is heard', () => {
  for (const [kinds, sink] of [[['video'], 0.05], [['video', 'audio'], 0.01]]) {
    const beat = new Beat();
    beat.came('audio', 0, 0.05);
    play(beat, 0, 5, () => 0.1);
    beat.begin(0.3, 5);
    for (let now = 5; now < 6; now += 0.1) {
      const before = beat.delay;
      assert.ok(before - beat.told(now, kinds) <= 0.1 * sink + 1e-9);
    }
    assert.ok(Math.abs(beat.delay - 0.3 + sink) < 1e-6, beat.delay);
  }
});

test('what comes later makes all due later at once, and is forgotten', () => {
  const beat = new Beat();
  play(beat, 0, 5, () => 0.1);
  beat.begin(0.115, 5);
  beat.came('video', 5, 5.3);
  assert.ok(Math.abs(beat.told(5.3, ['video']) - 0.315) < 1e-9);
  play(beat, 5.4, 16, () => 0.1, (now) => beat.told(now, ['video']));
  assert.ok(Math.abs(beat.delay - 0.115) < 1e-6, beat.delay);
  assert.ok(beat.unrest(['video']) < 1e-9);
});

test('sound that is heard counts, other sound does not', () => {
  const beat = new Beat();
  play(beat, 0, 5, () => 0.1);
  for (let at = 0; at < 5; at += 0.02) beat.came('audio', at, at + 0.2);
  beat.begin(0, 5);
  assert.ok(Math.abs(beat.told(5, ['video']) - 0.115) < 1e-9);
  assert.ok(Math.abs(beat.told(5, ['video', 'audio']) - 0.215) < 1e-9);
});

test('after a pause, and after a break in the clock, all begins anew', () => {
  const beat = new Beat();
  play(beat, 0, 5, () => 0.1);
  beat.begin(0.115, 5);
  assert.ok(beat.seen(5, ['video']) > 4.7);
  play(beat, 7, 1, () => 0.4);
  assert.ok(beat.unrest(['video']) < 1e-9);
  assert.ok(beat.seen(8.4, ['video']) < 1.1);
  play(beat, 1000, 1, () => -900);
  assert.ok(Math.abs(beat.told(101, ['video']) + 899.985) < 1e-6, beat.delay);
});

test('nothing is known of what has not come', () => {
  const beat = new Beat();
  assert.equal(beat.seen(5, ['video']), 0);
  assert.equal(beat.unrest(['video']), Infinity);
});
