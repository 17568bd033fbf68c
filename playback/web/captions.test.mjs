// Captions as encoders write them, down to the lines on the screen.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Captions, Shown, found, format, lineOf, marked, turns } from './captions.js';
import { Line21 } from './cea608.js';
import { Splitter } from './mp4.js';

const parity = (b) => { let n = b & 0x7f; let ones = 0; for (let i = 0; i < 7; i++) ones += n >> i & 1; n |= ones % 2 ? 0 : 0x80; return n; };
const text = (s) => { const out = []; for (let i = 0; i < s.length; i += 2) out.push([s.charCodeAt(i), i + 1 < s.length ? s.charCodeAt(i + 1) : 0]); return out; };
const twice = (a, b) => [[a, b], [a, b]];

// play feeds pairs, one each tenth of a second, and returns what was on the screen.
function play(...pairs) {
  const said = [];
  const line = new Line21((time, lines) => said.push([time, ...lines]));
  pairs.forEach(([a, b], i) => line.pair(i / 10, parity(a), parity(b)));
  return said.map(([, ...lines]) => lines.join('|'));
}

const [RCL, EDM, ENM, EOC, RU2, CR, RDC] = [[0x14, 0x20], [0x14, 0x2c], [0x14, 0x2e], [0x14, 0x2f], [0x14, 0x25], [0x14, 0x2d], [0x14, 0x29]].map((c) => twice(...c));
const bottom = twice(0x14, 0x70); // row 15
const above = twice(0x14, 0x50); // row 14

test('captions pop on as a whole, and are erased', () => {
  assert.deepEqual(play(...RCL, ...ENM, ...above, ...text('Hello,'), ...bottom, ...text('world'), ...EOC, ...EDM), ['Hello,|world', '']);
});

test('captions roll up', () => {
  assert.deepEqual(play(...RU2, ...CR, ...bottom, ...text('ab'), ...CR, ...text('cd'), ...CR, ...text('ef')), ['ab', 'ab|cd', 'cd', 'cd|ef']);
});

test('captions are painted as they come, and corrected', () => {
  assert.deepEqual(play(...RDC, ...bottom, ...text('so'), ...twice(0x14, 0x21), ...text('ay')), ['so', 's', 'say']);
});

test('letters of other languages', () => {
  assert.deepEqual(play(...RDC, ...bottom, [0x2a, 0x7e], [0x11, 0x37], [0x11, 0x37], ...text('A'), [0x12, 0x20], [0x12, 0x20]), ['áñ', 'áñ♪', 'áñ♪A', 'áñ♪Á']);
});

test('a control code counts once if it is sent twice, and twice if it is sent four times', () => {
  assert.deepEqual(play(...RDC, ...bottom, ...text('abcd'), ...twice(0x14, 0x21), ...twice(0x14, 0x21)).at(-1), 'ab');
});

test('what is for the second channel, is damaged or only fills changes nothing', () => {
  assert.deepEqual(play(...RDC, ...bottom, ...text('ok'), [0x1c, 0x29], ...text('no'), [0, 0], ...RDC, ...text('!')), ['ok', 'ok!']);
  const said = [];
  const line = new Line21((time, lines) => said.push(lines));
  line.pair(0, 0x14, 0x29); // without parity
  line.pair(0, 0x61, 0x62);
  assert.deepEqual(said, []);
});

test('nothing that comes breaks it', () => {
  const line = new Line21(() => {});
  for (let i = 0; i < 1 << 14; i++) line.pair(i, parity(i >> 7), parity(i & 127));
  for (let i = 0; i < 1 << 14; i++) line.pair(i, Math.imul(i, 2654435761) >>> 24, Math.imul(i, 40503) >>> 8 & 255);
});

// sei makes an SEI unit with another message in front and escapes what has to be escaped.
function sei(pairs) {
  const data = [0xb5, 0, 0x31, 0x47, 0x41, 0x39, 0x34, 3, 0x40 | pairs.length + 1, 0xff, 0xfd, 0x80, 0x80, ...pairs.flatMap(([a, b]) => [0xfc, parity(a), parity(b)]), 0xff];
  const raw = [5, 19, ...Array(16).fill(7), 0, 0, 1, 4, data.length, ...data, 0x80];
  const out = [6];
  let zeros = 0;
  for (const b of raw) {
    if (zeros >= 2 && b <= 3) { out.push(3); zeros = 0; }
    out.push(b);
    zeros = b === 0 ? zeros + 1 : 0;
  }
  return out;
}

// movie is what ffmpeg makes of the test picture, cut at each frame, with captions put into the
// frames in the order in which they are shown.
function movie(pairs, rate, ...options) {
  const file = execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', `testsrc2=size=64x36:rate=${rate}:duration=${25 / rate}`, '-c:v', 'libx264', ...options,
    '-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', '-'], { maxBuffer: 1 << 24 });
  const [init, ...segments] = new Splitter().push(file);
  const cut = format(init.bytes);
  const shown = segments.map((s) => found(s.bytes, cut)[0]);
  const order = [...shown].sort((a, b) => a.time - b.time);
  const media = segments.map(({ bytes }, i) => withUnit(bytes, sei(pairs[order.indexOf(shown[i])] ? [pairs[order.indexOf(shown[i])]] : [])));
  return { init: init.bytes, media, shown, order };
}

