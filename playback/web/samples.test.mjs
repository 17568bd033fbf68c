// What samples.js makes of files that ffmpeg writes, and of such as nobody should.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Splitter } from './mp4.js';
import { samples, setups } from './samples.js';

const flags = 'frag_every_frame+empty_moov+default_base_moof';
function encode(...args) {
  const file = execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=1',
    '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:duration=1', '-pix_fmt', 'yuv420p', ...args, '-f', 'mp4', '-strict', '-2', '-'], { maxBuffer: 1 << 26 });
  const [init, ...media] = new Splitter().push(file);
  return { file, setups: setups(init.bytes), init: init.bytes, media: media.map((s) => s.bytes) };
}

test('the samples of H.264 with B-frames and AAC are those that ffprobe tells', () => {
  const { file, setups: [video, audio], media } = encode('-c:v', 'libx264', '-bf', '2', '-g', '10', '-c:a', 'aac', '-movflags', flags);
  assert.deepEqual([video.kind, audio.kind], ['video', 'audio']);
  const told = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_packets', '-of', 'json', '-'], { input: file })).packets;
  const all = media.flatMap((m) => [...samples(m)]);
  assert.equal(all.length, told.length);
  for (const [of, type] of [[video, 'video'], [audio, 'audio']]) {
    const mine = all.filter((s) => s.track === of.track);
    const theirs = told.filter((p) => p.codec_type === type);
    assert.equal(mine.length, theirs.length);
    const shift = theirs[0].pts - mine[0].pts; // edit lists are not looked at, by browsers neither
    mine.forEach((s, i) => {
      assert.deepEqual([s.pts + shift, s.dts + shift, s.data.byteLength, s.key], [theirs[i].pts, theirs[i].dts, Number(theirs[i].size), theirs[i].flags.startsWith('K')]);
      assert.ok(Math.abs(s.pts / of.rate + shift / of.rate - theirs[i].pts_time) < 1e-3);
    });
  }
});

for (const [name, args, want] of [
  ['H.264 and AAC', ['-c:v', 'libx264', '-profile:v', 'high', '-level', '3.1', '-c:a', 'aac', '-ac', '2'],
    [['avc1.64001f', /^01/], ['mp4a.40.2', /^12(08|10)/, 44100, 2]]],
  ['HEVC', ['-map', '0', '-c:v', 'libx265', '-tag:v', 'hvc1', '-x265-params', 'log-level=none:level-idc=3.1'], [['hvc1.1.6.L93.90', /^01/]]],
  ['VP9 and Opus', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus', '-ac', '2'], [['vp09.00.11.08', null], ['opus', null, 48000, 2]]],
  ['MP3 alone', ['-map', '1', '-c:a', 'libmp3lame'], [['mp3', null, 44100, 2]]],
]) {
  test(`how decoders are set up for ${name}`, () => {
    const got = encode(...args, '-movflags', flags).setups;
    assert.equal(got.length, want.length);
    want.forEach(([codec, described, rate, channels], i) => {
      const { config } = got[i];
      assert.equal(config.codec, codec);
      if (described) assert.match(Buffer.from(config.description).toString('hex'), described);
      else assert.equal(config.description, undefined);
      if (rate) assert.deepEqual([config.sampleRate, config.numberOfChannels], [rate, channels]);
    });
  });
}

test('a codec that no decoder is named for has no setup', () => {
  const [of] = encode('-map', '1', '-c:a', 'flac', '-movflags', flags).setups;
  assert.deepEqual([of.kind, of.config], ['audio', null]);
});

test('what is cut or altered throws or tells less, and never hangs', () => {
  const { init, media } = encode('-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-movflags', flags);
  const tried = (bytes, read) => {
    for (let i = 0; i < Math.min(bytes.length, 1500); i++) {
      const bad = bytes.slice();
      bad[i] ^= 0xff;
      for (const b of [bad, bytes.slice(0, i)]) {
        try {
          read(b);
        } catch (err) {
          assert.ok(err instanceof RangeError || err instanceof TypeError, err);
        }
      }
    }
  };
  tried(init, (b) => assert.ok(setups(b).length <= 2));
  tried(media[0], (b) => { for (const s of samples(b)) assert.ok(s.data.byteLength <= b.length); });
});
