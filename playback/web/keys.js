// The keys of the page, one table for what they do and for what is told of them.

import { Sheet } from './dialog.js';
import { html } from './svg.js';
import { keyNames, keyWords, sheets } from './words.js';

/** What a key does, by the name under which an act is given to listen. */
export const keymap = [
  { act: 'play', keys: [' ', 'k'] },
  { act: 'mute', keys: ['m'] },
  { act: 'louder', keys: ['ArrowUp'], over: true },
  { act: 'softer', keys: ['ArrowDown'], over: true },
  { act: 'live', keys: ['l'] },
  { act: 'back', keys: ['ArrowLeft'], over: true },
  { act: 'ahead', keys: ['ArrowRight'], over: true },
  { act: 'full', keys: ['f'] },
  { act: 'pip', keys: ['p'] },
  { act: 'captions', keys: ['c'] },
  { act: 'share', keys: ['s'] },
  { act: 'details', keys: ['d'] },
  { act: 'keys', keys: ['?'] },
];

/**
 * meant returns the name of the act that a key press means, '' for none. over says that the focus
 * is on the player, uses that it is on what uses keys of its own: 'text', 'slider' or 'button'.
 */
export function meant({ key, ctrlKey, altKey, metaKey }, over, uses) {
  if (ctrlKey || altKey || metaKey || uses === 'text') return '';
  const k = key.length === 1 ? key.toLowerCase() : key;
  if (k === ' ' && uses === 'button' || k.startsWith('Arrow') && uses === 'slider') return '';
  return keymap.find((m) => m.keys.includes(k) && (over || !m.over))?.act ?? '';
}

/** listen does what is meant by each key press, with the functions in acts. stage is the player. */
export function listen(acts, stage) {
  document.addEventListener('keydown', (e) => {
    const { target } = e;
    const uses = [['input[type=range]', 'slider'], ['input, textarea, select', 'text'], ['button, a', 'button']].find(([what]) => target.closest?.(what))?.[1] ?? '';
    const act = meant(e, stage.contains(target) || document.fullscreenElement === stage, uses);
    if (!acts[act] || act !== 'keys' && document.querySelector('dialog[open]')) return;
    e.preventDefault(); // else the page would scroll
    acts[act]();
  });
}

/** keySheet makes the dialog that tells the keys of those acts that there are. */
export function keySheet(acts) {
  const sheet = new Sheet(sheets.keys, 'keysheet');
  sheet.body.append(html('dl', { class: 'keys' }, ...keymap.filter((m) => acts[m.act]).map((m) => html('div', {},
    html('dt', {}, ...m.keys.map((k) => html('kbd', {}, keyNames[k] ?? k.toUpperCase()))), html('dd', {}, keyWords[m.act])))));
  return sheet;
}
