// Puts a language into what index.html says by itself, in English: data-say names the sentence of an element's
// text, data-label that of its aria-label, data-hint that of its title.

import { hint, say, tag } from './tongue.js';

export function dress(page) {
  page.documentElement.lang = tag();
  for (const e of page.querySelectorAll('[data-say]')) e.textContent = say(e.dataset.say);
  for (const e of page.querySelectorAll('[data-label]')) e.setAttribute('aria-label', say(e.dataset.label));
  for (const e of page.querySelectorAll('[data-hint]')) e.title = hint(say(e.dataset.hint), e.getAttribute('aria-keyshortcuts'));
}
