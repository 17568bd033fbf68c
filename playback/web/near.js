// Shows a channel nearer to live than a video element can: it decodes pictures and sound as they come
// (WebCodecs), paints them on a canvas over the element, and gives way to that whenever something is not as it
// should be. The element has all that came buffered, and stands still meanwhile.

import { Beat } from './beat.js';
import { Picture } from './picture.js';
import { samples, setups } from './samples.js';
import { Sound } from './sound.js';

/** able reports whether this browser can: it needs a secure context, as that of 127.0.0.1 is. */
export const able = Boolean(globalThis.isSecureContext && globalThis.VideoDecoder && globalThis.AudioDecoder
  && globalThis.AudioWorkletNode && globalThis.HTMLVideoElement?.prototype.requestVideoFrameCallback);

/** Where a stream has come so evenly, in seconds, for so long, it begins; where it comes less evenly than the last, it ends. */
const evenly = 0.12;
const lookedFor = 2;
const mostUneven = 0.3;
/** So many pictures have to come out of the decoder before any is shown. */
const firstPictures = 5;
/** Without a picture for so long, in seconds, while there are some to be decoded, the decoder does not work. */
const mostSilent = 1;
/** After giving way for a reason of its own it waits so long, in seconds, and then twice as long, and so on. */
const leastRest = 20;
const mostRest = 600;
/** The picture gives way to the element's within so long, in ms. */
const mostHandover = 1000;

/*
 * The states:
 *   looks    the element plays; it looks how evenly the stream comes
 *   begins   it decodes as well, and shows nothing yet
 *   on       it is what is seen and heard
 */
export class Near {
  #state = 'looks';
  #video;
  #may;
  #left;
  #canvas = document.createElement('canvas');
  #beat = new Beat();
  #setups = new Map(); // track → as setups tells them
  #picture = null;
  #sound = null;
  #heard = false; // the sound is there
  #pictures = 0;
  #pictureAt = 0; // when the last came out of the decoder, on the page's clock
  #sampleAt = 0; // when a picture came last that is to be decoded
  #restUntil = 0;
  #rest = leastRest;
  #fails = null; // what is wrong with what comes, until other media come
  #awake = null; // keeps the screen from going dark, as a video element does

