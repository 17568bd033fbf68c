// Decides how a live picture keeps up: by playing a little faster when it is somewhat
// behind, by a jump when it is far behind, and a little slower when it is so close that
// the next hiccup would stop it. All times are in
// seconds. It has no clock and no player: the caller says what time it is.

/** How much is kept buffered where nothing ever stalls: a few frames and Wi-Fi's hiccups. */
export const leastAhead = 0.2;
/** The most that stalls can raise it to. */
const mostAhead = 1.5;
/** What each stall adds to it, as a factor. */
const raise = 1.4;
/** After so long without a stall it sinks again, by so much in a second. */
const calmAfter = 30;
const sink = 0.01;
/** Playing faster begins so much above the target, and ends at the target. */
const slack = 0.1;
const slowest = 0.05;
const fastest = 0.25;
/** Below this part of the target it plays slower, by so much, until it is back at the target. */
const thin = 0.4;
const slower = 0.04;
/** Nearer than this is as near to live as playing goes, wherever it has stalled before. */
export const liveWithin = mostAhead + 5 * slack;
/** From here on a jump is less of a nuisance than a minute of fast speech. */
const far = 2;

export class Pace {
  target = leastAhead;
  #chasing = false;
  #filling = false;
  #stalledAt = -Infinity;
  #seenAt = -Infinity;

  /** stalled says that playback ran dry at now. */
  stalled(now) {
    // One outage is one stall, however often the player says so.
    if (now - this.#stalledAt > 1) this.target = Math.min(mostAhead, this.target * raise);
    this.#stalledAt = now;
  }

  /** steer returns {rate, jump}: how fast to play with ahead seconds buffered, and how far to jump, 0 for not. */
  steer(ahead, now) {
    if (now - this.#stalledAt > calmAfter && this.target > leastAhead) {
      this.target = Math.max(leastAhead, this.target - sink * Math.min(1, now - this.#seenAt));
    }
    this.#seenAt = now;
    const over = ahead - this.target;
    if (over > Math.max(far, this.target)) {
      this.#chasing = this.#filling = false;
      return { rate: 1, jump: over };
    }
    this.#filling = ahead < thin * this.target || this.#filling && over < 0;
    if (this.#filling) {
      this.#chasing = false;
      return { rate: 1 - slower, jump: 0 };
    }
    this.#chasing = over > slack || this.#chasing && over > 0;
    if (!this.#chasing) return { rate: 1, jump: 0 };
    // In steps of 0.05: each change costs the sound a moment.
    const gain = Math.min(fastest, Math.max(slowest, over / 2));
    return { rate: 1 + Math.round(gain * 20) / 20, jump: 0 };
  }
}

/** Backoff says how long to wait before the next try, in seconds; good begins anew. */
export class Backoff {
  #next;
  constructor(least = 0.25, most = 5) {
    Object.assign(this, { least, most });
    this.#next = least;
  }

  good() { this.#next = this.least; }

  next() {
    const wait = this.#next;
    this.#next = Math.min(this.most, 2 * wait);
    return wait;
  }
}
