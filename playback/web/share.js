// What a person passes on to have others watch: the page's address, its QR code for phones, the line
// for relay, and what the page of another site needs to show the picture.

import { copy } from './copy.js';
import { Sheet } from './dialog.js';
import { get } from './node.js';
import { html, svg } from './svg.js';
import { shareWords } from './words.js';

/** It is said for so long that something was copied, in ms. */
const saidFor = 2500;
/** Light modules around a QR code, as its standard wants. */
const quiet = 4;

export class Share {
  #sheet = new Sheet(shareWords.title, 'sharesheet');
  #said = html('p', { role: 'status', class: 'said' });
  #timer = 0;
  #opened = 0; // how often; an answer to an older question is dropped

  /** open shows what there is to share of a channel, as the node tells it, by that title. */
  async open(channel, title, opener) {
    const mine = ++this.#opened;
    this.#fill(html('p', { class: 'note' }, shareWords.asking));
    this.#sheet.open(opener);
    let told;
    try {
      told = await get(`api/v1/share?channel=${channel.id}`);
    } catch {
      if (mine === this.#opened) this.#fill(html('p', { class: 'note' }, shareWords.silent));
      return;
    }
    if (mine === this.#opened) this.#fill(...this.#parts(invitation(told, location, channel.name), title, channel.urls));
  }

  toggle(...args) {
    if (this.#sheet.isOpen) this.#sheet.close();
    else this.open(...args);
  }

  #fill(...parts) {
    this.#said.textContent = '';
    this.#sheet.body.replaceChildren(...parts, this.#said);
  }

  #parts(it, title, { rtsp, srt }) {
    const parts = [];
    if (it.qr.length) parts.push(html('figure', { class: 'qr' }, qrCode(it.qr, shareWords.qrName), html('figcaption', {}, shareWords.qr)));
    const fields = html('div', { class: 'fields' });
    const add = (what, about, text, lines = 1) => fields.append(this.#field(what, about, text, lines));
    if (it.near) add('page', it.local ? shareWords.pageNear : shareWords.pageFar, it.page);
    else fields.append(html('p', { class: 'note' }, it.private ? shareWords.pageHerePrivate : shareWords.pageHere));
    if (it.link) {
      add('relay', shareWords.relayAbout, watchLine(it.link));
      add('link', shareWords.linkAbout, it.link);
    } else {
      fields.append(html('p', { class: 'note' }, it.private ? shareWords.private : shareWords.noLink));
    }
    if (rtsp) add('rtsp', shareWords.rtspAbout, rtsp);
    if (srt) add('srt', shareWords.srtAbout, srt);
    if (it.embed.length) add('embed', shareWords.embedAbout(it.embed.join(', ')), snippet(it.frame, title), 5);
    if (it.mixed) fields.append(html('p', { class: 'note' }, shareWords.mixed));
    const hand = handOver(it, title, navigator);
    if (hand) {
      const more = html('button', { type: 'button', class: 'act' }, shareWords.more);
      more.addEventListener('click', hand);
      fields.prepend(more);
    }
    parts.push(fields);
    return parts;
  }

  // field is one text to copy; what is its name among the words.
  #field(what, about, text, lines) {
    const name = shareWords[what];
    const id = `share-${what}`;
    const box = lines > 1 ? html('textarea', { id, rows: lines, readonly: '', spellcheck: 'false' }, text) : html('input', { id, readonly: '', spellcheck: 'false' });
    box.value = text;
    box.setAttribute('aria-describedby', `${id}-about`);
    box.addEventListener('focus', () => box.select());
    const button = html('button', { type: 'button', class: 'act', 'aria-label': shareWords.copyOf(name) }, shareWords.copy);
    button.addEventListener('click', async () => {
      const done = await copy(box);
      if (done) button.focus();
      this.#say(done ? shareWords.copied(name) : shareWords.select);
      button.textContent = done ? shareWords.done : shareWords.copy;
      setTimeout(() => { button.textContent = shareWords.copy; }, saidFor);
    });
    return html('div', { class: 'field' },
      html('label', { for: id }, name), html('div', { class: 'line' }, box, button), html('p', { id: `${id}-about`, class: 'hint' }, about));
  }

  #say(text) {
    this.#said.textContent = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#said.textContent = ''; }, saidFor);
  }
}

/**
 * invitation makes what is offered of what the node tells and of the address that this page has. A
 * page that came here by an address which means something elsewhere is shared by that one: a reverse
 * proxy may not have told the node of it, and then there is no QR code.
 */
export function invitation(told, here, name) {
  const own = here.origin + here.pathname.slice(0, here.pathname.lastIndexOf('/') + 1);
  const base = told.page.split('#')[0];
  const page = alone(here.hostname) || own === base ? told.page : `${own}#${name}`;
  const { hostname, protocol } = new URL(page);
  return {
    page,
    near: !alone(hostname),
    local: !alone(hostname) && local(hostname),
    qr: page === told.page && told.near ? told.qr : [],
    link: told.link,
    private: told.private,
    embed: told.embed,
    frame: new URL(`embed#${name}`, page).href,
    mixed: protocol === 'http:' && hostname !== 'localhost' && !alone(hostname) && told.embed.some((o) => o.startsWith('https:')),
  };
}

/** alone reports whether a host means the machine itself wherever it is asked for. */
export const alone = (host) => /^(127(\.\d+){3}|\[::1\]|(.+\.)?localhost)$/.test(host);

/** local reports whether a host is of a network of its own, and means nothing on the Internet. */
export function local(host) {
  if (/^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.[\d.]+$/.test(host)) return true;
  if (/^\[f([cd]|e[89ab])/.test(host)) return true;
  return !host.startsWith('[') && (!host.includes('.') || /\.(local|lan|home|internal|home\.arpa)$/.test(host));
}

/** watchLine is what one pastes into a terminal to watch, in any shell: a link has no quotes in it. */
export const watchLine = (link) => `relay watch '${link}'`;

/** What has the phone's own sheet share the page; null where there is no such sheet, or the page is for this machine alone. */
export function handOver(it, title, phone) {
  const data = { title, url: it.page };
  return it.near && phone.canShare?.(data) ? () => phone.share(data).catch(() => {}) : null; // it may be thought better of
}

/** snippet is the markup that shows the picture in the page of another site. */
export function snippet(src, title) {
  const safe = (s) => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
  return `<iframe src="${safe(src)}" title="${safe(title)}" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`;
}

/** qrPath draws the dark modules of rows as one path, a module to a unit. */
export function qrPath(rows) {
  let d = '';
  rows.forEach((row, y) => {
    for (const m of row.matchAll(/1+/g)) d += `M${m.index} ${y}h${m[0].length}v1h-${m[0].length}z`;
  });
  return d;
}

function qrCode(rows, name) {
  const size = rows.length + 2 * quiet;
  return svg('svg', { viewBox: `${-quiet} ${-quiet} ${size} ${size}`, role: 'img', 'aria-label': name, 'shape-rendering': 'crispEdges' },
    svg('rect', { x: -quiet, y: -quiet, width: size, height: size, class: 'light' }), svg('path', { d: qrPath(rows), class: 'dark' }));
}
