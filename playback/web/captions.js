// Captions that are in the pictures (CTA-608 in SEI messages, ANSI/SCTE 128): browsers do not look for
// them in what a page feeds them, so that they are found here, and shown as a text track.

import { Line21 } from './cea608.js';
import { first, inside, sub, view } from './mp4.js';
import { rateOf, samples, trackOf } from './samples.js';

/** A caption that nothing ends is taken away after so long, in seconds, as decoders do. */
const longest = 16;
/**
 * A node that hurries a newcomer to live shows each picture since the key frame for 1 ms, in the order
 * of decoding. That is not the order of the captions, so that those of such pictures are passed over.
 */
const hurried = 0.0015;
/** So many seconds of captions behind the newest are kept. */
const kept = 20;
/** So many cues there are at most: a stream can have a new one with each picture, at whatever time. */
const mostCues = 200;
/** So many pictures with captions wait for those that are shown before them, at most: decoders keep 16. */
const mostWaiting = 64;

/** Bytes of a sample entry before the boxes in it. */
const visualEntry = 78;

/** format reads from an initialization segment how pictures are cut: {id, rate, size, hevc}, null if they are none that can have captions. */
export function format(init) {
  const root = view(init);
  for (const trak of inside(root, 'moov', 'trak')) {
    for (const entries of inside(trak, 'mdia', 'minf', 'stbl', 'stsd')) {
      const avc = ['avc1', 'avc3'].map((type) => first(sub(entries, 8), type)).find(Boolean);
      const hevc = ['hvc1', 'hev1'].map((type) => first(sub(entries, 8), type)).find(Boolean);
      const entry = avc ?? hevc;
      const config = entry && first(sub(entry, visualEntry), avc ? 'avcC' : 'hvcC');
      if (!config) continue;
      return {
        id: trackOf(trak),
        rate: rateOf(trak),
        size: (config.getUint8(avc ? 4 : 21) & 3) + 1,
        hevc: !avc,
      };
    }
  }
  return null;
}

/**
 * found returns the pairs of field 1 in a media segment's pictures, as {dts, time, lasts, pairs}, in the
 * order of decoding; times are in seconds. What makes no sense is passed over.
 */
export function found(segment, format) {
  const all = [];
  for (const s of samples(segment)) {
    if (s.track !== format.id) continue;
    const pairs = [];
    for (const unit of units(s.data, format)) pairs.push(...captionsOf(unit));
    all.push({ dts: s.dts / format.rate, time: s.pts / format.rate, lasts: s.lasts / format.rate, pairs });
  }
  return all;
}

// units yields the SEI units of a picture, without the bytes of their heads.
function* units(data, { size, hevc }) {
  for (let at = 0; at + size < data.byteLength;) {
    let length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + data.getUint8(at + i);
    at += size;
    if (length === 0 || at + length > data.byteLength) return;
    const head = data.getUint8(at);
    if (hevc ? (head >> 1 & 63) === 39 : (head & 31) === 6) yield unescaped(data, at + (hevc ? 2 : 1), at + length);
    at += length;
  }
}

// unescaped leaves out the bytes that keep start codes from appearing (ITU-T H.264, 7.4.1).
function unescaped(data, from, to) {
  const out = [];
  for (let at = from, zeros = 0; at < to; at++) {
    const b = data.getUint8(at);
    if (zeros >= 2 && b === 3) { zeros = 0; continue; }
    zeros = b === 0 ? zeros + 1 : 0;
    out.push(b);
  }
  return out;
}

// What begins caption data: United States, ATSC, GA94, cc_data.
const begins = [0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03];

// captionsOf returns the pairs of field 1 in the messages of an SEI unit, of which there may be several.
function captionsOf(unit) {
  const pairs = [];
  for (let at = 0; at + 2 < unit.length;) {
    let type = 0;
    let size = 0;
    while (unit[at] === 255) { type += 255; at++; }
    type += unit[at++];
    while (unit[at] === 255) { size += 255; at++; }
    size += unit[at++];
    const end = at + size;
    if (!(end <= unit.length)) return pairs;
    if (type === 4 && begins.every((b, i) => unit[at + i] === b)) {
      const flags = unit[at + 8];
      const count = flags & 0x40 ? flags & 31 : 0;
      for (let i = at + 10; i + 3 <= end && i < at + 10 + 3 * count; i += 3) {
        if ((unit[i] & 7) === 4) pairs.push([unit[i + 1], unit[i + 2]]); // valid, and of field 1
      }
    }
    at = end;
  }
  return pairs;
}

