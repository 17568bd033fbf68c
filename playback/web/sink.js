// One MediaSource with one SourceBuffer on a video element. It appends what it is given in
// order, removes what was played, and reports a failure once.

/** So many seconds stay buffered behind the picture, and are trimmed at twice that. */
const keepBehind = 10;
/** What waits for the SourceBuffer at most, in bytes, before append makes the caller wait. */
const maxQueued = 4 << 20;

/** The class to use, null where there is none. iPhones have the managed one alone. */
export const Source = globalThis.MediaSource ?? globalThis.ManagedMediaSource ?? null;

export const decodes = (type) => Source !== null && Source.isTypeSupported(type);

export class Sink {
  /** type is what the SourceBuffer takes now. */
  type;
  #video;
  #source = new Source();
  #buffer = null;
  #queue = []; // {bytes} or {type}
  #queued = 0; // bytes
  #room = []; // resolvers of append
  #closed = false;
  #url;
  #appended;
  #failed;
  #place;

  /** appended is called whenever more is buffered; failed once, with an Error, when the sink is of no more use; place tells where what is seen is, in seconds. */
  constructor(video, type, { appended, failed, place }) {
    this.type = type;
    this.#video = video;
    this.#appended = appended;
    this.#failed = failed;
    this.#place = place;
    this.#source.addEventListener('sourceopen', () => this.#open(), { once: true });
    if (Source === globalThis.ManagedMediaSource) video.disableRemotePlayback = true; // else it does not open
    video.addEventListener('error', this.#broken);
    this.#url = URL.createObjectURL(this.#source);
    video.src = this.#url;
  }

  /** append queues a segment. Its promise holds the caller back while too much waits. */
  append(bytes) {
    this.#put({ bytes }, bytes.length);
    if (this.#queued <= maxQueued) return undefined;
    return new Promise((resolve) => { this.#room.push(resolve); });
  }

  /** canChange reports whether change works in this browser. */
  get canChange() { return this.#buffer !== null && 'changeType' in this.#buffer; }

  /** change says that from the next segment on the media is of another type. */
  change(type) {
    if (type === this.type) return;
    this.type = type;
    this.#put({ type }, 0);
  }

  /** ranges returns what is buffered as [start, end] in seconds. */
  ranges() {
    const all = [];
    if (this.#buffer && !this.#closed) {
      try {
        const b = this.#buffer.buffered;
        for (let i = 0; i < b.length; i++) all.push([b.start(i), b.end(i)]);
      } catch { /* the browser has taken the buffer away; the error event follows */ }
    }
    return all;
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#video.removeEventListener('error', this.#broken);
    this.#buffer?.removeEventListener('updateend', this.#updated);
    this.#buffer?.removeEventListener('error', this.#broken);
    this.#queue = [];
    this.#queued = 0;
    this.#release();
    URL.revokeObjectURL(this.#url);
  }

  #put(item, size) {
    if (this.#closed) return;
    this.#queue.push(item);
    this.#queued += size;
    this.#pump();
  }

  #open() {
    if (this.#closed) return;
    try {
      this.#buffer = this.#source.addSourceBuffer(this.type);
    } catch (err) {
      this.#fail(err);
      return;
    }
    this.#source.duration = Infinity; // live: the decoder need not look ahead
    this.#buffer.addEventListener('updateend', this.#updated);
    this.#buffer.addEventListener('error', this.#broken);
    this.#pump();
  }

  #updated = () => {
    this.#pump();
    this.#appended();
  };

  // pump appends to the SourceBuffer what comes next, all that waits in one append:
  // a slow browser then catches up instead of falling behind by its overhead.
  #pump = () => {
    if (this.#closed || !this.#buffer || this.#buffer.updating) return;
    try {
      if (this.#trim()) return;
      if (this.#queue[0]?.type) this.#buffer.changeType(this.#queue.shift().type);
      let n = 0;
      while (n < this.#queue.length && !this.#queue[n].type) n++;
      if (n === 0) return;
      const parts = this.#queue.slice(0, n).map((item) => item.bytes);
      this.#buffer.appendBuffer(join(parts));
      this.#queue.splice(0, n);
      this.#queued -= parts.reduce((sum, p) => sum + p.length, 0);
      if (this.#queued <= maxQueued) this.#release();
    } catch (err) {
      if (err.name === 'QuotaExceededError' && this.#evict()) return; // goes on at updateend
      this.#fail(err);
    }
  };

  // trim removes what was played, and reports whether it is doing so.
  #trim() {
    const start = this.ranges()[0]?.[0];
    const end = this.#place() - keepBehind;
    if (start === undefined || start > end - keepBehind) return false;
    this.#buffer.remove(0, end);
    return true;
  }

  // evict makes room at any price: everything but the second before the picture.
  #evict() {
    const start = this.ranges()[0]?.[0];
    const end = this.#place() - 1;
    if (start === undefined || start >= end) return false;
    this.#buffer.remove(0, end);
    return true;
  }

  #release() {
    for (const resolve of this.#room.splice(0)) resolve();
  }

  #broken = () => this.#fail(new Error(this.#video.error?.message || 'the browser could not decode the stream'));

  #fail(err) {
    if (this.#closed) return;
    this.close();
    this.#failed(err);
  }
}

function join(parts) {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}
