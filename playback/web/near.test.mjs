// What near.js does with a browser whose clock, decoders and screen are the test's.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { beforeEach, test } from 'node:test';
import { Splitter } from './mp4.js';

// A second of film with a key frame in each second, whose fragments are sent again and again, and later each time.
const film = (...args) => execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=1',
  '-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=1', '-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast', ...args, '-c:a', 'aac',
  '-video_track_timescale', '25', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', '-f', 'mp4', '-'], { maxBuffer: 1 << 26 });
const cut = (bytes) => new Splitter().push(bytes).map((s) => s.bytes);
const plain = cut(film('-bf', '0'));
const reordered = cut(film('-bf', '3', '-b_strategy', '0'));
let [init, ...media] = plain;
let held = 0; // so many pictures the decoder holds, to give them out in order

let now = 0; // ms
let frames = []; // callbacks of requestAnimationFrame
let decoders = [];
let speakers = [];
let painted = []; // times
let canvas;
let waits = []; // callbacks of requestVideoFrameCallback

class Decoder {
  state = 'unconfigured';
  decodeQueueSize = 0;
  asked = [];
  holds = [];
  constructor({ output, error }) {
    Object.assign(this, { output, error });
    decoders.push(this);
  }

  configure(config) { [this.config, this.state] = [config, 'configured']; }

  decode(chunk) {
    this.asked.push(chunk);
    if (this.mute) return;
    this.holds.push(chunk);
    this.holds.sort((a, b) => a.timestamp - b.timestamp);
    if (this.holds.length > (this instanceof VideoDecoder ? held : 0)) this.output(this.decoded(this.holds.shift()));
  }

  close() { this.state = 'closed'; }
}
const open = new Set(); // decoded pictures and sounds that nobody has closed
class Decoded {
  constructor(more) {
    Object.assign(this, more);
    open.add(this);
  }

  close() { open.delete(this); }
}
class VideoDecoder extends Decoder {
  decoded = ({ timestamp }) => new Decoded({ timestamp, displayWidth: 320, displayHeight: 180 });
}
class AudioDecoder extends Decoder {
  decoded = ({ timestamp }) => new Decoded({ timestamp, sampleRate: 48000, numberOfChannels: 1, numberOfFrames: 1024, copyTo() {} });
}
class AudioContext {
  state = 'running';
  sampleRate = 48000;
  destination = { context: this };
  audioWorklet = { addModule: () => Promise.resolve() };
  get currentTime() { return now / 1000; }
  getOutputTimestamp() { return { contextTime: now / 1000, performanceTime: now }; }
  createGain() { return { gain: { value: 1 }, connect: (to) => to }; }
  close() { this.closed = true; }
}
class AudioWorkletNode {
  told = [];
  port = { postMessage: (m) => this.told.push(m) };
  constructor() { speakers.push(this); }
  connect(to) { return to; }
}
const video = {
  muted: true, volume: 1, paused: false, currentTime: 0,
  after(c) { canvas = c; },
  pause() { this.paused = true; },
  addEventListener() {}, removeEventListener() {},
  requestVideoFrameCallback(f) { waits.push(f); },
};
Object.assign(globalThis, {
  navigator: {}, isSecureContext: true, VideoDecoder, AudioDecoder, AudioContext, AudioWorkletNode,
  EncodedVideoChunk: class { constructor(o) { Object.assign(this, o); } },
  EncodedAudioChunk: class { constructor(o) { Object.assign(this, o); } },
  HTMLVideoElement: class { requestVideoFrameCallback() {} },
  requestAnimationFrame: (f) => frames.push(f),
  document: {
    visibilityState: 'visible',
    createElement: () => {
      const c = { dataset: {}, getContext: () => ({ canvas: c, drawImage: (f) => painted.push(f.timestamp / 1e6) }) };
      return c;
    },
  },
});
globalThis.performance.now = () => now;
const { Near, able } = await import('./near.js');

let wanted = true;
let left = [];
let near;
beforeEach(() => {
  [init, ...media] = plain;
  held = 0;
  [now, frames, decoders, speakers, painted, waits, wanted, left] = [0, [], [], [], [], [], true, []];
  open.clear();
  Object.assign(video, { muted: true, paused: false, currentTime: 0 });
  document.visibilityState = 'visible';
  near = new Near(video, { may: () => wanted, left: (at) => left.push(at) });
  near.begin(init);
});

// later returns a fragment with its time moved by some seconds.
function later(fragment, seconds) {
  const bytes = fragment.slice();
  const at = Buffer.from(bytes).indexOf('tfdt') + 4;
  const view = new DataView(bytes.buffer);
  const track = view.getUint32(Buffer.from(bytes).indexOf('tfhd') + 8);
  view.setUint32(at + 8, view.getUint32(at + 8) + seconds * (track === 1 ? 25 : 48000));
  return bytes;
}

// play sends the film for some seconds, each fragment late by what late says, in ms, of its second.
async function play(seconds, late = () => 50) {
  const from = Math.round(now / 1000);
  for (let s = from; s < from + seconds; s++) {
    media.forEach((m, i) => {
      now = Math.max(now, s * 1000 + i * 1000 / media.length + late(s, i));
      video.currentTime = video.paused ? video.currentTime : now / 1000 - 0.25;
      near.take(later(m, s));
      near.look();
      for (const f of frames.splice(0)) f();
      assert.ok(!near.on || Number.isFinite(near.at));
    });
    await new Promise((resolve) => { setImmediate(resolve); }); // what was promised is done
  }
}

