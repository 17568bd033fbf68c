// Takes the samples out of fragmented MP4, as a relay writes it: what decoders are given one by one,
// and how they are set up. ISO/IEC 14496-12 and -15.

import { boxes, entry, esds, first, inside, sub, view } from './mp4.js';

/** trackOf and rateOf are a track's ID, and its units of time in a second. */
export const trackOf = (trak) => full(first(trak, 'tkhd'));
export const rateOf = (trak) => full(first(first(trak, 'mdia'), 'mdhd'));

// full reads what stands behind the two times of a box whose version says how long they are.
const full = (box) => box.getUint32(box.getUint8(0) === 1 ? 20 : 12);

/**
 * setups reads from an initialization segment how to set decoders up, for each track:
 * {track, kind, rate, config}; rate is its units of time in a second, config of WebCodecs'
 * registry, null if that knows no such codec.
 */
export function setups(init) {
  const all = [];
  for (const trak of inside(view(init), 'moov', 'trak')) {
    for (const stsd of inside(trak, 'mdia', 'minf', 'stbl', 'stsd')) {
      const of = sub(stsd, 8); // behind version, flags and the count
      const is = entry(of);
      if (is) all.push({ track: trackOf(trak), kind: is.kind, rate: rateOf(trak), config: configOf(is, sub(of, 8)) });
    }
  }
  return all;
}

// Bytes of a sample entry before the boxes in it.
const visualEntry = 78;
const soundEntry = 28;

function configOf({ kind, codec }, body) {
  if (kind === 'video') {
    const inner = sub(body, visualEntry);
    // What is in the samples themselves (avc3, hev1) may be here as well.
    const own = first(inner, 'avcC') ?? first(inner, 'hvcC');
    return { codec, optimizeForLatency: true, ...own && { description: bytesOf(own) } };
  }
  const config = { codec, numberOfChannels: body.getUint16(16), sampleRate: body.getUint32(24) >>> 16 };
  if (codec === 'opus') return { ...config, sampleRate: 48000 };
  if (/^mp4a\.6[9b]$/.test(codec)) return { ...config, codec: 'mp3' };
  const described = first(sub(body, soundEntry), 'esds');
  const { specific } = described ? esds(described) : {};
  return codec.startsWith('mp4a.40.') && specific ? { ...config, description: bytesOf(specific) } : null;
}

const bytesOf = (v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength).slice();

/**
 * samples yields the samples of a media segment, in the order of decoding, as {track, dts, pts, lasts, key, data}:
 * times are in the track's units, key says that it needs none before it, data is a DataView of the segment.
 * It throws where the segment is cut short.
 */
export function* samples(segment) {
  const root = view(segment);
  const base = moofAt(root);
  for (const traf of inside(root, 'moof', 'traf')) {
    const tfhd = first(traf, 'tfhd');
    const tfdt = first(traf, 'tfdt');
    const track = tfhd.getUint32(4);
    let dts = tfdt.getUint8(0) === 1 ? tfdt.getUint32(4) * 2 ** 32 + tfdt.getUint32(8) : tfdt.getUint32(4);
    const each = defaults(tfhd);
    for (const trun of boxes(traf, 'trun')) {
      for (const { duration, size, flags, offset, from } of runs(trun, each, base)) {
        yield { track, dts, pts: dts + offset, lasts: duration, key: !(flags & depends), data: sub(root, from, from + size) };
        dts += duration;
      }
    }
  }
}

/** The flag of a sample that is no sync sample. */
const depends = 0x10000;

// runs yields what a run says of each sample; what it does not say is as in each.
function* runs(trun, each, base) {
  const has = trun.getUint32(0) & 0xffffff;
  const signed = trun.getUint8(0) > 0;
  const count = trun.getUint32(4);
  let at = 8;
  const next = (flag, otherwise) => {
    if (!(has & flag)) return otherwise;
    at += 4;
    return trun.getUint32(at - 4);
  };
  let from = base + (next(1, 0) | 0);
  const leading = next(4, each.flags);
  for (let i = 0; i < count; i++) {
    const duration = next(0x100, each.duration);
    const size = next(0x200, each.size);
    const flags = next(0x400, i === 0 ? leading : each.flags);
    const offset = next(0x800, 0);
    yield { duration, size, flags, offset: signed ? offset | 0 : offset, from };
    from += size;
  }
}

function defaults(tfhd) {
  const has = tfhd.getUint32(0) & 0xffffff;
  let at = 8 + (has & 1 ? 8 : 0) + (has & 2 ? 4 : 0);
  const next = (flag) => {
    if (!(has & flag)) return 0;
    at += 4;
    return tfhd.getUint32(at - 4);
  };
  return { duration: next(8), size: next(16), flags: next(32) };
}

function moofAt(root) {
  for (let at = 0; at + 8 <= root.byteLength; at += root.getUint32(at)) {
    if (root.getUint32(at + 4) === 0x6d6f6f66) return at;
    if (root.getUint32(at) < 8) break;
  }
  return 0;
}
