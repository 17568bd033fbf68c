// The controls over the picture, of the page and of the frame for other sites: what they show, and
// what a person does with them.

import { set } from './card.js';
import { Cast } from './cast.js';
import { liveWithin } from './pace.js';
import { afloat } from './player.js';
import { Timeline } from './timeline.js';
import { behind, controls, hint, seconds } from './words.js';

/** A pointer that does not move hides the controls after so long, in ms. */
const sleepAfter = 2500;
/** So long it is offered in words to turn the sound on, in ms. The button itself stays. */
const offerFor = 6000;
/** What a key makes louder or softer, of 1. */
const volumeStep = 0.1;

const el = (id) => document.getElementById(id);

export class Stage {
  /** acts are what keys can do, by name; those that this browser lacks are left out. */
  acts;
  #box = el('stage');
  #player;
  #video;
  #cast;
  #timeline;
  #open = false; // there is a channel
  #kept = null; // what the node keeps of it
  #silenced = false; // it was muted on purpose
  #offeredAt = 0; // when sound was first offered, 0 before
  #sleep = 0;
  #held = false; // the picture is on another device, and was not paused before

  constructor(player, video) {
    this.#player = player;
    this.#video = video;
    this.#cast = new Cast(el('elsewherevideo'), () => this.#casted());
    this.#timeline = new Timeline(player);
    this.acts = {
      play: () => player.toggle(),
      mute: () => this.#mute(),
      louder: () => this.#nudge(volumeStep),
      softer: () => this.#nudge(-volumeStep),
      live: () => this.#toLive(),
      back: () => { this.#timeline.back(); this.#stir(); },
      ahead: () => { this.#timeline.ahead(); this.#stir(); },
      full: () => this.#fullScreen(),
      captions: () => { if (player.captions.there) player.captions.toggle(); },
      pip: floats(video) ? () => this.#float() : undefined,
    };
    const on = (id, act) => el(id).addEventListener('click', act);
    on('play', this.acts.play);
    on('mute', this.acts.mute);
    on('live', this.acts.live);
    on('full', this.acts.full);
    on('captions', this.acts.captions);
    on('pip', () => this.#float());
    on('cast', () => this.#cast.choose());
    el('volume').addEventListener('input', () => this.#loud(Number(el('volume').value)));
    video.addEventListener('click', () => {
      if (this.#hushed()) this.#mute();
      else if (matchMedia('(hover: hover)').matches) player.toggle();
    });
    video.addEventListener('dblclick', this.acts.full);
    for (const event of ['volumechange', 'enterpictureinpicture', 'leavepictureinpicture', 'webkitpresentationmodechanged']) {
      video.addEventListener(event, () => this.show(this.#open));
    }
    for (const event of ['pointermove', 'pointerdown', 'keydown']) this.#box.addEventListener(event, () => this.#stir());
    headset(player);
  }

  /** open says which channel is played, as choice.js has its addresses; null for none. */
  open(at) {
    this.#held = false; // it plays here
    this.#cast.open(at?.hls ?? '');
    this.#timeline.open(at);
  }

  /** show brings the controls up to date; open says whether there is a channel, kept what the node keeps of it. */
  show(open, kept = this.#kept) {
    const { paused, state, ahead, picture, sound } = this.#player;
    const video = this.#video;
    this.#open = open;
    this.#kept = kept;
    this.#timeline.show(open ? kept : null);
    this.#box.dataset.state = state.name;
    const stopped = paused || state.name === 'tap' || state.name === 'resting';
    const silent = video.muted || video.volume === 0;
    this.#box.classList.toggle('paused', stopped);
    this.#box.classList.toggle('muted', silent);
    el('volume').value = silent ? 0 : video.volume;
    const offered = this.#offer();
    el('mute').classList.toggle('offered', offered);
    label(el('play'), stopped ? controls.play : controls.pause);
    label(el('mute'), offered ? controls.tapForSound : silent ? controls.unmute : controls.mute);
    set(el('offer'), controls.tapForSound);
    el('soundonly').hidden = !(sound && !picture);
    el('controls').hidden = !open;
    const { captions } = this.#player;
    el('captions').hidden = !captions.there;
    el('captions').setAttribute('aria-pressed', captions.on);
    el('pip').hidden = !this.acts.pip || !picture;
    el('pip').setAttribute('aria-pressed', afloat(video));
    el('cast').hidden = !this.#cast.there && !this.#cast.on;
    el('cast').setAttribute('aria-pressed', this.#cast.on);
    const playing = state.name === 'playing' && ahead !== null;
    const live = playing && !paused && ahead < liveWithin;
    el('live').classList.toggle('on', live);
    set(el('livetext'), this.#timeline.behind || (live || !playing ? controls.live : behind(seconds(ahead))));
  }

  /** behind says how far a picture that was shifted is behind live, '' where it is live. */
  get behind() { return this.#timeline.behind; }

  #hushed() { return this.#video.muted && this.#player.sound && this.#player.state.name === 'playing' && !this.#silenced; }

  // offer reports whether it is offered in words to turn the sound on: once, for a while.
  #offer() {
    if (!this.#hushed()) return false;
    const now = performance.now();
    if (!this.#offeredAt) {
      this.#offeredAt = now;
      setTimeout(() => this.show(this.#open), offerFor);
    }
    return now - this.#offeredAt < offerFor;
  }

  #mute() {
    const video = this.#video;
    const silent = video.muted || video.volume === 0;
    video.muted = !silent;
    this.#silenced = video.muted;
    if (silent && video.volume === 0) video.volume = 1;
  }

  #loud(volume) {
    this.#video.volume = Math.min(1, Math.max(0, volume));
    this.#video.muted = this.#video.volume === 0;
    this.#silenced = this.#video.muted;
  }

  #nudge(by) {
    this.#loud((this.#video.muted ? 0 : this.#video.volume) + by);
    this.#stir();
  }

  #toLive() {
    if (this.#player.paused) this.#player.toggle();
    else this.#player.toLive();
  }

  #fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.#box.requestFullscreen) this.#box.requestFullscreen().catch(() => {}); // a frame may not be let
    else this.#video.webkitEnterFullscreen?.(); // on an iPhone
  }

  async #float() {
    const video = this.#video;
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else if (video.requestPictureInPicture) await video.requestPictureInPicture();
      else video.webkitSetPresentationMode(afloat(video) ? 'inline' : 'picture-in-picture');
    } catch { /* there is no picture yet */ }
  }

  // casted stops the picture here while another device shows it, and goes on afterwards.
  #casted() {
    const { on } = this.#cast;
    if (on !== this.#held && on !== this.#player.paused) {
      this.#held = on;
      this.#player.toggle();
    }
    this.show(this.#open);
  }

  #stir() {
    this.#box.classList.add('awake');
    this.#box.classList.remove('asleep');
    clearTimeout(this.#sleep);
    this.#sleep = setTimeout(() => {
      this.#box.classList.remove('awake');
      this.#box.classList.add('asleep');
    }, sleepAfter);
  }
}

const floats = (video) => Boolean(document.pictureInPictureEnabled && video.requestPictureInPicture
  || video.webkitSupportsPresentationMode?.('picture-in-picture'));

function label(button, text) {
  if (button.getAttribute('aria-label') === text) return;
  button.setAttribute('aria-label', text);
  button.title = hint(text, button.getAttribute('aria-keyshortcuts'));
}

// headset obeys the buttons of a headset, of a locked phone and of a floating picture.
function headset(player) {
  try {
    navigator.mediaSession.setActionHandler('play', () => { if (player.paused) player.toggle(); });
    navigator.mediaSession.setActionHandler('pause', () => { if (!player.paused) player.toggle(); });
  } catch { /* there are none */ }
}
