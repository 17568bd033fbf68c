// Begins the page, or the frame: first the language, then all that speaks it. Were the language awaited in a module
// that the others import, Safari would run some of these too early (WebKit bug 242740).

import { dress } from './dress.js';
import { asked, choose, speak, tag } from './tongue.js';

speak(choose(asked(location), navigator.languages ?? [navigator.language])).then(() => {
  if (tag() !== 'en') dress(document);
  if (document.body.classList.contains('films')) return import('./broadcast.js');
  return document.body.classList.contains('embed') ? import('./embed.js') : import('./app.js');
});
