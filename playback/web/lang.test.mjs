import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { asked, choose, hint, languages, locale, number, say, speak, tag, use } from './tongue.js';

const catalogues = Object.fromEntries(await Promise.all(Object.entries(languages).map(async ([name, from]) => [name, (await from()).default])));
const { en } = catalogues;
const here = (name) => new URL(name, import.meta.url);

/** forms are the sentences of an entry: one, or one for each plural. */
const forms = (entry) => typeof entry === 'string' ? [entry] : Object.values(entry);
const names = (sentence) => [...sentence.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).toSorted();

// wide is about how wide a sentence is, in letters: those of East Asia are two wide. A number counts as three, an ID as four, and what
// else is filled in as eight.
const room = { n: 3, d: 3, h: 3, min: 3, taken: 3, here: 3, id: 4, parent: 4 };
const wide = (s) => [...s.replace(/\{(\w+)\}/g, (_, name) => 'x'.repeat(room[name] ?? 8))].reduce((sum, c) => sum + (c >= '\u2e80' ? 2 : 1), 0);

/** bounds are how wide sentences may be, so that they fit a phone of 320 pixels. */
const bounds = [
  [/\.badge$/, 20], // beside another one
  [/\.title(Unknown)?$/, 40], // a heading of two lines
  [/^action\.|^page\.(share|details)$|^share\.(copy|done)$/, 14], // a button
  [/^controls\.(tapForSound|live|behind)$/, 19], // between other buttons over the picture
  [/^(graph|unit)\./, 24],
  [/^film\.(low|medium|high|smooth)$/, 32], // an option of a choice, which ends no line
  [/^(place|reach|watching|badge|left)\./, 60], // a badge of its own line or two
  [/^tree\.(title|source|cut|links|self|lost)$/, 18], // in the drawing
  [/\.(text|late|private)$/, 260], // over the picture, a dozen lines that scroll
  [/./, 260],
];

test('no line of French ends before its signs', () => {
  for (const [key, entry] of Object.entries(catalogues.fr)) for (const sentence of forms(entry)) assert.doesNotMatch(sentence, / [:?!;»]|« /, key);
});

test('every file is a language, and every language has its file', async () => {
  const files = (await readdir(here('lang/'))).map((name) => name.replace('.js', ''));
  assert.deepEqual(files.toSorted(), Object.keys(languages).toSorted());
});