  /**
   * may reports whether it is wanted now. left is called when it gives way, with the time of its last picture:
   * the element has to go on from there.
   */
  constructor(video, { may, left }) {
    this.#video = video;
    this.#may = may;
    this.#left = left;
    this.#canvas.className = 'near';
    this.#canvas.hidden = true;
    video.after(this.#canvas);
  }

  get on() { return this.#state === 'on'; }

  /** at is the time of what is seen, in seconds. */
  get at() {
    if (document.visibilityState === 'hidden') return performance.now() / 1000 - this.#beat.delay;
    return this.#picture.at ?? this.#video.currentTime; // until it has painted
  }

  /** begin takes an initialization segment: of another stream, or of one that goes on otherwise. */
  begin(init) {
    if (this.#state !== 'looks') this.#leave();
    this.#beat = new Beat();
    this.#fails = null;
    this.#setups = new Map();
    try {
      for (const s of setups(init)) this.#setups.set(s.track, s);
    } catch (err) {
      this.#fails = err;
    }
    if (!this.#setup('video')?.config) this.#fails ??= new Error('there are no pictures');
    if (this.#setup('audio')?.config === null) this.#fails ??= new Error('the sound is of another kind');
  }

  /** take looks at a media segment, and plays it. */
  take(segment) {
    if (this.#fails) return;
    try {
      for (const s of samples(segment)) this.#sample(s);
    } catch (err) {
      this.#fail(err);
    }
  }

  /** look gives way where it is no longer wanted, or goes badly. It is to be called some times in a second. */
  look() {
    if (this.#state === 'looks') return;
    const now = performance.now() / 1000;
    const audible = this.#audible();
    if (!this.#may()) {
      this.#leave();
    } else if (this.#pictures > 0 && this.#beat.unrest(this.#kinds()) > mostUneven) {
      this.#fail(null);
    } else if (this.#sampleAt - this.#pictureAt > mostSilent && now - this.#pictureAt > mostSilent) {
      this.#fail(new Error('the decoder says nothing'));
    } else if (audible && !this.#sound) {
      this.#listen();
    } else if (!audible && this.#sound) {
      this.#sound.close();
      this.#sound = null;
      this.#heard = false;
    }
    if (this.#sound) this.#sound.follow(this.#beat.told(now, this.#kinds()));
  }

  /** drop ends it: the stream is over. The picture stays until there is another. */
  drop() {
    this.#end();
    this.#fails = new Error('the stream is over');
  }

  /** hide takes the picture away. */
  hide() { this.#canvas.hidden = true; }

  #setup(kind) { return [...this.#setups.values()].find((s) => s.kind === kind); }

  #audible() { return !this.#video.muted && this.#video.volume > 0 && this.#setup('audio') !== undefined; }

  #kinds() { return this.#heard ? ['video', 'audio'] : ['video']; }

  #sample({ track, dts, pts, key, data }) {
    const setup = this.#setups.get(track);
    if (!setup) return;
    const at = pts / setup.rate;
    if (setup.kind === 'audio') {
      this.#sound?.decode(at, data);
      return;
    }
    const now = performance.now() / 1000;
    this.#sampleAt = now;
    if (this.#state === 'looks') {
      this.#beat.came('video', dts / setup.rate, now); // they come in the order of decoding
      if (key && now > this.#restUntil && this.#beat.seen(now, ['video']) > lookedFor && this.#beat.unrest(['video']) < evenly && this.#may()) this.#begin(setup);
    }
    this.#picture?.decode(at, key, data);
  }

  #begin({ config }) {
    this.#state = 'begins';
    this.#beat = new Beat(); // of pictures as they come out of the decoder
    this.#pictures = 0;
    this.#pictureAt = performance.now() / 1000;
    const picture = new Picture(config, this.#canvas, {
      came: (at) => {
        if (picture !== this.#picture) return;
        this.#pictureAt = performance.now() / 1000;
        this.#pictures++;
        this.#beat.came('video', at, this.#pictureAt);
      },
      failed: (err) => { if (picture === this.#picture) this.#fail(err); },
    });
    this.#picture = picture;
    if (this.#audible()) this.#listen();
    requestAnimationFrame(() => this.#paint(picture));
  }

  #listen() {
    const sound = new Sound(this.#setup('audio').config, this.#video, {
      came: (at) => {
        if (sound !== this.#sound) return;
        this.#heard = true;
        this.#beat.came('audio', at, performance.now() / 1000);
      },
      failed: (err) => { if (sound === this.#sound) this.#fail(err); },
    });
    this.#sound = sound;
    if (this.on) sound.begin();
  }

  #paint(picture) {
    if (picture !== this.#picture) return;
    const now = performance.now() / 1000;
    if (this.#state === 'begins' && this.#pictures >= firstPictures && (!this.#sound || this.#heard)) {
      this.#state = 'on';
      this.#beat.begin(now - this.#video.currentTime, now); // from where the element is, it gets nearer
    }
    if (this.on && picture.paint(now - this.#beat.told(now, this.#kinds())) && !this.#video.paused) this.#show();
    requestAnimationFrame(() => this.#paint(picture));
  }

  #show() {
    this.#canvas.hidden = false;
    this.#video.pause();
    this.#sound?.begin();
    if (this.#awake) return;
    navigator.wakeLock?.request('screen').then((lock) => {
      if (this.on) this.#awake = lock;
      else lock.release();
    }, () => {}); // the battery is low
  }

  // fail gives way for a while; with an err, until other media come.
  #fail(err) {
    this.#fails = err;
    this.#canvas.dataset.why = err?.message ?? 'it comes unevenly'; // for who looks into it
    this.#restUntil = performance.now() / 1000 + this.#rest;
    this.#rest = Math.min(mostRest, 2 * this.#rest);
    this.#leave();
  }

  #leave() {
    const at = this.on ? this.at : null;
    this.#end();
    if (at !== null) this.#left(at);
  }

  // end stops decoding. The last picture covers the element until that has one.
  #end() {
    this.#picture?.close();
    this.#sound?.close();
    this.#awake?.release();
    this.#picture = this.#sound = this.#awake = null;
    this.#heard = false;
    this.#state = 'looks';
    this.#beat = new Beat();
    if (this.#canvas.hidden) return;
    const hide = () => {
      clearTimeout(timer);
      if (this.#state !== 'on') this.hide();
    };
    const timer = setTimeout(hide, mostHandover);
    this.#video.requestVideoFrameCallback(hide);
  }
}
