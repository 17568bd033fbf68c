// Says when pictures and sound are due that are played as they come: as early as the latest of them
// come in time. All times are in seconds: at on the stream's clock, now on the page's. It has no clock.

/** So far back it looks for the latest. */
const looks = 10;
/** Without anything for so long, what comes then is looked at anew: a source has paused, or begun again. */
const pause = 1;
/** What a screen and timers need beyond that. */
const margin = 0.015;
/** It gets nearer by so much in a second: unseen, and unheard. */
const sinkUnseen = 0.05;
const sinkUnheard = 0.01;

export class Beat {
  /** delay is how much later than its time on the stream's clock all is due on the page's. */
  delay = -Infinity;
  #kinds = new Map(); // 'video' or 'audio' → {since, last, seconds: [{from, least, most}]}
  #toldAt = 0;

  /** came says that a picture or sound of a time was there, to be played. */
  came(kind, at, now) {
    const late = now - at;
    let of = this.#kinds.get(kind);
    if (!of || now - of.last > pause || Math.abs(late - of.seconds.at(-1).most) > pause) {
      of = { since: now, last: now, seconds: [] };
      this.#kinds.set(kind, of);
    }
    of.last = now;
    const newest = of.seconds.at(-1);
    if (newest && now - newest.from < 1) {
      newest.least = Math.min(newest.least, late);
      newest.most = Math.max(newest.most, late);
      return;
    }
    of.seconds.push({ from: now, least: late, most: late });
    while (now - of.seconds[0].from > looks) of.seconds.shift();
  }

  /** begin forgets what was due, and starts with a delay, from where it gets nearer. */
  begin(delay, now) {
    this.delay = delay;
    this.#toldAt = now;
  }

  /** told brings the delay up to date, for what is seen, or seen and heard. */
  told(now, kinds) {
    const sink = kinds.includes('audio') ? sinkUnheard : sinkUnseen;
    const sunk = this.delay - sink * Math.min(1, now - this.#toldAt);
    this.#toldAt = now;
    const latest = Math.max(...kinds.map((kind) => Math.max(...this.#seconds(kind).map((s) => s.most)))) + margin;
    // After a break in the stream's clock what was due says nothing.
    this.delay = Math.abs(latest - this.delay) > pause ? latest : Math.max(latest, sunk);
    return this.delay;
  }

  /** unrest is by how much the latest came later than the earliest, in all that it remembers of them; infinite before any has come. */
  unrest(kinds) {
    return Math.max(...kinds.map((kind) => {
      const seconds = this.#seconds(kind);
      if (!seconds.length) return Infinity;
      return Math.max(...seconds.map((s) => s.most)) - Math.min(...seconds.map((s) => s.least));
    }));
  }

  /** seen is for how many seconds each of them has come without a pause. */
  seen(now, kinds) {
    return Math.min(...kinds.map((kind) => now - (this.#kinds.get(kind)?.since ?? now)));
  }

  #seconds(kind) { return this.#kinds.get(kind)?.seconds ?? []; }
}
