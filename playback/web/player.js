// Plays one channel in a video element, at the live end, through whatever happens: it
// fetches /<channel>.mp4, which never ends, and feeds it to a Sink. It tells its
// owner what it is doing as a state; the owner has the words.

import { Captions, Shown } from './captions.js';
import { Splitter, describe } from './mp4.js';
import { Near, able } from './near.js';
import { Backoff, Pace } from './pace.js';
import { stuck } from './place.js';
import { Sink, Source, decodes } from './sink.js';
import { Tabs } from './tabs.js';
import { Wedge } from './wedge.js';
import { together } from './words.js';

/** Without an answer for so long, the request waits for a connection, in ms. */
const queuedAfter = 2000;
/** Without media for so long the stream counts as stalled, in ms. */
const stalledAfter = 1500;
/** A tab that nobody sees or hears keeps its connection for so long, in ms. */
const restAfter = 10000;
/** How often the place in the buffer is looked at, in ms. */
const steerEvery = 100;
/** A node that has no room for a viewer is asked again after so long, in seconds. */
const fullWait = 5;
/** Who jumps about in what is kept has the stream asked for after so long a rest, in ms; the first jump at once. */
const shiftRest = 200;
/** Media that is not enough to begin with begins all the same after so long, in ms. */
const mostHold = 600;

/** afloat reports whether a picture floats over other windows, seen even if its tab is not. */
export const afloat = (video) => document.pictureInPictureElement === video || video.webkitPresentationMode === 'picture-in-picture';

/** When a tab without a place asks again, in seconds. */
const crowdedWait = 2;

class Unsupported extends Error {}
class Crowded extends Error {}

/*
 * The states:
 *   idle         no channel is open
 *   connecting   asked, no answer yet
 *   queued       waits for a connection; others = tabs that hold one, 0 if the node is slow to answer
 *   waiting      connected, no media yet
 *   playing
 *   stalled      connected, but no media comes
 *   tap          the browser wants a tap before it plays
 *   resting      let go of the stream, as nobody sees it; why = 'hidden' | 'paused'
 *   ended        the node closed the stream; it is asked again
 *   gone         the node has no such channel (any more); it is asked again
 *   full         the node has as many viewers as it may; it is asked again
 *   lost         no answer, or a stream that breaks off; it is asked again
 *   unsupported  names = what this browser cannot decode
 *   helpless     this browser has no way to play any of it
 */
export class Player {
  /** tracks that the stream has, as describe tells them. */
  tracks = [];
  state = { name: 'idle' };
  #video;
  #changed;
  #at = null; // {media, hls}: addresses of the channel
  #runs = 0; // the newest run; an older one ends
  #request = null; // AbortController
  #wake = () => {}; // ends the wait before the next try
  #sink = null;
  #pace = new Pace();
  #backoff = new Backoff();
  #begun = false; // the picture has its place at the live end
  #beganAt = 0;
  #firstAt = 0; // when the first media was there to play
  #mediaAt = 0; // when media came last
  #end = 0; // of what is buffered
  #soughtAt = 0; // when the newest seek began
  #wedge = new Wedge();
  #dry = false; // the player ran dry since then
  #restTimer = 0;
  #shiftTimer = 0;
  #shiftedAt = -shiftRest; // when it was asked for another moment, last
  #takes = false; // a stream, or is about to
  #tabs = null; // the others in this browser, where it tells
  paused = false; // by the person
  #from = null; // where in what is kept it is to begin, in ms since 1970 by the source's clock; null for live
  #origin = 0; // when the source made what came first then
  #zero = null; // where in the buffer that is, in seconds; null before it is there
  /** captions that are in the stream. */
  captions;
  #captionsIn;
  #near = null; // what shows it nearer to live than the video element can, where the browser is able to

