// Decodes pictures as they come, and paints each when it is due.

/** So many decoded pictures wait at most: some decoders have no more, and the others wait undecoded. */
const mostWaiting = 8;
/** So many wait undecoded, before it is taken to be too slow. */
const mostUndecoded = 120;

export class Picture {
  /** at is the time of what is shown, in seconds, null before there is anything. */
  at = null;
  #pen;
  #came;
  #failed;
  #decoder;
  #undecoded = []; // {at, key, data}
  #waiting = []; // VideoFrames, in the order of their times

  /**
   * It paints on canvas. config sets the decoder up; came is called with the time of each picture that is there, in
   * seconds; failed once, if there will be none.
   */
  constructor(config, canvas, { came, failed }) {
    this.#pen = canvas.getContext('2d', { alpha: false });
    this.#came = came;
    this.#failed = failed;
    this.#decoder = new VideoDecoder({ output: (frame) => this.#decoded(frame), error: (err) => this.#fail(err) });
    this.#decoder.configure(config);
  }

  /** decode takes a sample of a time, in seconds. The first has to be a key frame. */
  decode(at, key, data) {
    if (this.#decoder.state === 'closed') return;
    this.#undecoded.push({ at, key, data });
    this.#feed();
    if (this.#undecoded.length + this.#decoder.decodeQueueSize > mostUndecoded) this.#fail(new Error('this machine is too slow'));
  }

  /** paint shows what is due at a time, in seconds, and reports whether that is something else than before. */
  paint(time) {
    let due = null;
    while (this.#waiting.length && this.#waiting[0].timestamp / 1e6 <= time) {
      due?.close();
      due = this.#waiting.shift();
    }
    if (due && this.at !== null && due.timestamp / 1e6 <= this.at) { // it came out too late
      due.close();
      due = null;
    }
    if (!due) return false;
    const { canvas } = this.#pen;
    if (canvas.width !== due.displayWidth || canvas.height !== due.displayHeight) {
      [canvas.width, canvas.height] = [due.displayWidth, due.displayHeight];
    }
    this.#pen.drawImage(due, 0, 0, canvas.width, canvas.height);
    this.at = due.timestamp / 1e6;
    due.close();
    this.#feed();
    return true;
  }

  close() {
    for (const frame of this.#waiting.splice(0)) frame.close();
    this.#undecoded = [];
    if (this.#decoder.state !== 'closed') this.#decoder.close();
  }

  #feed() {
    while (this.#undecoded.length && this.#waiting.length + this.#decoder.decodeQueueSize < mostWaiting) {
      const { at, key, data } = this.#undecoded.shift();
      this.#decoder.decode(new EncodedVideoChunk({ type: key ? 'key' : 'delta', timestamp: Math.round(at * 1e6), data }));
    }
  }

  #decoded(frame) {
    this.#came(frame.timestamp / 1e6);
    if (document.visibilityState === 'hidden') { // nothing is painted there
      frame.close();
    } else {
      this.#waiting.push(frame);
      this.#waiting.sort((a, b) => a.timestamp - b.timestamp);
      while (this.#waiting.length > 2 * mostWaiting) this.#waiting.shift().close();
    }
    this.#feed();
  }

  #fail(err) {
    if (this.#decoder.state === 'closed' && !this.#failed) return;
    const failed = this.#failed;
    this.#failed = null;
    this.close();
    failed?.(err);
  }
}
