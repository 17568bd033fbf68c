// Cuts a live fragmented MP4 into the pieces that a SourceBuffer takes, and reads from
// its initialization segment which decoders it needs. ISO/IEC 14496-12 and -15.

// The largest box that is waited for, in bytes: many times a 4K key frame. A larger one is
// not from a relay, and would only fill the memory.
export const maxBox = 32 << 20;

const boxHead = 8; // bytes: a size and a type

/**
 * Splitter takes a stream's bytes as they come and gives back whole segments:
 * {init: true} for ftyp+moov, {init: false} for moof+mdat with whatever stands before it.
 */
export class Splitter {
  #buf = new Uint8Array(64 << 10);
  #len = 0; // bytes of #buf that are filled
  #at = 0; // where the first incomplete box begins
  #from = 0; // where the incomplete segment begins

  /** push adds bytes and returns the segments that they complete. It throws on a box that cannot be. */
  push(bytes) {
    this.#reserve(bytes.length);
    this.#buf.set(bytes, this.#len);
    this.#len += bytes.length;
    const segments = [];
    for (;;) {
      const box = this.#box();
      if (!box || this.#len < this.#at + box.size) break;
      this.#at += box.size;
      if (box.type === 'moov' || box.type === 'mdat') {
        segments.push({ init: box.type === 'moov', bytes: this.#buf.slice(this.#from, this.#at) });
        this.#from = this.#at;
      }
    }
    return segments;
  }

  #box() {
    const left = this.#len - this.#at;
    if (left < boxHead) return null;
    const view = new DataView(this.#buf.buffer, this.#at, left);
    let size = view.getUint32(0);
    if (size === 1) {
      if (left < 2 * boxHead) return null;
      size = view.getUint32(8) * 2 ** 32 + view.getUint32(12);
    }
    if (size < boxHead || this.#at - this.#from + size > maxBox) throw new Error(`a box of ${size} bytes`);
    return { size, type: typeAt(view, 4) };
  }

  // reserve makes room for n more bytes, first by forgetting what was given out.
  #reserve(n) {
    if (this.#from > 0) {
      this.#buf.copyWithin(0, this.#from, this.#len);
      this.#len -= this.#from;
      this.#at -= this.#from;
      this.#from = 0;
    }
    if (this.#len + n > this.#buf.length) {
      const more = new Uint8Array(Math.max(2 * this.#buf.length, this.#len + n));
      more.set(this.#buf.subarray(0, this.#len));
      this.#buf = more;
    }
  }
}

/**
 * describe reads an initialization segment: its type for addSourceBuffer, and its tracks
 * as {kind: 'video' | 'audio', codec: 'avc1.64001f', name: 'H.264', width, height}.
 */
export function describe(init) {
  const tracks = [];
  for (const stsd of inside(view(init), 'moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd')) {
    const track = entry(sub(stsd, 8)); // behind version, flags and the count
    if (track) tracks.push(track);
  }
  const codecs = tracks.map((t) => t.codec).join(',');
  const kind = tracks.some((t) => t.kind === 'video') ? 'video' : 'audio';
  return { type: `${kind}/mp4; codecs="${codecs}"`, tracks };
}

const hex = (n, digits = 2) => n.toString(16).padStart(digits, '0');
const decimal = (n) => String(n).padStart(2, '0');

function typeAt(view, at) {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

/** view is all of some bytes. */
export const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** sub is a part of a view. */
export function sub(view, from, to = view.byteLength) {
  return new DataView(view.buffer, view.byteOffset + from, to - from);
}

/** boxes yields the contents of the boxes in view that have the type. It stops at a box that does not fit. */
export function* boxes(view, type) {
  for (let at = 0; at + boxHead <= view.byteLength;) {
    const size = view.getUint32(at);
    if (size < boxHead || at + size > view.byteLength) return;
    if (typeAt(view, at + 4) === type) yield sub(view, at + boxHead, at + size);
    at += size;
  }
}

/** inside yields the contents of the boxes of the last type, in those of the types before it. */
export function* inside(view, type, ...deeper) {
  for (const box of boxes(view, type)) {
    if (deeper.length) yield* inside(box, ...deeper);
    else yield box;
  }
}

/** first is the contents of the first box of a type, undefined if there is none. */
export const first = (view, type) => boxes(view, type).next().value;

// Bytes of a sample entry before the boxes in it.
const visualEntry = 78;
const soundEntry = 28;

/** entry describes the first sample entry of view, null if it is neither picture nor sound. */
export function entry(view) {
  if (view.byteLength < boxHead) return null;
  const type = typeAt(view, 4);
  const body = sub(view, boxHead, Math.min(view.getUint32(0), view.byteLength));
  const visual = { avc1: h264, avc3: h264, hvc1: hevc, hev1: hevc, av01: av1, vp09: vp9, vp08: () => 'vp8' }[type];
  if (visual) {
    return {
      kind: 'video',
      codec: visual(type, sub(body, visualEntry)),
      name: { a: type === 'av01' ? 'AV1' : 'H.264', h: 'HEVC', v: type === 'vp08' ? 'VP8' : 'VP9' }[type[0]],
      width: body.getUint16(24),
      height: body.getUint16(26),
    };
  }
  const sound = { mp4a: mpeg, Opus: () => ['opus', 'Opus'], fLaC: () => ['flac', 'FLAC'], 'ac-3': () => ['ac-3', 'AC-3'], 'ec-3': () => ['ec-3', 'E-AC-3'], '.mp3': () => ['mp3', 'MP3'] }[type];
  if (sound) {
    const [codec, name] = sound(sub(body, soundEntry));
    return { kind: 'audio', codec, name };
  }
  return null;
}

function h264(type, view) {
  const c = first(view, 'avcC');
  return c ? `${type}.${hex(c.getUint8(1))}${hex(c.getUint8(2))}${hex(c.getUint8(3))}` : type;
}

// The form of ISO/IEC 14496-15, annex E.3.
function hevc(type, view) {
  const c = first(view, 'hvcC');
  if (!c) return type;
  const b = c.getUint8(1);
  let flags = 0; // the compatibility flags, in reverse
  for (let i = 0, f = c.getUint32(2); i < 32; i++, f >>>= 1) flags = (flags << 1 | f & 1) >>> 0;
  const limits = [];
  for (let i = 6; i < 12; i++) limits.push(c.getUint8(i));
  while (limits.length && limits.at(-1) === 0) limits.pop();
  return [
    type,
    ['', 'A', 'B', 'C'][b >> 6] + (b & 31),
    flags.toString(16),
    (b & 32 ? 'H' : 'L') + c.getUint8(12),
    ...limits.map((l) => l.toString(16)),
  ].join('.');
}

function av1(type, view) {
  const c = first(view, 'av1C');
  if (!c) return type;
  const b = c.getUint8(1);
  const d = c.getUint8(2);
  const depth = d & 64 ? (d & 32 ? 12 : 10) : 8;
  return `${type}.${b >> 5}.${decimal(b & 31)}${d & 128 ? 'H' : 'M'}.${decimal(depth)}`;
}

function vp9(type, view) {
  const c = first(view, 'vpcC');
  return c ? `${type}.${decimal(c.getUint8(4))}.${decimal(c.getUint8(5))}.${decimal(c.getUint8(6) >> 4)}` : type;
}

function mpeg(view) {
  const d = first(view, 'esds');
  const { object, specific } = d ? esds(d) : {};
  if (object === 0x69 || object === 0x6b) return [`mp4a.${hex(object)}`, 'MP3'];
  if (object !== undefined && object !== 0x40) return [`mp4a.${hex(object)}`, 'sound'];
  if (!specific?.byteLength) return ['mp4a.40.2', 'AAC'];
  let audio = specific.getUint8(0) >> 3;
  if (audio === 31) audio = 32 + ((specific.getUint8(0) & 7) << 3 | specific.getUint8(1) >> 5);
  return [`mp4a.40.${audio}`, 'AAC'];
}

/**
 * esds reads the descriptors of ISO/IEC 14496-1 that say which MPEG sound it is: {object, specific}, the object
 * type and what sets a decoder up (a DataView), each undefined if it is not there.
 */
export function esds(d) {
  let at = 4; // behind version and flags
  let size = 0;
  const open = () => { // goes into a descriptor and returns its tag
    const tag = d.getUint8(at++);
    let b = 128;
    for (size = 0; b & 128;) {
      b = d.getUint8(at++);
      size = size << 7 | b & 127;
    }
    return tag;
  };
  if (open() !== 3) return {};
  const flags = d.getUint8(at + 2);
  at += 3 + (flags & 128 ? 2 : 0) + (flags & 32 ? 2 : 0);
  open();
  const object = d.getUint8(at);
  at += 13;
  if (object !== 0x40 || at + 3 > d.byteLength || open() !== 5) return { object };
  return { object, specific: sub(d, at, Math.min(at + size, d.byteLength)) };
}