// withUnit puts a unit in front of a segment's only sample, and mends the sizes.
function withUnit(bytes, unit) {
  const extra = unit.length + 4;
  const out = Buffer.concat([bytes, Buffer.alloc(extra)]);
  const trun = out.indexOf('trun') + 4;
  const flags = out.readUInt32BE(trun) & 0xffffff;
  let at = trun + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0) + (flags & 0x100 ? 4 : 0);
  if (!(flags & 0x200)) { // the size is a default in tfhd
    const tfhd = out.indexOf('tfhd') + 4;
    const f = out.readUInt32BE(tfhd) & 0xffffff;
    at = tfhd + 8 + (f & 1 ? 8 : 0) + (f & 2 ? 4 : 0) + (f & 8 ? 4 : 0);
  }
  out.writeUInt32BE(out.readUInt32BE(at) + extra, at);
  const mdat = out.indexOf('mdat');
  out.writeUInt32BE(out.readUInt32BE(mdat - 4) + extra, mdat - 4);
  out.copy(out, mdat + 4 + extra, mdat + 4, bytes.length);
  out.writeUInt32BE(unit.length, mdat + 4);
  Buffer.from(unit).copy(out, mdat + 8);
  return new Uint8Array(out);
}

for (const [name, ...options] of [['as they are decoded', '-preset', 'ultrafast', '-bf', '0'], ['in another order than they are decoded', '-preset', 'medium', '-bf', '3', '-b_strategy', '0']]) {
  test(`captions are read from pictures that are shown ${name}`, () => {
    const pairs = [...RDC, ...bottom, ...text('the quick brown fox')];
    const m = movie(pairs, 25, ...options);
    const moved = m.shown.some((p) => p.time > p.dts);
    assert.equal(moved, options.includes('3'));
    const said = [];
    const captions = new Captions((time, lines) => said.push([time, ...lines]));
    captions.begin(m.init);
    for (const segment of m.media) captions.take(segment);
    assert.equal(said.at(-1)[1], 'the quick brown fox'.slice(0, said.at(-1)[1].length));
    assert.ok(said.at(-1)[1].length >= 16, said.at(-1)[1]);
    assert.ok(said.every(([time], i) => i === 0 || time > said[i - 1][0]));
    assert.equal(said[0][0], m.order[4].time, 'the first letters are shown with the picture that has them');
    for (let lost = 1; lost < m.media.length - 1; lost++) { // from there to the last one
      const last = [];
      const gap = new Captions((time, lines) => last.push(lines.join('|')));
      gap.begin(m.init);
      for (const segment of [...m.media.slice(0, lost), m.media.at(-1)]) gap.take(segment);
      const came = m.order.flatMap((p, i) => m.shown.indexOf(p) < lost && p.time <= m.shown.at(-1).dts && pairs[i] ? [pairs[i]] : []);
      assert.equal(last.at(-1), play(...came).at(-1), `${lost} came`);
    }
    for (let cut = 0; cut < m.media[0].length; cut += 3) captions.take(m.media[0].subarray(0, cut));
  });
}

test('pictures that only lead a newcomer to live say nothing', () => {
  const m = movie([...RDC, ...bottom, ...text('the quick brown fox')], 1000, '-preset', 'ultrafast');
  const captions = new Captions(() => assert.fail('they are in no order'));
  captions.begin(m.init);
  for (const segment of m.media) captions.take(segment);
});

test('what is no picture of that kind has no captions', () => {
  assert.equal(format(new Uint8Array(8)), null);
  const captions = new Captions(() => assert.fail('there are none'));
  captions.begin(new Uint8Array([0, 0, 0, 9, 109, 111, 111, 118, 0]));
  captions.take(new Uint8Array(100));
});

test('a caption is no markup', () => assert.equal(marked(['<b>a</b>', 'x & y --> z']), '&lt;b&gt;a&lt;/b&gt;\nx &amp; y --&gt; z'));

test('captions stand above the controls, however small the picture', () => {
  assert.deepEqual([lineOf(1, 180), lineOf(2, 180), lineOf(2, 500), lineOf(2, 1000), lineOf(2, 0), lineOf(3, 40)], [-6, -7, -4, -3, -4, -10]);
});

test('a stream of captions takes no more than a bounded place', (t) => {
  const cues = [];
  globalThis.VTTCue = class { constructor(startTime, endTime, text) { Object.assign(this, { startTime, endTime, text }); } };
  t.after(() => { delete globalThis.VTTCue; });
  const track = { cues, addCue: (c) => cues.push(c), removeCue: (c) => cues.splice(cues.indexOf(c), 1) };
  const shown = new Shown({ clientHeight: 360, addTextTrack: () => track }, () => {});
  for (let i = 0; i < 1000; i++) shown.show(5, [`${i}`]);
  assert.deepEqual([cues.length, cues.at(-1).text], [200, '999']);
  for (let i = 0; i < 1000; i++) shown.show(6 + i, [`${i}`]);
  assert.ok(cues.length < 25, `${cues.length} cues of the last 20 s`);
});

test('pictures that are shown at the end of all days do not pile up until then', () => {
  let waiting = [];
  for (let i = 0; i < 1000; i++) ({ waiting } = turns(waiting, [{ dts: i / 25, time: 1e6, lasts: 0.04, pairs: [[1, 2]] }]));
  assert.equal(waiting.length, 64);
  assert.equal(turns(waiting, [{ dts: 1e6, time: 1e6, lasts: 0.04, pairs: [] }]).ready.length, 64);
});
