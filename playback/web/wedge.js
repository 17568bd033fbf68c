// Tells when a stream comes and comes, and yet there is no more to play. All times are in
// milliseconds. It has no clock: the caller says what time it is.

/**
 * Media that comes for so long without anything more to play: something in it has thrown the
 * browser's parser off, or a key frame is missing and the next is far away.
 */
export const wedgedAfter = 4000;
/** What counts at most between two pieces of media: in a pause nothing comes. */
const mostBetween = 1000;

export class Wedge {
  #cameAt = null;
  #barren = 0; // for so long media has come for nothing

  /** came says that media has come. */
  came(now) {
    if (this.#cameAt !== null) this.#barren += Math.min(now - this.#cameAt, mostBetween);
    this.#cameAt = now;
  }

  /** grew says that there is more to play. */
  grew() { this.#barren = 0; }

  get wedged() { return this.#barren > wedgedAfter; }
}
