// What mp4.js makes of files that ffmpeg writes, and of such as nobody should.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Splitter, describe, maxBox } from './mp4.js';

function encode(...args) {
  return execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=1',
    '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=1', ...args,
    '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', '-strict', '-2', '-'], { maxBuffer: 1 << 26 });
}

function split(bytes, piece) {
  const splitter = new Splitter();
  const segments = [];
  for (let at = 0; at < bytes.length; at += piece) segments.push(...splitter.push(bytes.subarray(at, at + piece)));
  return segments;
}

test('segments are whole whatever the pieces, and lose nothing', () => {
  const file = encode('-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-shortest');
  const whole = split(file, file.length);
  assert.ok(whole.length > 30);
  assert.deepEqual(whole.map((s) => s.init).indexOf(true), 0);
  assert.equal(whole.filter((s) => s.init).length, 1);
  for (const piece of [1, 7, 1000, 65536]) {
    const segments = split(file, piece);
    assert.equal(segments.length, whole.length);
    assert.ok(Buffer.concat(segments.map((s) => s.bytes)).equals(Buffer.concat(whole.map((s) => s.bytes))));
  }
  assert.ok(file.subarray(0, whole.reduce((n, s) => n + s.bytes.length, 0)).equals(Buffer.concat(whole.map((s) => s.bytes))));
});

test('a second initialization segment is found in the stream', () => {
  const a = encode('-map', '0', '-c:v', 'libx264', '-preset', 'ultrafast');
  const segments = split(Buffer.concat([...split(a, a.length), ...split(a, a.length)].map((s) => s.bytes)), 4096);
  assert.equal(segments.filter((s) => s.init).length, 2);
});

for (const [name, args, codecs] of [
  ['H.264 and AAC', ['-c:v', 'libx264', '-profile:v', 'high', '-level', '3.1', '-pix_fmt', 'yuv420p', '-c:a', 'aac'], 'avc1.64001f,mp4a.40.2'],
  ['H.264 baseline', ['-map', '0', '-c:v', 'libx264', '-profile:v', 'baseline', '-level', '3.0', '-pix_fmt', 'yuv420p'], 'avc1.42c01e'],
  ['HEVC', ['-map', '0', '-c:v', 'libx265', '-tag:v', 'hvc1', '-pix_fmt', 'yuv420p', '-x265-params', 'log-level=none:level-idc=3.1'], 'hvc1.1.6.L93.90'],
  ['HEVC in 10 bits', ['-map', '0', '-c:v', 'libx265', '-tag:v', 'hev1', '-pix_fmt', 'yuv420p10le', '-x265-params', 'log-level=none:level-idc=3.1'], 'hev1.2.4.L93.90'],
  ['VP9 and Opus', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-pix_fmt', 'yuv420p', '-c:a', 'libopus'], 'vp09.00.11.08,opus'],
  ['MP3 alone', ['-map', '1', '-c:a', 'libmp3lame'], 'mp4a.6b'],
  ['FLAC alone', ['-map', '1', '-c:a', 'flac'], 'flac'],
]) {
  test(`the type of ${name}`, () => {
    const [init] = split(encode(...args), 1 << 20);
    const { type, tracks } = describe(init.bytes);
    const kind = tracks.some((t) => t.kind === 'video') ? 'video' : 'audio';
    assert.equal(type, `${kind}/mp4; codecs="${codecs}"`);
    for (const t of tracks.filter((track) => track.kind === 'video')) assert.deepEqual([t.width, t.height], [320, 180]);
  });
}

test('a box that cannot be ends the stream instead of filling the memory', () => {
  const huge = new Uint8Array(16);
  new DataView(huge.buffer).setUint32(0, maxBox + 1);
  assert.throws(() => new Splitter().push(huge), /bytes/);
  const tiny = new Uint8Array(16);
  tiny[3] = 7;
  assert.throws(() => new Splitter().push(tiny), /bytes/);
  // A run of boxes without an end is one, too.
  const splitter = new Splitter();
  const free = new Uint8Array(1 << 20);
  new DataView(free.buffer).setUint32(0, free.length);
  free.set([0x66, 0x72, 0x65, 0x65], 4);
  assert.throws(() => { for (let i = 0; i <= 32; i++) splitter.push(free); }, /bytes/);
});

test('an initialization segment that is cut or altered throws or tells less, and never hangs', () => {
  const [init] = split(encode('-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'), 1 << 20);
  const good = init.bytes;
  for (let i = 0; i < good.length; i++) {
    const bad = good.slice();
    bad[i] ^= 0xff;
    for (const b of [bad, good.slice(0, i)]) {
      try {
        assert.ok(describe(b).tracks.length <= 2);
      } catch (err) {
        assert.ok(err instanceof RangeError, err);
      }
    }
  }
});
