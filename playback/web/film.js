// What is decided of pictures and sound before they are sent. Nothing here touches the browser.

/** Kinds of records, as ingest/browser has them. */
export const kinds = { pictureConfig: 1, keyPicture: 2, picture: 3, soundConfig: 4, sound: 5 };

/** How the broadcast ends, by the code of the WebSocket's close frame. */
export const endings = { 4001: 'denied', 4002: 'busy', 4003: 'malformed', 1009: 'malformed', 4004: 'ended', 4005: 'unsupported' };

/** keyEvery is how far apart key pictures are, in µs. */
export const keyEvery = 2_000_000;

const recordHead = 9;

/** record frames what an encoder gives: at is when it was filmed, in µs. */
export function record(kind, at, data) {
  const b = new Uint8Array(recordHead + data.byteLength);
  const head = new DataView(b.buffer);
  head.setUint8(0, kind);
  head.setBigInt64(1, BigInt(Math.round(at)));
  b.set(ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data), recordHead);
  return b;
}

/** What a broadcast may be: lines of the picture, pictures a second, and bits a second. */
export const qualities = {
  low: { height: 480, rate: 30, bits: 1_000_000 },
  medium: { height: 720, rate: 30, bits: 2_500_000 },
  high: { height: 1080, rate: 30, bits: 5_000_000 },
  smooth: { height: 1080, rate: 60, bits: 8_000_000 },
};

/** soundBits is the bit rate of the sound. */
export const soundBits = 128_000;

/**
 * frame is the size at which a picture is sent: as filmed, and no higher than the quality has it, in even numbers, as
 * H.264 with colour at half the resolution needs them.
 */
export function frame({ width, height }, { height: most }) {
  // A phone upright films upright: the shorter side counts.
  const scale = Math.min(1, most / Math.min(width, height));
  const even = (n) => Math.max(2, 2 * Math.round(n * scale / 2));
  return { width: even(width), height: even(height) };
}

/**
 * codecs are the names of H.264 that are tried for such a picture, the best first: High, Main and Constrained Baseline at
 * the least level that has it (ITU-T H.264, table A-1: macroblocks a second, and in a picture).
 */
export function codecs({ width, height }, rate) {
  const levels = [[0x1f, 108_000, 3600], [0x28, 245_760, 8192], [0x2a, 522_240, 8704], [0x33, 983_040, 36_864], [0x34, 2_073_600, 36_864]];
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const [level] = levels.find(([, second, picture]) => blocks * rate <= second && blocks <= picture) ?? levels.at(-1);
  return ['avc1.6400', 'avc1.4d00', 'avc1.42e0'].map((profile) => profile + level.toString(16));
}

/**
 * preferred are those of a browser's codecs for calls that go out, the best first: H.264, which all players know, as the
 * browser has them, cut into packets (mode 1); then those that fewer know. Without VP8, which has no place in the stream.
 */
export function preferred(all) {
  const ranks = { 'video/h264': 0, 'video/vp9': 1, 'video/av1': 2, 'audio/opus': 0 };
  const rank = ({ mimeType }) => ranks[mimeType.toLowerCase()];
  const fits = (c) => rank(c) !== undefined && (rank(c) > 0 || !/h264/i.test(c.mimeType) || /packetization-mode=1/.test(c.sdpFmtpLine ?? ''));
  return all.filter(fits).sort((a, b) => rank(a) - rank(b));
}

/** shrink is by what a call makes a picture smaller that is larger than the quality has it. */
export const shrink = ({ width, height }, { height: most }) => (width && height ? Math.max(1, Math.min(width, height) / most) : 1);

/**
 * Clock gives pictures and sound one origin. Browsers stamp each by a clock of its own, so it goes by when the first of
 * them came: what comes sooner after its stamp than all before shows how late those were, and sets the clock forward,
 * for the first seconds. After that it is set anew only when stamps jump, as with another device.
 */
export class Clock {
  #ahead = null; // of the browser's clock against the stamps, in µs
  #until = 0; // it is set
  #last = -Infinity; // the newest time that was given
  static settling = 3_000_000; // µs
  static jump = 500_000; // µs

  /** at returns the time of a stamp, both in µs, that came now. Times only grow. */
  at(stamp, now) {
    const ahead = now - stamp;
    if (this.#ahead === null || Math.abs(ahead - this.#ahead) > Clock.jump) {
      this.#ahead = ahead;
      this.#until = now + Clock.settling;
    } else if (now < this.#until) {
      this.#ahead = Math.min(this.#ahead, ahead);
    }
    this.#last = Math.max(this.#last + 1, stamp + this.#ahead);
    return this.#last;
  }
}

/**
 * Samples tells when encoded sound was filmed. An encoder's stamps run on from the first that it was given, which in
 * Chromium may be of another clock than all that follow; so samples are counted.
 */
export class Samples {
  #rate;
  #taken = 0;
  #given = 0;
  #ahead = 0; // of the page's clock against the count, in µs

  /** rate is in Hz. */
  constructor(rate) { this.#rate = rate; }

  /** take notes how many samples the encoder gets, the first of them filmed at a time in µs. */
  take(samples, at) {
    this.#ahead = at - this.#taken * 1e6 / this.#rate;
    this.#taken += samples;
  }

  /** give returns when the next samples were filmed that the encoder gives, of so many µs by its own, rounded, account. */
  give(duration) {
    const at = this.#given * 1e6 / this.#rate + this.#ahead;
    this.#given += Math.round(duration * this.#rate / 1e6);
    return at;
  }
}

/** Rate counts bytes over the last seconds. */
export class Rate {
  #sent = []; // [when in ms, bytes]
  static window = 3000; // ms

  add(bytes, now) { this.#sent.push([now, bytes]); }

  /** bits returns the bits a second at a time. */
  bits(now) {
    this.#sent = this.#sent.filter(([at]) => at > now - Rate.window);
    return this.#sent.reduce((sum, [, bytes]) => sum + bytes, 0) * 8 / (Rate.window / 1000);
  }
}
