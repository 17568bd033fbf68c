// The timeline over the controls, where the node keeps the channel: where in it the picture is, and what was to
// be seen elsewhere in it.

import { set } from './card.js';
import { momentOf, moved, partOf, there } from './moments.js';
import { Peek } from './peek.js';
import { behind, controls, duration } from './words.js';

/** How many steps the slider has. */
const steps = 1000;
/** How far the keys go, in seconds. */
const step = 30;

const el = (id) => document.getElementById(id);

export class Timeline {
  #player;
  #kept = null;
  #held = false; // the person moves the slider
  #slider = el('seek');
  #peek;

  constructor(player) {
    this.#player = player;
    this.#peek = new Peek(el('peek').querySelector('canvas'));
    this.#slider.max = steps;
    this.#slider.addEventListener('input', () => { this.#held = true; this.#tell(this.#slider.value / steps); });
    this.#slider.addEventListener('change', () => {
      this.#held = false;
      if (this.#kept) this.#go(momentOf(this.#kept, this.#slider.value / steps));
      this.#hide();
    });
    this.#slider.addEventListener('pointermove', (e) => {
      const { left, width } = this.#slider.getBoundingClientRect();
      this.#tell(Math.min(1, Math.max(0, (e.clientX - left) / width)));
    });
    for (const event of ['pointerleave', 'blur']) this.#slider.addEventListener(event, () => this.#hide());
  }

  /** open says which channel is played, as choice.js has its addresses; null for none. */
  open(at) { this.#peek.open(at?.media ?? ''); }

  /** show brings it up to date: kept as the node tells it. */
  show(kept) {
    this.#kept = there(kept) ? kept : null;
    el('timeline').hidden = !this.#kept;
    el('controls').classList.toggle('timed', Boolean(this.#kept));
    if (!this.#kept || this.#held) return;
    const { at } = this.#player;
    this.#slider.value = Math.round(partOf(this.#kept, at) * steps);
    this.#slider.setAttribute('aria-valuetext', this.behind || controls.live);
  }

  /** behind says how far the picture is behind live, '' where it is live. */
  get behind() {
    const { at } = this.#player;
    return at === null || !this.#kept ? '' : this.#since(at);
  }

  /** back and ahead go a step. */
  back() { this.#step(-step); }
  ahead() { this.#step(step); }

  #step(seconds) {
    if (!this.#kept || seconds > 0 && this.#player.at === null) return;
    this.#go(moved(this.#kept, this.#player.at, seconds));
  }

  #go(moment) {
    if (moment === null) this.#player.toLive();
    else this.#player.shift(moment);
  }

  // tell shows what is at a part of the timeline.
  #tell(part) {
    if (!this.#kept) return;
    const moment = momentOf(this.#kept, part);
    const box = el('peek');
    const text = moment === null ? controls.live : this.#since(moment);
    box.hidden = false;
    box.style.setProperty('--at', `${part * 100}%`);
    set(box.querySelector('span'), text);
    if (this.#held) this.#slider.setAttribute('aria-valuetext', text);
    this.#peek.draw(moment);
  }

  #since(moment) { return behind(duration(Math.max(0, Math.round((this.#kept.to_ms - moment) / 1000)))); }

  #hide() {
    el('peek').hidden = true;
    this.#peek.draw(null);
  }
}
