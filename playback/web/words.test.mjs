import assert from 'node:assert/strict';
import { test } from 'node:test';
import { called, clock, columnName, dropped, duration, format, leftPeers, millis, offers, peerCasts, place, rate, reach, watching } from './words.js';

const root = { situation: { name: 'live' }, root: true, depth: 0, parent: '' };
const below = { situation: { name: 'live' }, root: false, depth: 2, parent: 'abcdefghijkl' };

test('what was left out is said in words', () => {
  assert.equal(dropped(undefined), '');
  assert.equal(dropped({}), '');
  assert.equal(dropped({ cut_picture: 1 }), 'the encoder sent 1 picture cut short');
  assert.equal(dropped({ empty_sound: 3 }), 'the encoder sent 3 empty audio frames');
  assert.equal(dropped({ of_a_newer_node: 2 }), 'the encoder sent 2 malformed tags');
  assert.equal(dropped({ cut_picture: 1, empty_sound: 3 }), 'the encoder sent 4 malformed tags');
});

test('nodes that were left for what they did are counted, with what that was', () => {
  assert.equal(leftPeers(undefined), '');
  assert.equal(leftPeers({ moved: 4, forged: 0 }), '');
  assert.equal(leftPeers({ lied: 1 }), 'left 1 peer: a false place in the tree');
  assert.equal(leftPeers({ slow: 1, forged: 2, moved: 4 }), 'left 3 peers: forged data, starving');
});

test('everybody reads one number, and how many there are here where it is another', () => {
  assert.equal(watching({ viewer_count: 0 }), '');
  assert.equal(watching({ viewer_count: 1 }), '1 watching here'); // an older node, or source
  assert.equal(watching({ viewer_count: 0, watching: null }), '');
  assert.equal(watching({ viewer_count: 2, watching: null }), '2 watching here');
  assert.equal(watching({ viewer_count: 0, watching: 0 }), '');
  assert.equal(watching({ viewer_count: 1, watching: 1 }), '1 watching');
  assert.equal(watching({ viewer_count: 1, watching: 14 }), '14 watching, 1 here');
  assert.equal(watching({ viewer_count: 0, watching: 14 }), '14 watching');
});

test('a name is in quotation marks', () => {
  assert.equal(called({ id: 'abcd' }), '');
  assert.equal(called({ id: 'abcd', name: '' }), '');
  assert.equal(called({ id: 'abcd', name: 'source' }), '“source”');
  assert.equal(called({ id: 'abcd', name: 'غرفة' }), '“\u2068غرفة\u2069”');
});

test('who is not simply reached is told so', () => {
  assert.equal(reach(''), '');
  assert.equal(reach('open'), '');
  assert.match(reach('punchable'), /both routers/);
  assert.match(reach('closed'), /it watches/);
});

test('the words fit the place in the tree', () => {
  assert.equal(place(root), 'this is the source');
  assert.equal(place(below), 'child of abcd, 2 links from the source');
  assert.equal(place({ ...below, depth: 1 }), 'child of abcd, 1 link from the source');
  assert.equal(place({ ...below, parent_name: 'kitchen' }), 'child of abcd “kitchen”, 2 links from the source');
  assert.equal(place({ ...below, parent: '' }), 'looking for a parent');
  assert.equal(place({ ...below, situation: { name: 'orphaned' } }), 'child of abcd', 'the source is nowhere');
});

test('PeerCasts are told of, and what is behind them as what they say', () => {
  for (const none of [undefined, null, { connected: 0, behind: 0, listeners: 0 }]) assert.equal(peerCasts(none), '');
  assert.equal(peerCasts({ connected: 1, behind: 0, listeners: 1 }), 'Over PeerCast from here: 1 node, and 0 more behind them by what they say, with 1 listener');
  assert.equal(peerCasts({ connected: 3, behind: 1400, listeners: 12 }), 'Over PeerCast from here: 3 nodes, and 1,400 more behind them by what they say, with 12 listeners');
});

test('no column is the source where it is away', () => {
  const names = (first) => [0, 1, 2].map((c) => columnName(first, c, true));
  assert.deepEqual(names({ depth: 0, orphan: false }), ['source', '1 link', '2 links']);
  assert.deepEqual(names({ depth: 2, orphan: false }), ['2 links', '3 links', '4 links']);
  for (const depth of [0, 2]) assert.deepEqual(names({ depth, orphan: true }), ['cut off', '', '']);
  assert.equal(columnName({ depth: 0, orphan: false }, 3, false), '3');
});

test('a moment of another day has the day', () => {
  const at = Date.UTC(2026, 10, 30, 21, 14);
  assert.match(clock(at, at + 3600e3, 'UTC'), /^(21:14|0?9:14.PM)$/);
  assert.match(clock(at, at + 24 * 3600e3, 'UTC'), /30/);
  assert.doesNotMatch(clock(at, at + 24 * 3600e3, 'UTC'), /[ \u202f]/, 'a line ends within it');
});

test('figures read as people write them', () => {
  assert.deepEqual([0, 64_000, 210_000, 6_100_000, 40_000_000].map(rate), ['0 kb/s', '64 kb/s', '210 kb/s', '6.1 Mb/s', '40 Mb/s']);
  assert.deepEqual([0, 999, 1234, 61_000].map(millis), ['0 ms', '999 ms', '1.2 s', '61 s']);
  assert.deepEqual([5, 61, 3700, 90_000].map(duration), ['5 s', '1 min', '1 h 1 min', '1 d 1 h']);
  assert.equal(format({ video: 'h264', audio: 'aac', height: 1080, frame_rate: 59.94 }), '1080p60 H.264/AAC');
  assert.equal(format({ video: '', audio: 'opus', height: 0, frame_rate: 0 }), 'Opus');
  assert.equal(format({ video: '', audio: '', height: 0, frame_rate: 0 }), '');
});

test('other players are offered what the node has, and what has a place for the stream', () => {
  const urls = { m3u: 'm', ts: 't', flv: 'f', hls: 'h' };
  const names = (c) => offers({ codec: { video: 'h264' }, ...c }).map(([name]) => name);
  assert.deepEqual(names({ urls }), ['Open in VLC', 'TS', 'FLV', 'HLS']);
  const all = { ...urls, rtsp: 'rtsp://h:8554/a', srt: 'srt://h:8890?streamid=read:a' };
  assert.deepEqual(names({ urls: all }), ['Open in VLC', 'TS', 'FLV', 'HLS', 'RTSP', 'SRT']);
  assert.deepEqual(names({ urls: all, lacks: { ts: ['ac3'], rtsp: ['ac3'], srt: ['ac3'] } }), ['Open in VLC', 'TS, no sound', 'FLV', 'HLS', 'RTSP, no sound', 'SRT, no sound']);
  assert.deepEqual(names({ urls: all, codec: { video: 'av1' }, lacks: { ts: ['av1'], rtsp: ['av1'], srt: ['av1'] } }), ['Open in VLC', 'FLV', 'HLS']);
});
