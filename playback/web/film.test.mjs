import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock, Rate, Samples, codecs, frame, kinds, preferred, qualities, record, shrink } from './film.js';

test('a record has kind, time and data', () => {
  assert.deepEqual([...record(kinds.keyPicture, 1_234_567.4, new Uint8Array([7, 8]))], [2, 0, 0, 0, 0, 0, 0x12, 0xd6, 0x87, 7, 8]);
  assert.deepEqual([...record(kinds.sound, -2, new Uint8Array([1]).buffer)], [5, 255, 255, 255, 255, 255, 255, 255, 254, 1]);
  const all = new Uint8Array([1, 2, 3, 4]);
  assert.deepEqual([...record(kinds.picture, 0, all.subarray(1, 3))].slice(9), [2, 3], 'a part of a buffer');
});

test('a picture is sent no larger than asked for, in even numbers, and as wide as it is', () => {
  const is = (width, height, quality) => Object.values(frame({ width, height }, qualities[quality]));
  assert.deepEqual(is(1280, 720, 'medium'), [1280, 720]);
  assert.deepEqual(is(3840, 2160, 'high'), [1920, 1080]);
  assert.deepEqual(is(640, 480, 'high'), [640, 480], 'it is never made larger');
  assert.deepEqual(is(1366, 768, 'medium'), [1280, 720]);
  assert.deepEqual(is(1080, 1920, 'medium'), [720, 1280], 'a phone upright');
  assert.deepEqual(is(1001, 701, 'high'), [1002, 702]);
  assert.deepEqual(is(1, 1, 'low'), [2, 2]);
});

test('a call prefers what all players know, and offers nothing that has no place in the stream', () => {
  const of = (...all) => preferred(all.map(([mimeType, sdpFmtpLine]) => ({ mimeType, sdpFmtpLine }))).map((c) => c.mimeType + (c.sdpFmtpLine ? `;${c.sdpFmtpLine}` : ''));
  const [cut, whole] = ['packetization-mode=1;profile-level-id=42e01f', 'packetization-mode=0;profile-level-id=42e01f'];
  assert.deepEqual(of(['video/VP8'], ['video/rtx'], ['video/VP9', 'profile-id=0'], ['video/H264', whole], ['video/H264', cut], ['video/AV1'], ['video/H265'], ['video/red']),
    [`video/H264;${cut}`, 'video/VP9;profile-id=0', 'video/AV1']);
  assert.deepEqual(of(['video/VP8'], ['video/rtx']), [], 'the browser offers as it likes, and the node says no');
  assert.deepEqual(of(['audio/opus', 'minptime=10'], ['audio/G722'], ['audio/red']), ['audio/opus;minptime=10']);
});

test('a call makes a picture smaller that is larger than asked for, and none larger', () => {
  const of = (width, height, quality) => shrink({ width, height }, qualities[quality]);
  assert.equal(of(1920, 1080, 'medium'), 1.5);
  assert.equal(of(1080, 1920, 'medium'), 1.5, 'a phone upright');
  assert.equal(of(640, 480, 'high'), 1);
  assert.equal(shrink({}, qualities.high), 1, 'a screen that does not say how large it is');
});

test('the level of H.264 has room for the picture, and is the least that has', () => {
  const first = (width, height, rate) => codecs({ width, height }, rate)[0];
  assert.equal(first(1280, 720, 30), 'avc1.64001f');
  assert.equal(first(1280, 720, 60), 'avc1.640028');
  assert.equal(first(1920, 1080, 30), 'avc1.640028');
  assert.equal(first(1920, 1080, 60), 'avc1.64002a');
  assert.equal(first(3840, 2160, 30), 'avc1.640033');
  assert.equal(first(3840, 2160, 60), 'avc1.640034');
  assert.equal(first(9000, 9000, 60), 'avc1.640034', 'more than there is: the encoder says no');
  assert.deepEqual(codecs({ width: 2, height: 2 }, 1), ['avc1.64001f', 'avc1.4d001f', 'avc1.42e01f']);
});

test('pictures and sound with clocks of their own get one', () => {
  const picture = new Clock();
  const sound = new Clock();
  // What is filmed at the same moment comes 40 ms and 10 ms later; the first picture, at which the camera awoke, 400 ms.
  const seen = [];
  for (let i = 0; i < 300; i++) {
    const now = 10e6 + i * 33_333;
    seen.push([picture.at(5e6 + i * 33_333, now + (i === 0 ? 400_000 : 40_000)), sound.at(77e6 + i * 33_333, now + 10_000)]);
  }
  for (let i = 1; i < seen.length; i++) {
    assert.ok(seen[i][0] > seen[i - 1][0] && seen[i][1] > seen[i - 1][1], `times grow at ${i}`);
  }
  const [p, s] = seen.at(-1);
  assert.ok(Math.abs(p - s) <= 30_001, `picture and sound are ${p - s} µs apart`);
});

test('a pause of the encoder does not set the clock, and a jump of the stamps does', () => {
  const c = new Clock();
  for (let i = 0; i <= 200; i++) c.at(i * 33_333, 1e6 + i * 33_333); // beyond settling
  assert.equal(c.at(201 * 33_333, 1e6 + 201 * 33_333 + 300_000), 1e6 + 201 * 33_333, 'late, and from the same clock');
  const other = c.at(900e6, 8e6); // another device
  assert.ok(Math.abs(other - 8e6) < 1, String(other));
  assert.ok(c.at(900e6 - 10, 8e6) > other, 'times grow none the less');
});

test('sound is when its samples were, whatever the encoder stamps it', () => {
  for (const [rate, packet] of [[48000, 960], [48000, 1024], [44100, 1024]]) {
    const s = new Samples(rate);
    let late = 0;
    let given = 0;
    for (let taken = 0; taken < 3600 * rate; taken += 480) {
      if (taken === 1800 * rate) late = 700_000; // the device heard nothing for a while
      s.take(480, 5e6 + taken * 1e6 / rate + late);
      for (; given + packet <= taken; given += packet) {
        const off = s.give(Math.round(packet * 1e6 / rate)) - 5e6 - given * 1e6 / rate - late;
        assert.ok(Math.abs(off) < 1, `${off} µs off after ${given} samples of ${rate} Hz`);
      }
    }
  }
});

test('the rate is that of the last seconds', () => {
  const r = new Rate();
  assert.equal(r.bits(0), 0);
  for (let ms = 0; ms < 10_000; ms += 10) r.add(125, ms);
  assert.equal(r.bits(9990), 100_000);
  assert.equal(r.bits(13_000), 0);
});
