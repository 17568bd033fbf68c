// Knows the other tabs of this page in the same browser. A browser has six connections to one host
// for all of its tabs, and without a free one nothing else of the page can be had.

/** So many tabs take a stream at once. */
export const mostTabs = 5;
/** How long other tabs have to answer before a tab believes that it may take one, in ms. */
export const census = 150;
/** An answer counts that comes later than that, as from a busy machine, for so long, in ms. */
export const late = 5000;

export class Tabs {
  #channel;
  #kind;
  #rest;
  #asked = null; // {id, seen, spare, due, tooMany}

  /**
   * channel is a BroadcastChannel. kind says whether this tab takes a stream: 'seen', 'spare' for one
   * that nobody sees, or ''. rest lets go of a stream that nobody sees.
   */
  constructor(channel, kind, rest) {
    this.#channel = channel;
    this.#kind = kind;
    this.#rest = rest;
    channel.addEventListener('message', (m) => this.#heard(m.data));
  }

  /**
   * ask makes room for this tab's stream: tabs that nobody sees let go when there are too many. If
   * all are seen, tooMany is called with how many there are, and this tab, the newest, gives way.
   */
  ask(tooMany) {
    const asked = { id: Math.random(), seen: 0, spare: 0, due: false, tooMany };
    this.#asked = asked;
    this.#channel.postMessage({ who: asked.id });
    setTimeout(() => {
      asked.due = true;
      this.#judge(asked);
    }, census);
    setTimeout(() => { if (this.#asked === asked) this.#asked = null; }, late);
  }

  #judge(asked) {
    if (asked !== this.#asked || !asked.due || asked.seen + asked.spare < mostTabs) return;
    if (asked.spare > 0) {
      asked.spare = 0;
      this.#channel.postMessage({ yield: true });
    } else {
      this.#asked = null;
      asked.tooMany(asked.seen);
    }
  }

  #heard(message) {
    if (message?.who) {
      const kind = this.#kind();
      if (kind) this.#channel.postMessage({ to: message.who, kind });
    } else if (message?.yield) {
      this.#rest();
    } else if (this.#asked && message?.to === this.#asked.id && message.kind in this.#asked) {
      this.#asked[message.kind]++;
      this.#judge(this.#asked);
    }
  }
}