  constructor(video, changed) {
    this.#video = video;
    this.#changed = changed;
    this.captions = new Shown(video, () => changed(this));
    this.#captionsIn = new Captions((time, lines) => this.captions.show(time, lines));
    if (able) this.#near = new Near(video, { may: () => this.#mayNear(), left: (at) => this.#goOn(at) });
    setInterval(() => this.#steer(), steerEvery);
    document.addEventListener('visibilitychange', () => this.#seen());
    for (const event of ['volumechange', 'enterpictureinpicture', 'leavepictureinpicture', 'webkitpresentationmodechanged']) {
      video.addEventListener(event, () => this.#seen());
    }
    video.addEventListener('waiting', () => { this.#dry = true; });
    video.addEventListener('playing', () => { if (!Source) this.#set({ name: 'playing' }); });
    if ('BroadcastChannel' in globalThis) {
      const kind = () => this.#takes ? this.#unseen() ? 'spare' : 'seen' : '';
      this.#tabs = new Tabs(new BroadcastChannel('relay'), kind, () => { if (this.#unseen()) this.#rest('hidden'); });
    }
  }

  /** open plays another channel, also if that before was paused; null for none. */
  open(at) {
    if (at?.media === this.#at?.media) return;
    this.#at = at;
    this.state = { name: 'idle' }; // whatever the other was
    this.paused = false;
    this.#from = null;
    this.#clear(); // or the other channel's last picture would stay
    this.#pace = new Pace();
    this.#backoff.good();
    this.#start();
  }

  /** shift begins at a moment of what the node keeps, in ms since 1970 by the source's clock; null for live. */
  shift(moment) {
    this.#from = moment;
    this.paused = false;
    this.#backoff.good();
    const now = performance.now();
    const rests = now - this.#shiftedAt < shiftRest;
    this.#shiftedAt = now;
    if (rests) {
      this.#stop();
      this.#set({ name: 'connecting' });
      this.#shiftTimer = setTimeout(() => this.#start(), shiftRest);
    } else {
      this.#start();
    }
  }

  /** at is the moment that the picture is from, in ms since 1970 by the source's clock, where it was shifted; null where it is live. */
  get at() {
    if (this.#from === null) return null;
    return this.#zero === null ? this.#from : this.#origin + (this.#video.currentTime - this.#zero) * 1000;
  }

  /** retry asks at once, where a wait is on. */
  retry() {
    if (this.state.name === 'resting') this.#start();
    else this.#wake();
  }

  /** toggle pauses, or goes on: at the live end, or where it was if it was shifted. */
  toggle() {
    this.paused = !this.paused;
    if (!this.paused) {
      if (this.state.name === 'resting') this.#start();
      else this.#play();
      if (this.#from === null) this.toLive();
    } else {
      this.#near?.look(); // it gives way first
      this.#video.pause();
    }
    this.#seen();
    this.#changed(this);
  }

  /** toLive jumps to the live end. */
  toLive() {
    if (this.#from !== null) {
      this.shift(null);
      return;
    }
    const last = this.#sink?.ranges().at(-1);
    if (last && !this.#near?.on) this.#seek(last);
  }

  /** ahead is how many seconds are buffered ahead of the picture: the delay that the player adds. It is null where that cannot be told. */
  get ahead() {
    const last = this.#sink?.ranges().at(-1);
    return last && this.#begun && this.#from === null ? Math.max(0, last[1] - this.#place) : null;
  }

  // place is where in the buffer what is seen is, in seconds.
  get #place() { return this.#near?.on ? this.#near.at : this.#video.currentTime; }

  get sound() { return this.tracks.some((t) => t.kind === 'audio'); }
  get picture() { return this.tracks.some((t) => t.kind === 'video'); }

  #set(state) {
    const same = JSON.stringify(state) === JSON.stringify(this.state);
    this.state = state;
    if (!same) this.#changed(this);
  }

  #start() {
    this.#stop();
    if (!this.#at) {
      this.#set({ name: 'idle' });
      return;
    }
    if (this.#unseen()) { // opened in the background: it can wait until somebody looks
      this.#set({ name: 'resting', why: 'hidden' });
      return;
    }
    const run = ++this.#runs;
    if (Source) this.#run(run);
    else this.#native(run);
  }

  #stop() {
    clearTimeout(this.#shiftTimer);
    this.#runs++;
    this.#takes = false;
    this.#request?.abort();
    this.#wake();
    this.#drop();
    this.tracks = [];
    this.#mediaAt = 0;
  }

  #drop() {
    this.#near?.drop();
    this.#sink?.close();
    this.#sink = null;
    this.#begun = false;
    this.#firstAt = 0;
    this.#zero = null;
    this.captions.clear();
  }

  // native plays HLS, seconds behind, in a browser without Media Source Extensions.
  async #native(run) {
    const video = this.#video;
    if (!this.#at.hls || !video.canPlayType('application/vnd.apple.mpegurl')) {
      this.#set({ name: 'helpless' });
      return;
    }
    this.tracks = [{ kind: 'video' }, { kind: 'audio' }]; // as far as can be known
    while (run === this.#runs) {
      this.#set({ name: 'connecting' });
      const failed = new Promise((resolve) => { video.addEventListener('error', resolve, { once: true }); });
      video.src = since(this.#at.hls, this.#from);
      this.#play();
      await failed;
      if (run !== this.#runs) return;
      this.#set({ name: 'lost', why: video.error?.message ?? '' });
      await this.#pause(this.#backoff.next());
    }
  }

  // pause waits some seconds, or until a person is tired of it.
  #pause(wait) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait * 1000);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    });
  }

  async #run(run) {
    while (run === this.#runs) {
      this.#takes = true;
      const end = await this.#stream(run).catch(endOf);
      if (run !== this.#runs) return;
      this.#takes = false;
      this.#request.abort();
      this.#set(end);
      await this.#pause(waitAfter(end) ?? this.#backoff.next());
    }
  }

  // stream plays one answer of the node to its end, and returns the state after it.
  async #stream(run) {
    this.#from = this.at; // where it broke off
    this.#zero = null;
    const request = new AbortController();
    this.#request = request;
    const { signal } = request;
    const again = ['unsupported', 'queued'].includes(this.state.name); // what is shown stays
    if (!again) this.#set({ name: 'connecting' });
    this.#tabs?.ask((others) => request.abort(Object.assign(new Crowded(), { others })));
    const slow = setTimeout(() => this.#set({ name: 'queued', others: 0 }), queuedAfter);
    let answer;
    try {
      answer = await fetch(since(this.#at.media, this.#from), { signal, cache: 'no-store' });
    } finally {
      clearTimeout(slow);
    }
    if (answer.status === 404 && this.#from !== null) { // it is no longer kept
      this.#from = null;
      return { name: 'lost', why: 'nothing is kept' };
    }
    if (answer.status === 404) return { name: 'gone' };
    if (answer.status === 503) return { name: 'full' };
    if (answer.status === 415) return { name: 'unsupported', names: '' }; // MP4 cannot carry it
    if (!answer.ok) return { name: 'lost', why: `the node answers ${answer.status}` };
    if (!again) this.#set({ name: 'waiting' });
    const begins = answer.headers.get('X-Begins-At');
    this.#origin = Number(begins);
    if (!begins) this.#from = null; // the present, after all

    const splitter = new Splitter();
    const body = answer.body.getReader();
    let fresh = true; // nothing of this answer is in the sink
    for (;;) {
      const { done, value } = await body.read();
      if (run !== this.#runs) return this.state;
      if (done) return { name: 'ended' };
      for (const { init, bytes } of splitter.push(value)) {
        if (init) {
          this.#begin(bytes, fresh);
          this.#captionsIn.begin(bytes);
          this.#near?.begin(bytes);
          fresh = false;
        } else if (fresh) {
          continue; // nothing to decode it with
        } else {
          this.#came();
          this.#captionsIn.take(bytes);
          this.#near?.take(bytes);
        }
        await this.#sink.append(bytes);
        if (run !== this.#runs) return this.state;
      }
    }
  }

  // begin makes the sink fit for an initialization segment: the first, or that of an
  // encoder that has started anew, perhaps with another size or codec.
  #begin(init, fresh) {
    const { type, tracks } = describe(init);
    if (tracks.length === 0) throw new Error('the stream has neither picture nor sound');
    if (!decodes(type)) {
      this.#drop();
      const bad = tracks.filter((t) => !decodes(`${t.kind}/mp4; codecs="${t.codec}"`));
      throw new Unsupported(together((bad.length ? bad : tracks).map((t) => t.name)));
    }
    // The number of tracks is settled with a SourceBuffer's first segment, and so is
    // everything where a browser cannot change the type.
    const fits = this.#sink && !fresh && tracks.length === this.tracks.length
      && tracks.every((t, i) => t.kind === this.tracks[i].kind)
      && (type === this.#sink.type || this.#sink.canChange);
    this.tracks = tracks;
    if (fits) {
      this.#sink.change(type);
    } else {
      this.#drop();
      const request = this.#request;
      this.#sink = new Sink(this.#video, type, {
        appended: () => { if (!this.#begun) this.#steer(); },
        failed: (err) => request.abort(err), // run() begins anew
        place: () => this.#place,
      });
      this.#wedge = new Wedge();
    }
    this.#changed(this);
  }

  #came() {
    const now = performance.now();
    // A pause of the source is no reason to stay further behind; one of the network is.
    if (this.#dry && this.#begun && now - this.#beganAt > 1000 && now - this.#mediaAt < stalledAfter) {
      this.#pace.stalled(now / 1000);
    }
    this.#dry = false;
    this.#mediaAt = now;
    this.#wedge.came(now);
    if (this.state.name === 'stalled') this.#set({ name: 'playing' });
  }

  #steer() {
    if (!this.#sink) return;
    const now = performance.now();
    if (this.#mediaAt && now - this.#mediaAt > stalledAfter && this.state.name === 'playing') this.#set({ name: 'stalled' });
    const ranges = this.#sink.ranges();
    const last = ranges.at(-1);
    if (last && last[1] !== this.#end) {
      this.#end = last[1];
      this.#wedge.grew();
    } else if (this.#wedge.wedged) {
      this.#wedge = new Wedge();
      this.#request.abort(new Error('the browser takes the stream, but finds nothing in it'));
    }
    if (!last) return;
    const video = this.#video;
    if (!this.#begun) {
      // The first frame shows at once; it moves when there is something to move on to.
      if (!this.#firstAt) {
        this.#firstAt = now;
        this.#zero = ranges[0][0];
        this.#seek(last);
      }
      if (last[1] - video.currentTime < this.#pace.target && now - this.#firstAt < mostHold) return;
      this.#begun = true;
      this.#beganAt = now;
      this.#backoff.good();
      if (!this.paused) this.#play();
      return;
    }
    this.#near?.look();
    if (this.paused || this.#near?.on || !this.#begun) return;
    const at = video.currentTime;
    if (stuck(ranges, at, video.seeking ? now - this.#soughtAt : 0)) {
      this.#seek(last);
      return;
    }
    if (video.seeking) return;
    // A phone pauses what goes to the background, and does not go on by itself.
    if (video.paused && this.state.name !== 'tap' && !this.#hidden()) this.#play();
    if (this.#from !== null) return; // nothing to keep up with
    const { rate, jump } = this.#pace.steer(last[1] - at, now / 1000);
    if (jump > 0) this.#seek(last);
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  // mayNear reports whether the picture may be shown without the video element: not where that has something to show with
  // it, or where it does not play.
  #mayNear() {
    return this.state.name === 'playing' && this.#begun && !this.paused && this.#from === null && !(this.captions.on && this.captions.there) && !afloat(this.#video);
  }

  // goOn goes on in the video element, from where the picture is, as soon as enough is buffered.
  #goOn(at) {
    this.#video.currentTime = at;
    this.#video.playbackRate = 1;
    this.#soughtAt = this.#firstAt = performance.now();
    this.#begun = false;
  }

  // seek goes to the live end of the last range, or to its beginning where the picture was shifted.
  #seek([start, end]) {
    this.#video.currentTime = this.#from === null ? Math.max(start, end - this.#pace.target) : start;
    this.#video.playbackRate = 1;
    this.#soughtAt = performance.now();
  }

  #play() {
    const run = this.#runs;
    this.#video.play().then(() => {
      if (run === this.#runs && this.#sink) this.#set({ name: 'playing' });
    }, (err) => {
      if (run === this.#runs && err.name === 'NotAllowedError') this.#set({ name: 'tap' });
    });
  }

  /** tapped is the tap that a browser may want. */
  tapped() {
    this.paused = false;
    this.#play();
    this.toLive();
  }

  /** again does what there is to do where the page offers something: play, go on, or ask at once. */
  again() {
    if (this.state.name === 'tap') this.tapped();
    else if (this.paused) this.toggle();
    else this.retry();
  }

  #hidden() { return document.visibilityState === 'hidden' && !afloat(this.#video); }

  #unseen() { return this.#hidden() && (this.#video.muted || !this.sound); }

  // seen stops the stream when nobody has seen the picture for a while, and starts it again
  // when somebody does.
  #seen() {
    clearTimeout(this.#restTimer);
    const why = this.#unseen() ? 'hidden' : this.paused ? 'paused' : '';
    if (why) {
      this.#restTimer = setTimeout(() => this.#rest(why), restAfter);
    } else if (this.state.name === 'resting') {
      this.#start();
    }
  }

  #rest(why) {
    if (!this.#at || !Source || this.state.name === 'resting') return;
    this.#from = this.at; // where it goes on
    this.#stop();
    this.#clear();
    this.#set({ name: 'resting', why });
  }

  // clear takes the picture away, and with it the decoder.
  #clear() {
    this.#drop();
    this.#near?.hide();
    this.#video.removeAttribute('src');
    this.#video.load();
  }
}

// since is an address that begins at a moment of what is kept; null is the present.
const since = (address, moment) => moment === null ? address : `${address}?at=${(moment / 1000).toFixed(3)}`;

// endOf is the state that a failure leads to.
function endOf(err) {
  if (err instanceof Unsupported) return { name: 'unsupported', names: err.message };
  if (err instanceof Crowded) return { name: 'queued', others: err.others };
  return { name: 'lost', why: err.message };
}

// waitAfter is how long to wait before the next try, in seconds; undefined leaves it to the
// backoff.
const waitAfter = (end) => ({
  full: fullWait,
  unsupported: fullWait, // another encoder may send what can be decoded
  queued: crowdedWait * (1 + Math.random() / 2), // else two that wait would get in each other's way
})[end.name];
