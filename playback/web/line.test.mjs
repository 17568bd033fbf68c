import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Line } from './line.js';

const rate = 1000;
const ramp = (from, n) => Float32Array.from({ length: n }, (_, i) => from + i);
// pulled takes quanta of 10 ms, the first at a time, and returns all samples of the first channel.
function pulled(line, from, quanta, channels = 1) {
  const all = [];
  for (let i = 0; i < quanta; i++) {
    const planes = Array.from({ length: channels }, () => new Float32Array(10).fill(7));
    line.pull(planes, from + i / 100);
    all.push(...planes.at(-1));
  }
  return all;
}

test('sound in time goes out as it came, from block to block', () => {
  const line = new Line(rate);
  line.push(1, [ramp(0, 130)]);
  line.push(1.13, [ramp(130, 130)]);
  const out = pulled(line, 1, 26);
  assert.deepEqual(out.slice(96), [...ramp(96, 164)]);
  for (let i = 1; i < 96; i++) assert.ok(Math.abs(out[i] - i * (i + 1) / 96) < 1e-3, `${out[i]} at ${i}`); // it gets louder
});

test('a hole is silent, and what is there after it is in time', () => {
  const line = new Line(rate);
  line.push(1, [ramp(1, 100)]);
  line.push(1.5, [ramp(1, 400)]);
  const out = pulled(line, 1, 60);
  assert.ok(out.slice(100, 490).every((v) => v === 0));
  assert.ok(out.slice(500, 510).some((v) => v > 0));
  assert.ok(Math.abs(line.at - 1.6) < 0.002, line.at);
});

test('what is late by little is caught up with unheard, by much at once', () => {
  const line = new Line(rate);
  let pushed = 0;
  const play = (from, quanta) => {
    for (let i = 0; i < quanta; i++) {
      for (; pushed / 10 < from + i / 100 + 1; pushed++) line.push(pushed / 10, [ramp(100 * pushed, 100)]);
      pulled(line, from + i / 100, 1);
    }
  };
  play(0, 10);
  play(0.15, 200); // 50 ms later than it was
  assert.ok(Math.abs(line.at - 2.15) < 0.032 && line.at < 2.13, line.at); // in 2 s a percent is 20 ms
  play(2.15, 500);
  assert.ok(Math.abs(line.at - 7.15) < 0.005, line.at);
  play(9, 1);
  assert.ok(Math.abs(line.at - 9.01) < 0.002, line.at);
});

test('what is early waits', () => {
  const line = new Line(rate);
  line.push(2, [ramp(1, 100)]);
  assert.ok(pulled(line, 1, 90).every((v) => v === 0));
  assert.equal(line.at, 2);
});

test('channels that are missing are those that are there', () => {
  const line = new Line(rate);
  line.push(0, [ramp(0, 300)]);
  assert.equal(pulled(line, 0, 20, 2)[150], 150);
  const both = new Line(rate);
  both.push(0, [ramp(0, 300), ramp(1000, 300)]);
  assert.equal(pulled(both, 0, 20, 2)[150], 1150);
});

test('it keeps what it may, and no more', () => {
  const line = new Line(rate);
  for (let i = 0; i < 10000; i++) line.push(i / 100, [ramp(0, 10)]);
  assert.ok(99.99 - line.at <= 2.01, line.at);
  line.push(NaN, [new Float32Array(0)]);
  line.push(1e9, []);
  assert.ok(line.at > 97);
});