for (const [name, all] of Object.entries(catalogues)) {
  test(`${name} says all that English says, and no more`, () => {
    assert.deepEqual(Object.keys(all).filter((key) => !(key in en)), [], 'English has no such sentence');
    assert.deepEqual(Object.keys(en).filter((key) => !(key in all)), [], 'it is missing');
  });

  test(`${name} fills in what English fills in`, () => {
    for (const [key, entry] of Object.entries(all)) {
      for (const sentence of forms(entry)) {
        assert.deepEqual(names(sentence), names(forms(en[key])[0]), `${key}: ${sentence}`);
        assert.doesNotMatch(sentence, /[{}]{2}|\{(?!\w+\})|(?<!\{\w+)\}|^\s|\s$|'/, `${key}: ${sentence}`);
        assert.ok(sentence, key);
      }
    }
  });

  test(`${name} has each plural that its language has`, () => {
    // CLDR's “many” of French and Spanish is that of whole millions.
    const has = new Intl.PluralRules(name).resolvedOptions().pluralCategories.filter((c) => c !== 'many').toSorted();
    for (const [key, entry] of Object.entries(all)) {
      assert.equal(typeof entry, typeof en[key], key);
      if (typeof entry !== 'string') assert.deepEqual(Object.keys(entry).toSorted(), has, key);
    }
  });

  test(`${name} fits a phone`, () => {
    for (const [key, entry] of Object.entries(all)) {
      const [, most] = bounds.find(([kind]) => kind.test(key));
      for (const sentence of forms(entry)) assert.ok(wide(sentence) <= most, `${key} is ${wide(sentence)} wide, of ${most}: ${sentence}`);
    }
  });

  test(`${name} is what every word of the page is in`, async () => {
    await speak({ tag: name, locale: name });
    assert.equal(tag(), name);
    const words = await import(`./words.js?${name}`);
    const said = [words.rate(6.1e6), words.seconds(2.5), words.millis(120), words.duration(3700), words.duration(90_000), words.place({ depth: 2, parent: 'abcdef', situation: { name: 'live' } }),
      words.watching({ viewer_count: 1, watching: 1400 }), words.dropped({ cut_picture: 2 }), words.dropped({ new: 1 }), words.leftPeers({ slow: 1, lied: 2 }),
      words.treeSum({ nodes: 4, max_depth: 2, slots_free: 1, worst_delay_ms: 300, lost: 0 }), words.peerCasts({ connected: 2, behind: 1400, listeners: 1 }), words.absent([{ id: 'xyz2' }], 'ab').text, words.own.queued(5).text, words.own.unsupported('HEVC').title,
      words.own.unsupported('').title, words.shareWords.copied('x'), words.titleOf({ name: 'abcd' }), words.clock(0, 1e12),
      ...words.nodeWords({ id: 'abcd', depth: 1, delay_ms: 40, children: 1, slots: 3, upload_bps: 5e6, lost: 1, uptime_s: 70 }, true)];
    for (const s of said) assert.doesNotMatch(s, /[{}]|undefined|NaN|null/, s);
    if (name === 'de') {
      assert.deepEqual(said.slice(0, 2), ['6,1 Mbit/s', '2,5 s']);
      assert.equal(words.watching({ viewer_count: 0, watching: 1400 }), '1.400 schauen zu');
      assert.equal(words.situations.waiting.source.title, 'Der Encoder fehlt noch');
    }
    await speak({ tag: 'en', locale: 'en' });
  });
}

test('the first wish that is known is obeyed, and the address comes before the browser', () => {
  const is = (address, wishes) => choose(asked(new URL(address, 'http://h')), wishes).tag;
  assert.equal(is('/', ['de-AT', 'en']), 'de');
  assert.equal(is('/', ['pt-BR', 'fr-CA', 'en']), 'fr');
  assert.equal(is('/', ['en-GB', 'de']), 'en');
  assert.equal(is('/', ['sw']), 'en');
  assert.equal(is('/', []), 'en');
  assert.equal(is('/', undefined), 'en');
  assert.equal(is('/?lang=ja', ['de']), 'ja');
  assert.equal(is('/?lang=xx', ['de']), 'de');
  assert.equal(is('/?lang=../x', ['C', 'de']), 'de');
  assert.equal(is('/embed?lang=es-419#abcd', []), 'es');
  assert.equal(choose('', ['de-AT']).locale, 'de-AT');
});

test('Chinese in other letters is another language', () => {
  const is = (...wishes) => choose('', wishes).tag;
  for (const simplified of ['zh', 'zh-CN', 'zh-SG', 'zh-Hans', 'zh-Hans-HK']) assert.equal(is(simplified), 'zh-Hans', simplified);
  for (const traditional of ['zh-TW', 'zh-HK', 'zh-Hant']) assert.equal(is(traditional, 'en-US'), 'en', traditional);
  assert.equal(is('zh-TW', 'zh', 'en-US'), 'zh-Hans', 'the list names it');
});

test('what a language lacks is said in English, sentence by sentence', (t) => {
  t.after(() => use('en', 'en', en));
  use('ja', 'ja', { 'live.badge': 'ライブ' });
  assert.deepEqual([say('live.badge'), say('ended.badge'), say('tree.nodes', { n: 1 }), say('tree.nodes', { n: 2 })], ['ライブ', 'Ended', '1 node', '2 nodes']);
});

test('a language whose file does not come is English', async (t) => {
  const kept = languages.de;
  t.after(() => { languages.de = kept; });
  languages.de = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'));
  await speak({ tag: 'de', locale: 'de-AT' });
  assert.deepEqual([tag(), locale(), say('live.badge')], ['en', 'en', 'Live']);
});

test('what is filled in is not filled in again', () => {
  assert.equal(say('absent.miss', { name: '{name} $& $1' }), 'None begins with “{name} $& $1”. Choose from the list.');
  assert.match(say('stuck.text', { since: '9:14 a.m.' }), /since 9:14 a\.m\. If/);
  assert.match(say('stuck.text', { since: '21:14' }), /since 21:14\. If/);
  assert.equal(number(1234.56, 1), '1,234.6');
  assert.deepEqual([hint('Mute', 'm'), hint('Pause', 'Space'), hint('Jump to live', null)], ['Mute (m)', 'Pause (Space)', 'Jump to live']);
});

test('the page itself says in English what the catalogue says', async () => {
  const pages = (await Promise.all(['index.html', 'broadcast.html'].map((name) => readFile(here(name), 'utf8')))).join('\n');
  let n = 0;
  for (const [element] of pages.matchAll(/<[a-z][^>]*>[^<]*/g)) {
    const attr = (name) => element.match(new RegExp(` ${name}="([^"]*)"`))?.[1];
    const text = element.slice(element.indexOf('>') + 1);
    const [label, tip, words] = ['data-label', 'data-hint', 'data-say'].map(attr);
    if (label) assert.equal(attr('aria-label'), en[label], element);
    if (tip) assert.equal(attr('title'), hint(en[tip], attr('aria-keyshortcuts') ?? null), element);
    if (words) assert.equal(text, en[words], element);
    n += [label, tip, words].filter(Boolean).length;
    // Whatever else says something has no other language.
    if (!label) assert.equal(attr('aria-label'), undefined, element);
    if (!tip) assert.equal(attr('title'), undefined, element);
    if (!words && !/^<(noscript|p class="noscript"|title)/.test(element)) assert.ok(['', 'relay', '?'].includes(text.trim()), element);
  }
  assert.ok(n > 30, `${n} sentences`);
});

test('every sentence is used', async () => {
  const files = (await readdir(here('.'))).filter((name) => /\.(js|html)$/.test(name));
  const code = (await Promise.all(files.map((name) => readFile(here(name), 'utf8')))).join('\n');
  for (const key of Object.keys(en)) {
    const parts = key.split('.');
    if (['dropped', 'reach'].includes(parts[0])) continue; // by what the node tells
    assert.ok(code.includes(`'${key}'`) || new RegExp(`\\b${parts.at(-1)}\\b`).test(code) && new RegExp(`\\b${parts[0]}\\b`).test(code), key);
  }
});
