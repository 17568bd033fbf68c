import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addresses, chosen, find, named } from './choice.js';
import { keymap, meant } from './keys.js';
import { absent, keyWords } from './words.js';

const press = (key, more = {}) => ({ key, ctrlKey: false, altKey: false, metaKey: false, ...more });

test('each key means one thing, and each is told of', () => {
  const all = keymap.flatMap((m) => m.keys);
  assert.equal(new Set(all).size, all.length);
  for (const { act } of keymap) assert.ok(keyWords[act], act);
});

test('keys that other programs use are left to them', () => {
  assert.equal(meant(press('m'), false, ''), 'mute');
  assert.equal(meant(press('M'), false, ''), 'mute');
  assert.equal(meant(press('?', { shiftKey: true }), false, ''), 'keys');
  for (const held of ['ctrlKey', 'altKey', 'metaKey']) assert.equal(meant(press('c', { [held]: true }), true, ''), '', held);
  assert.equal(meant(press('s'), true, 'text'), '');
  assert.equal(meant(press(' '), true, 'button'), '', 'a button uses the space bar itself');
  assert.equal(meant(press('k'), true, 'button'), 'play');
  assert.equal(meant(press('ArrowLeft'), true, 'slider'), '', 'a slider uses the arrows itself');
  assert.equal(meant(press(' '), true, 'slider'), 'play');
  assert.equal(meant(press('m'), true, 'slider'), 'mute');
  assert.equal(meant(press('x'), true, ''), '');
});

test('arrows scroll the page, unless the player has the focus', () => {
  assert.equal(meant(press('ArrowUp'), false, ''), '');
  assert.equal(meant(press('ArrowUp'), true, 'button'), 'louder');
  assert.equal(meant(press('ArrowDown'), true, ''), 'softer');
});

test('an address names a channel in any of three ways, and embed is no channel', () => {
  const name = (href) => named(new URL(href));
  assert.equal(name('http://h/#ABCD'), 'abcd');
  assert.equal(name('http://h/live/abcd'), 'abcd');
  assert.equal(name('http://h/?ch=abcd'), 'abcd');
  assert.equal(name('http://h/embed'), '');
  assert.equal(name('http://h/live/embed#abcd'), 'abcd');
  assert.equal(name('http://h/#%zz'), '%zz');
});

test('a channel is found by the beginning of its ID, if that is enough', () => {
  const all = [{ id: 'abcdefgh' }, { id: 'abcdxxxx' }];
  assert.equal(find(all, 'abcde'), all[0]);
  assert.equal(find(all, 'abcd'), null);
  assert.equal(find(all.slice(0, 1), 'abc'), null);
  assert.equal(chosen(all, ''), null);
  assert.equal(chosen(all.slice(1), ''), all[1]);
  assert.match(absent(all, 'abcd').text, /More than one/);
  assert.match(absent(all, 'abc').text, /too short/);
  assert.equal(absent(all, ''), null);
  assert.deepEqual(addresses('abcd'), { media: 'abcd.mp4', hls: 'hls/abcd/master.m3u8' });
});
