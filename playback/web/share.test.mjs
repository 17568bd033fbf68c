import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copy } from './copy.js';
import { begins } from './details.js';
import { alone, handOver, invitation, local, qrPath, snippet, watchLine } from './share.js';

const told = { link: 'relay://abcd@192.168.1.5:7144', page: 'http://192.168.1.5:7145/', near: true, private: false, qr: ['101', '010', '111'], embed: [] };
const at = (href) => new URL(href);

test('a page that was opened on the node itself is shared by the address that others reach', () => {
  const it = invitation(told, at('http://127.0.0.1:7145/'), 'abcd2345');
  assert.equal(it.page, 'http://192.168.1.5:7145/');
  assert.deepEqual([it.near, it.local, it.qr.length], [true, true, 3]);
});

test('a page is shared by the address at which it was found, and has a code if the node knows that', () => {
  const same = invitation({ ...told, page: 'http://192.168.1.5:7145/#abcd2345' }, at('http://192.168.1.5:7145/abcd2345'), 'abcd2345');
  assert.deepEqual([same.page, same.qr.length], ['http://192.168.1.5:7145/#abcd2345', 3]);
  const behind = invitation(told, at('https://live.example.org/relay/?ch=abcd'), 'abcd2345');
  assert.deepEqual([behind.page, behind.qr.length, behind.local], ['https://live.example.org/relay/#abcd2345', 0, false]);
  assert.equal(behind.frame, 'https://live.example.org/relay/embed#abcd2345');
});

test('a page for this machine alone is shared with nobody', () => {
  const it = invitation({ ...told, page: 'http://127.0.0.1:7145/', near: false, qr: [] }, at('http://localhost:7145/'), 'abcd2345');
  assert.deepEqual([it.near, it.qr.length], [false, 0]);
});

test('the sheet of a phone is given the address of the page, and no link', async () => {
  const shared = [];
  const phone = { canShare: (data) => 'url' in data, share: async (data) => { shared.push(data); throw new Error('thought better of'); } };
  const it = invitation(told, at('http://127.0.0.1:7145/'), 'abcd2345');
  await handOver(it, 'Finals', phone)();
  assert.deepEqual(shared, [{ title: 'Finals', url: 'http://192.168.1.5:7145/' }]);
  assert.equal(handOver(it, 'Finals', {}), null);
  assert.equal(handOver({ ...it, near: false }, 'Finals', phone), null);
});

test('it is said where browsers would show an empty frame', () => {
  const mixed = (page, embed) => invitation({ ...told, page, embed }, at('http://127.0.0.1:7145/'), 'abcd2345').mixed;
  assert.equal(mixed('http://192.168.1.5:7145/', ['https://example.org']), true);
  assert.equal(mixed('http://192.168.1.5:7145/', ['http://192.168.1.9']), false);
  assert.equal(mixed('http://127.0.0.1:7145/', ['https://example.org']), false);
  assert.equal(mixed('https://live.example.org/', ['https://example.org']), false);
});

test('hosts are told apart by who can reach them', () => {
  for (const host of ['127.0.0.1', '127.3.2.1', 'localhost', 'a.localhost', '[::1]']) assert.ok(alone(host), host);
  for (const host of ['192.168.1.5', 'localhost.example', '[::2]', '128.0.0.1', 'mylocalhost']) assert.ok(!alone(host), host);
  for (const host of ['10.1.2.3', '192.168.1.5', '172.16.0.1', '172.31.9.9', '100.64.0.1', '169.254.1.1', '[fe80::1]', '[fd00::1]', 'studio', 'studio.local', 'a.home.arpa']) assert.ok(local(host), host);
  for (const host of ['198.51.100.7', '172.32.0.1', '100.128.0.1', '[2001:db8::1]', 'live.example.org', '10.example.org']) assert.ok(!local(host), host);
});

test('a title cannot leave its place in the markup', () => {
  assert.equal(watchLine('relay://x'), "relay watch 'relay://x'");
  const text = snippet('http://h/embed#abcd', '"><script>alert(1)</script>&\'');
  assert.ok(!/<script|alert\(1\)<|title=""/.test(text), text);
  assert.equal(text.match(/"/g).length, 10);
  assert.match(text, /^<iframe src="http:\/\/h\/embed#abcd" title="[^"<>]*" width="640"[^<>]*><\/iframe>$/);
});

test('a code is drawn module for module', () => {
  assert.equal(qrPath(['101', '010', '011']), 'M0 0h1v1h-1zM2 0h1v1h-1zM1 1h1v1h-1zM1 2h2v1h-2z');
});

// A text field as far as copy needs one, in a page that copies what is selected there.
function field(value, page) {
  return {
    value, picked: '',
    focus() { if (page.lets) page.activeElement = this; },
    select() {},
    setSelectionRange(from, to) { this.picked = value.slice(from, to); },
  };
}
const page = (execs, lets = true) => ({ activeElement: null, lets, copied: null, execCommand() { if (execs === 'throws') throw new Error('no'); this.copied = this.activeElement?.picked ?? ''; return execs; /* whatever was selected, as browsers do */ } });

test('text is copied by the clipboard where there is one', async () => {
  let got = '';
  const p = page(true);
  assert.equal(await copy(field('abc', p), { clipboard: { writeText: async (s) => { got = s; } }, page: p }), true);
  assert.deepEqual([got, p.copied], ['abc', null]);
});

test('without a clipboard, or one that refuses, what is selected is copied', async () => {
  for (const clipboard of [undefined, { writeText: () => Promise.reject(new Error('not allowed')) }, { writeText() { throw new Error('no'); } }]) {
    const p = page(true);
    assert.equal(await copy(field('abc', p), { clipboard, page: p }), true);
    assert.equal(p.copied, 'abc');
  }
});

test('nothing is called copied that was not', async () => {
  for (const [p, what] of [[page(false), 'the browser refuses'], [page('throws'), 'it throws'], [page(true, false), 'the field cannot be focused']]) {
    const f = field('abc', p);
    assert.equal(await copy(f, { clipboard: undefined, page: p }), false, what);
    assert.equal(f.picked, 'abc', `${what}: it stays selected`);
  }
});

test('the details are open where there is room, and as they were left', () => {
  assert.deepEqual([begins(null, true), begins(null, false), begins('open', false), begins('closed', true), begins('x', true)], [true, false, true, false, true]);
});
