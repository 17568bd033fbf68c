// The channels that the person at this machine follows, with those that are live in front. The node tells them to
// nobody else, so a page at another machine does not ask.

import { Poll, askEvery } from './node.js';
import { followWords, titleOf } from './words.js';
import { html } from './svg.js';

/** atHome reports whether a page of that host name is at the machine of its node. */
export const atHome = (host) => host === 'localhost' || /^127(\.\d{1,3}){3}$/.test(host) || host === '[::1]';

/** airs reports whether it is worth going there. */
const airs = (c) => c.state === 'live' || c.state === 'on';

/**
 * rows are what is shown of each channel: its name, whether it is live, what there is to know, where it is on this page
 * if it is open here, and else what to type to watch it.
 */
export function rows(channels) {
  return [...channels.filter(airs), ...channels.filter((c) => !airs(c))].map((c) => ({
    name: c.as,
    live: airs(c),
    text: [followWords[c.state] ?? followWords.off, c.title && titleOf(c)].filter(Boolean).join(' · '),
    href: c.open ? c.name : '',
    command: airs(c) && !c.open ? `relay watch ${c.as}` : '',
  }));
}

export class Followed {
  #panel;
  #list;
  #shown = '';

  /** kept is what the address of another channel has behind it; told is called when there is something else to show. */
  constructor(panel, list, kept, told) {
    this.#panel = panel;
    this.#list = list;
    if (!atHome(location.hostname)) return;
    let refused = false; // by a proxy on this machine, which may ask for anybody
    new Poll(() => !refused && 'api/v1/followed', askEvery.followed, (answer, err) => {
      refused = err?.status === 403 || err?.status === 404;
      if (!answer) return; // what was known stays
      this.#show(rows(answer.channels), kept);
      told();
    });
  }

  get hidden() { return this.#panel.hidden; }

  #show(all, kept) {
    const key = JSON.stringify(all);
    if (key === this.#shown) return; // else a list that has the focus would lose it
    this.#shown = key;
    this.#panel.hidden = all.length === 0;
    this.#list.replaceChildren(...all.map((r) => {
      const about = [html('i'), html('b', {}, r.name), html('small', {}, r.text, r.command && html('code', {}, r.command))];
      return html('li', { class: r.live ? 'live' : 'off' }, r.href ? html('a', { href: r.href + kept }, ...about) : html('span', {}, ...about));
    }));
  }
}
