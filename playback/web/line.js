// Sound that waits for its turn, as samples between -1 and 1, a Float32Array for each channel. Times are in
// seconds of the stream's clock. It has no clock: who plays it says what time it should be.

/** It is played so much faster or slower at most, to be in time: a tone's height changes by a sixth of a semitone. */
const bend = 0.01;
/** So far off it jumps. */
const jump = 0.08;
/** Behind a jump and a hole it gets louder over so many samples, or it would crackle. */
const fade = 96;
/** Times of what follows may be wrong by so much. */
const rounded = 0.002;
/** So many seconds wait at most. */
const mostWaiting = 2;

export class Line {
  #rate;
  #blocks = []; // {at, planes}
  #place = 0; // the next sample's in the first block, with a fraction
  #faded = 0; // samples since the last hole

  /** rate is the samples in a second. */
  constructor(rate) { this.#rate = rate; }

  /** push adds what follows. */
  push(at, planes) {
    if (!planes[0]?.length) return;
    this.#blocks.push({ at, planes });
    while (this.#blocks.length > 1 && at - this.#blocks[0].at > mostWaiting) this.#next();
  }

  /** at is the time of the next sample, null if there is none. */
  get at() {
    const first = this.#blocks[0];
    return first ? first.at + this.#place / this.#rate : null;
  }

  /** pull fills planes with what belongs to a time, and returns how many samples were there; the others are 0. */
  pull(planes, time) {
    const n = planes[0].length;
    for (const p of planes) p.fill(0);
    const within = this.#faded > 0 ? jump : n / this.#rate; // what begins does so in time
    // What is too late is passed over.
    if (this.at !== null && time - this.at > within) {
      while (this.#blocks.length > 1 && this.#blocks[1].at <= time) this.#next();
      this.#place = Math.max(this.#place, (time - this.#blocks[0].at) * this.#rate);
      this.#faded = 0;
    }
    if (this.at === null || this.at - time > within) { // or too early
      this.#faded = 0;
      return 0;
    }
    const pace = 1 + Math.max(-bend, Math.min(bend, (time - this.at) / 2));
    const exact = Math.abs(time - this.at) < rounded;
    for (let i = 0; i < n; i++) {
      if (!this.#there()) {
        this.#faded = 0;
        return i;
      }
      this.#sample(planes, i);
      this.#place += exact ? 1 : pace;
    }
    return n;
  }

  // there goes on to the block that has the next sample, and reports whether that follows without a hole.
  #there() {
    while (this.#blocks.length && this.#place >= this.#blocks[0].planes[0].length) {
      const left = this.#place - this.#blocks[0].planes[0].length;
      const { at, planes } = this.#blocks[0];
      const end = at + planes[0].length / this.#rate;
      this.#next();
      if (!this.#blocks.length || Math.abs(this.#blocks[0].at - end) > rounded) return false;
      this.#place = left;
    }
    return this.#blocks.length > 0;
  }

  #sample(planes, i) {
    const { planes: from } = this.#blocks[0];
    const whole = Math.floor(this.#place);
    const part = this.#place - whole;
    const loud = Math.min(1, ++this.#faded / fade);
    for (let c = 0; c < planes.length; c++) {
      const plane = from[Math.min(c, from.length - 1)];
      const a = plane[whole];
      const b = part ? plane[whole + 1] ?? this.#blocks[1]?.planes[Math.min(c, from.length - 1)]?.[0] ?? a : a;
      planes[c][i] = loud * (a + (b - a) * part);
    }
  }

  #next() {
    this.#blocks.shift();
    this.#place = 0;
  }
}
