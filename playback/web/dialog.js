// What opens over the page. The browser keeps the focus inside and closes it by Escape.

import { html, svg } from './svg.js';
import { sheets } from './words.js';

let opened = 0;

/** Sheet is a dialog with a title; body is what it shows. */
export class Sheet {
  body = html('div', { class: 'sheetbody' });
  #box;
  #opener = null; // gets the focus back

  constructor(title, name) {
    const id = `sheet${opened++}`;
    const close = html('button', { type: 'button', class: 'icon', 'aria-label': sheets.close, title: sheets.closeByKey },
      svg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, svg('path', { class: 'stroke', d: 'm6 6 12 12M18 6 6 18' })));
    this.#box = html('dialog', { class: `sheet ${name}`, 'aria-labelledby': id },
      html('header', {}, html('h2', { id }, title), close), this.body);
    close.addEventListener('click', () => this.close());
    this.#box.addEventListener('click', (e) => { if (e.target === this.#box) this.close(); }); // beside it
    this.#box.addEventListener('close', () => {
      this.#opener?.focus?.(); // a browser may not have focused the button that was clicked
      this.#opener = null;
    });
    document.body.append(this.#box);
  }

  get isOpen() { return this.#box.open; }

  /** open shows the dialog; opener gets the focus when it closes. */
  open(opener = document.activeElement) {
    if (this.isOpen) return;
    this.#opener = opener;
    this.#box.showModal();
  }

  close() { this.#box.close(); }

  toggle(opener) {
    if (this.isOpen) this.close();
    else this.open(opener);
  }
}
