// Says over the picture what happens, where the picture does not speak for itself.

import { html } from './svg.js';
import { offers } from './words.js';

const el = (id) => document.getElementById(id);

/** set changes a text only if it is another one: an aria-live region is read out whenever it is touched. */
export function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** showCard shows the card that sight in state.js tells; null for nothing. */
export function showCard(s) {
  el('state').hidden = !s;
  el('state').classList.toggle('now', Boolean(s && !s.busy));
  set(el('what'), s?.title ?? '');
  set(el('next'), s?.text ?? '');
  el('busy').hidden = !s?.busy;
  el('action').hidden = !s?.action;
  set(el('action'), s?.action ?? '');
  el('statelinks').hidden = !s?.links;
  if (el('film')) el('film').hidden = !s?.films; // a frame has none
}

/** showLinks offers a channel to other players. */
export function showLinks(box, channel) {
  const all = offers(channel);
  const of = JSON.stringify(all);
  if (box.dataset.of === of) return; // else a link that has the focus would lose it
  box.dataset.of = of;
  box.replaceChildren(...all.map(([text, href]) => html('a', { href }, text)));
}