test('this browser is able', () => assert.ok(able));

test('it looks for a while, and comes nearer', async () => {
  await play(1);
  assert.equal(decoders.length, 0);
  await play(3);
  assert.ok(near.on && video.paused && !canvas.hidden);
  const begun = painted.length;
  await play(8);
  assert.ok(painted.length - begun >= 8 * 25 - 6, painted.length - begun); // some are passed over to get nearer
  assert.ok(painted.every((at, i) => i === 0 || at > painted[i - 1]));
  assert.ok(now / 1000 - near.at < 0.15, now / 1000 - near.at); // of which 0.05 are the way, and 0.04 the next picture's
  assert.equal(decoders[0].asked[0].type, 'key');
  assert.equal(left.length, 0);
});

test('the first picture it shows is that of the element', async () => {
  await play(3);
  for (let i = 0; !near.on && i < 3; i++) await play(1);
  assert.ok(Math.abs(painted[0] - video.currentTime) < 0.06, painted[0] - video.currentTime);
});

test('pictures that are shown in another order than they come are shown in that', async () => {
  [init, ...media] = reordered;
  held = 2;
  near.begin(init);
  await play(12);
  assert.ok(near.on, canvas.dataset.why);
  assert.ok(painted.length > 8 * 25, painted.length);
  assert.ok(painted.every((at, i) => i === 0 || at > painted[i - 1]));
  assert.ok(now / 1000 - near.at < 0.3, now / 1000 - near.at); // of which 0.2 are the order's
});

test('it gives way when it is no longer wanted, and covers the element until that has a picture', async () => {
  await play(5);
  wanted = false;
  near.look();
  assert.ok(!near.on && !canvas.hidden);
  assert.equal(left.length, 1);
  assert.equal(left[0], painted.at(-1));
  assert.equal(open.size, 0);
  waits[0]();
  assert.ok(canvas.hidden);
  wanted = true;
  video.paused = false;
  await play(5);
  assert.ok(near.on);
});

test('a decoder that fails is not tried again with this stream', async () => {
  await play(5);
  decoders[0].error(new Error('bad picture'));
  assert.equal(left.length, 1);
  assert.equal(canvas.dataset.why, 'bad picture');
  video.paused = false;
  await play(60);
  assert.equal(decoders.length, 1);
  near.begin(init);
  await play(60);
  assert.ok(near.on);
});

test('a decoder that says nothing more is left', async () => {
  await play(5);
  decoders[0].mute = true;
  await play(3);
  assert.equal(left.length, 1);
});

test('where sound comes alone for a while the decoder has not failed', async () => {
  await play(5);
  const all = media;
  media = all.filter((m) => new DataView(m.buffer).getUint32(Buffer.from(m).indexOf('tfhd') + 8) === 2);
  await play(4);
  media = all;
  assert.ok(near.on, canvas.dataset.why);
});

test('a stream that comes unevenly is left to the element, each time for longer', async () => {
  const tries = [];
  for (let i = 0; i < 300; i++) {
    video.paused &&= near.on;
    await play(1, (s, n) => (n === 20 && near.on && s > 6 ? 500 : 50));
    if (decoders.length > tries.length) tries.push(now / 1000);
  }
  assert.ok(tries.length >= 4 && left.length >= 3, tries);
  assert.ok(tries.at(-1) - tries.at(-2) > 1.5 * (tries.at(-2) - tries.at(-3)), tries);
});

test('what never comes evenly never begins', async () => {
  await play(30, (s, n) => (n % 20 === 0 ? 250 : 50));
  assert.equal(decoders.length, 0);
});

test('sound that is wished for is heard from the beginning, and when it is turned on', async () => {
  video.muted = false;
  await play(6);
  assert.ok(near.on && speakers.length === 1);
  const told = speakers[0].told.filter((m) => m.planes);
  assert.ok(told.length > 40, told.length);
  assert.ok(speakers[0].told.some((m) => Math.abs(m.ahead + 0.25) < 0.2));
  video.muted = true;
  await play(2);
  assert.equal(decoders.filter((d) => d instanceof AudioDecoder)[0].state, 'closed');
  video.muted = false;
  await play(2);
  assert.ok(near.on && speakers.length === 2);
});

test('behind another tab nothing is painted, nothing piles up, and the time goes on', async () => {
  video.muted = false;
  await play(6);
  document.visibilityState = 'hidden';
  await play(10);
  const before = near.at;
  await play(10);
  assert.ok(near.at > before + 9);
  assert.ok(open.size <= 8, open.size);
});

test('what decoders cannot be set up for is left to the element', async () => {
  near.begin(init.slice(0, 100));
  await play(5);
  assert.equal(decoders.length, 0);
});

test('a stream that is over leaves its last picture, and nothing open', async () => {
  await play(5);
  near.drop();
  assert.equal(open.size, 0);
  assert.ok(!near.on && !canvas.hidden);
  near.hide();
  assert.ok(canvas.hidden);
});
