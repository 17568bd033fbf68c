// Shows the picture on another device, such as a television, where the browser knows one (Remote
// Playback API; AirPlay is Safari's). The device fetches HLS from the node itself: what this page
// builds for its own player cannot be handed on.

/** Cast has an element of its own for the device. changed is called when there is something new to show. */
export class Cast {
  /** there says that a device can be chosen. */
  there = false;
  /** on says that a device shows the picture. */
  on = false;
  #video;
  #changed;
  #at = '';
  #next = null; // where another channel is, for when the device has let go of this one; null for none

  constructor(video, changed) {
    this.#video = video;
    this.#changed = changed;
    if (!video.remote) return;
    video.remote.addEventListener('connect', () => this.#set({ on: true }));
    video.remote.addEventListener('disconnect', () => {
      this.#set({ on: false });
      if (this.#next !== null) this.open(this.#next);
    });
  }

  /** open says where the channel is as HLS; '' for nowhere. */
  open(hls) {
    const { remote } = this.#video;
    this.#next = this.on ? hls : null; // what a device shows stays there
    if (!remote || hls === this.#at || this.on) return;
    this.#at = hls;
    remote.cancelWatchAvailability?.().catch(() => {});
    this.#set({ there: false });
    if (!hls || !this.#video.canPlayType('application/vnd.apple.mpegurl')) {
      this.#video.removeAttribute('src');
      return;
    }
    this.#video.src = hls;
    remote.watchAvailability((there) => this.#set({ there })).catch(() => {}); // it cannot be told: no button
  }

  /** choose has the browser ask for a device, or let go of it. */
  async choose() {
    try {
      await this.#video.remote?.prompt();
    } catch { /* nothing was chosen */ }
  }

  #set(now) {
    if (Object.entries(now).every(([k, v]) => this[k] === v)) return;
    Object.assign(this, now);
    if (this.on) this.#video.play().catch(() => {}); // the device says why
    else this.#video.pause();
    this.#changed();
  }
}
