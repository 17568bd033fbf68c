// Draws the picture of a moment that the node keeps: the node gives the stream from there up to the first picture, and
// the browser decodes it.

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
      const answer = await fetch(`${this.#media}?at=${key / 1000}&peek`, { signal: request.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      const picture = await first(await answer.blob(), request.signal, this.#canvas);
      if (this.#drawn.size >= most) this.#drawn.delete(this.#drawn.keys().next().value);
      this.#drawn.set(key, picture);
      if (this.#wanted !== key) return;
      this.#wanted = null;
      this.draw(key);
    } catch { // there is none, or the browser cannot decode it
      if (this.#wanted === key) this.#wanted = null; // the next move of the pointer asks again
    }
  }
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