/** turns are the pictures with captions whose turn it is, in the order in which they are shown, when others come behind those that wait. */
export function turns(waiting, come) {
  const all = [...waiting, ...come.filter((p) => p.pairs.length && p.lasts > hurried)];
  const upTo = come.at(-1).dts; // nothing is to come that is shown earlier
  return { ready: all.filter((p) => p.time <= upTo).sort((a, b) => a.time - b.time), waiting: all.filter((p) => p.time > upTo).slice(-mostWaiting) };
}

/** Captions finds the captions of one stream. changed gets the lines that are shown from a time on, in seconds. */
export class Captions {
  #format = null;
  #decoder;
  #changed;
  #waiting = []; // pictures that are decoded before, and shown after, others

  constructor(changed) {
    this.#changed = changed;
    this.#decoder = new Line21(changed);
  }

  /** begin takes an initialization segment: of another stream, or of one that goes on otherwise. */
  begin(init) {
    this.#waiting = [];
    this.#decoder = new Line21(this.#changed);
    try {
      this.#format = format(init);
    } catch {
      this.#format = null; // the browser's decoder will say what is wrong
    }
  }

  /** take looks through a media segment. */
  take(segment) {
    if (!this.#format) return;
    let all = [];
    try {
      all = found(segment, this.#format);
    } catch { /* it is cut short */ }
    if (!all.length) return;
    const { ready, waiting } = turns(this.#waiting, all);
    this.#waiting = waiting;
    for (const { time, pairs } of ready) for (const [a, b] of pairs) this.#decoder.pair(time, a, b);
  }
}

/** Where the browser keeps whether captions are shown: 'on' or 'off'. */
const key = 'relay.captions';

/** Shown puts captions on a video element. changed is called when there are some for the first time, and when they are switched. */
export class Shown {
  /** there says that the stream has captions. */
  there = false;
  on = false;
  #track = null;
  #video;
  #changed;
  #cue = null; // the newest

  constructor(video, changed) {
    this.#video = video;
    this.#changed = changed;
    try {
      this.on = localStorage.getItem(key) === 'on';
    } catch { /* it keeps nothing */ }
  }

  /** show puts lines on the picture from a time on, until others come. */
  show(time, lines) {
    if (this.#cue && this.#cue.endTime > time) this.#cue.endTime = Math.max(time, this.#cue.startTime);
    this.#cue = null;
    if (!lines.length) return;
    this.#track ??= this.#video.addTextTrack('captions');
    const all = [...this.#track.cues ?? []];
    for (const old of all.filter((c, i) => c.endTime < time - kept || i <= all.length - mostCues)) this.#track.removeCue(old);
    this.#cue = new VTTCue(time, time + longest, marked(lines));
    this.#cue.line = lineOf(lines.length, this.#video.clientHeight);
    this.#track.addCue(this.#cue);
    this.there = true;
    this.#switch();
    this.#changed();
  }

  /** clear takes all captions away: another stream is coming, on a timeline of its own. */
  clear() {
    for (const cue of [...this.#track?.cues ?? []]) this.#track.removeCue(cue);
    this.#cue = null;
    this.there = false;
  }

  toggle() {
    this.on = !this.on;
    try {
      localStorage.setItem(key, this.on ? 'on' : 'off');
    } catch { /* it is asked again next time */ }
    this.#switch();
    this.#changed();
  }

  #switch() {
    if (this.#track) this.#track.mode = this.on ? 'showing' : 'hidden';
  }
}

/** marked writes lines for a text track, which knows markup of its own. */
export const marked = (lines) => lines.join('\n').replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** The controls' height in CSS pixels, and that of a line as a part of the picture's, as in style.css. */
const controls = 58;
const line = 0.07;

/** lineOf says at which line from the bottom so many lines of text begin, to end above the controls. */
export const lineOf = (lines, height) => -lines - (height > 0 ? Math.min(7, Math.ceil(controls / (line * height))) : 2);
