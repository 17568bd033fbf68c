// In which language the page speaks, and its sentences. Nothing here touches the document.

import en from './lang/en.js';

/**
 * The languages that the page knows, each by its tag (BCP 47) as it is written in <html lang>, and where its
 * sentences are. To add one: write its file, as lang/en.js tells, and a line here.
 */
export const languages = {
  en: async () => ({ default: en }),
  de: () => import('./lang/de.js'),
  es: () => import('./lang/es.js'),
  fr: () => import('./lang/fr.js'),
  ja: () => import('./lang/ja.js'),
  'zh-Hans': () => import('./lang/zh-Hans.js'),
};

/** asked is the language that an address asks for by ?lang=, '' for none. */
export const asked = ({ search }) => new URLSearchParams(search).get('lang') ?? '';

/**
 * choose returns {tag, locale} of the first wish that is known: the language, and how figures and times are written
 * in the region that was wished for. asked, of ?lang=, comes before what the browser wishes. A language that is
 * written in another script is another one: a browser that wishes for zh-TW gets Chinese in simplified letters
 * only if its list names that too.
 */
export function choose(asked, wishes) {
  for (const wish of [asked, ...wishes ?? []]) {
    try {
      const it = new Intl.Locale(wish);
      const tag = Object.keys(languages).find((known) => same(new Intl.Locale(known), it));
      if (tag) return { tag, locale: it.toString() };
    } catch { /* it is no language */ }
  }
  return { tag: 'en', locale: 'en' };
}

function same(a, b) {
  const [x, y] = [a.maximize(), b.maximize()];
  return x.language === y.language && x.script === y.script;
}

let spoken; // {tag, locale, sentences, plural}
let written; // how a number and a list are written, by the digits after the point

/** speak has everything said in a language from now on; where its sentences cannot be had, in English. */
export async function speak({ tag, locale }) {
  try {
    use(tag, locale, (await languages[tag]()).default);
  } catch {
    use('en', 'en', en);
  }
}

/** use is speak with the sentences themselves. */
export function use(tag, locale, sentences) {
  spoken = { tag, locale, sentences, plural: new Intl.PluralRules(tag) };
  written = new Map();
}
use('en', 'en', en);
const english = spoken;

/** tag is the language's, and locale that of figures and times. */
export const tag = () => spoken.tag;
export const locale = () => spoken.locale;

/** says reports whether there is such a sentence at all. */
export const says = (key) => key in en;

/**
 * say returns a sentence with the values in place of its {names}; n chooses the form for so many. What one language
 * lacks is said in English.
 */
export function say(key, values = {}) {
  const by = key in spoken.sentences ? spoken : english;
  let sentence = by.sentences[key];
  if (typeof sentence === 'object') sentence = sentence[by.plural.select(values.n)] ?? sentence.other;
  return sentence.replace(/\{(\w+)\}(\.?)/g, (_, name, stop) => {
    const value = typeof values[name] === 'number' ? number(values[name]) : String(values[name]);
    return value.endsWith('.') ? value : value + stop; // a.m. and the end of the sentence share theirs
  });
}

/** number writes a number, with so many digits after the point. */
export function number(n, digits = 0) {
  if (!written.has(digits)) written.set(digits, new Intl.NumberFormat(spoken.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  return written.get(digits).format(n);
}

/** all writes a list of what is all meant: style 'long' has an “and” in it. */
export const all = (parts, style = 'narrow') => new Intl.ListFormat(spoken.locale, { type: 'conjunction', style }).format(parts);

/** hint is what a button tells of itself: what it does, and by which key; null is none. */
export function hint(what, key) {
  return key ? say('controls.hint', { what, key: key === 'Space' ? say('key.space') : key }) : what;
}
