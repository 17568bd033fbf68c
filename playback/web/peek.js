// Draws the picture of a moment that the node keeps: it fetches the stream from there, up to the first
// pictures, and has the browser decode one.

import { Splitter, describe } from './mp4.js';
import { decodes } from './sink.js';

/** A pointer that goes by for so long looks at nothing, in ms. */
const restFor = 150;
/** Moments so near to each other have one picture, in ms. */
const grain = 5000;
/** How many pictures are remembered. */
const most = 60;

export class Peek {
  #canvas;
  #media = '';
  #wanted = null;
  #timer = 0;
  #request = null;
  #drawn = new Map(); // pictures by moment

  constructor(canvas) { this.#canvas = canvas; }

  /** open says where the stream is; '' for nowhere. */
  open(media) {
    this.#media = media;
    this.#drawn.clear();
    this.draw(null);
  }

  /** draw shows the picture of a moment, in ms since 1970, as soon as it is there; null shows none. */
  draw(moment) {
    const key = moment === null ? null : Math.floor(moment / grain) * grain;
    if (key === this.#wanted) return;
    this.#wanted = key;
    clearTimeout(this.#timer);
    this.#request?.abort();
    const drawn = this.#drawn.get(key);
    this.#canvas.hidden = !drawn;
    if (drawn) this.#canvas.getContext('2d').drawImage(drawn, 0, 0, this.#canvas.width, this.#canvas.height);
    else if (key !== null && this.#media) this.#timer = setTimeout(() => this.#fetch(key), restFor);
  }

  async #fetch(key) {
    const request = new AbortController();
    this.#request = request;
    try {
      const film = await beginning(`${this.#media}?at=${key / 1000}`, request.signal);
      const picture = film && await first(film, request.signal, this.#canvas);
      if (!picture) return;
      if (this.#drawn.size >= most) this.#drawn.delete(this.#drawn.keys().next().value);
      this.#drawn.set(key, picture);
      if (this.#wanted !== key) return;
      this.#wanted = null;
      this.draw(key);
    } catch { /* there is none */ } finally {
      request.abort(); // the stream has no end
    }
  }
}

// beginning fetches an MP4 stream up to its first fragments; null if the browser cannot decode it.
async function beginning(address, signal) {
  const answer = await fetch(address, { signal, cache: 'no-store' });
  if (!answer.ok) return null;
  const splitter = new Splitter();
  const body = answer.body.getReader();
  const parts = [];
  for (let media = 0; media < 4;) {
    const { done, value } = await body.read();
    if (done) break;
    for (const { init, bytes } of splitter.push(value)) {
      if (init && (parts.length > 0 || !decodes(describe(bytes).type))) return null;
      if (init || parts.length > 0) parts.push(bytes);
      if (!init) media++;
    }
  }
  return parts.length > 1 ? new Blob(parts, { type: 'video/mp4' }) : null;
}

// first is the first picture of a film, as large as the canvas.
function first(film, signal, { width, height }) {
  const url = URL.createObjectURL(film);
  const video = document.createElement('video');
  return new Promise((resolve, reject) => {
    video.muted = true;
    video.preload = 'auto';
    video.addEventListener('loadeddata', () => {
      if (!video.videoWidth) return reject(new Error('sound only'));
      const picture = document.createElement('canvas');
      Object.assign(picture, { width, height });
      picture.getContext('2d').drawImage(video, 0, 0, width, height);
      return resolve(picture);
    });
    video.addEventListener('error', () => reject(video.error));
    signal.addEventListener('abort', () => reject(signal.reason));
    video.src = url;
  }).finally(() => {
    video.removeAttribute('src');
    video.load();
    URL.revokeObjectURL(url);
  });
}
