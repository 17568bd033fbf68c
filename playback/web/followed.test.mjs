import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atHome, rows } from './followed.js';

test('whom a person follows is asked for at their own machine alone', () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]']) assert.ok(atHome(host), host);
  for (const host of ['', '192.168.1.5', 'example.org', 'localhost.example.org', '127.0.0.1.example.org', '1127.0.0.1', '[fe80::1]', '127.0.0']) assert.ok(!atHome(host), host);
});

test('live channels stand in front, with the way to them', () => {
  const of = (as, state, more = {}) => ({ id: `${as}id`, name: `${as}name`, as, title: '', state, open: false, ...more });
  assert.deepEqual(rows([of('a', 'off'), of('b', 'live', { title: '<b>Finals', open: true }), of('c', 'waiting', { title: 'Later' }), of('d', 'on'), of('e', 'new')]), [
    { name: 'b', live: true, text: 'Live · <b>Finals', href: 'bname', command: '' },
    { name: 'd', live: true, text: 'On the air', href: '', command: 'relay watch d' },
    { name: 'a', live: false, text: 'Off', href: '', command: '' },
    { name: 'c', live: false, text: 'Waiting · Later', href: '', command: '' },
    { name: 'e', live: false, text: 'Off', href: '', command: '' },
  ]);
  assert.deepEqual(rows([]), []);
});
