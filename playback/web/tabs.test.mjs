import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Tabs, census, late, mostTabs } from './tabs.js';

// browser returns a function that opens a tab of a kind, which answers so many ms after it was asked.
function browser() {
  const channels = [];
  return (kind, slow = 0) => {
    const tab = { kind, rested: 0, others: null };
    const channel = {
      hear: null,
      addEventListener: (_, hear) => { channel.hear = hear; },
      postMessage: (data) => {
        for (const c of channels) if (c !== channel) setTimeout(() => c.hear({ data }), data.to ? slow : 0);
      },
    };
    channels.push(channel);
    const tabs = new Tabs(channel, () => tab.kind, () => {
      if (tab.kind !== 'spare') return;
      tab.rested++;
      tab.kind = '';
    });
    tab.ask = () => {
      tab.kind = 'seen';
      tabs.ask((others) => { tab.others = others; tab.kind = ''; });
    };
    return tab;
  };
}

function timed(name, body) {
  test(name, () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      body((ms) => { for (let i = 0; i < ms; i += 10) mock.timers.tick(10); });
    } finally {
      mock.timers.reset();
    }
  });
}

timed('the newest gives way to as many as may take a stream', (pass) => {
  const open = browser();
  for (let i = 0; i < mostTabs - 1; i++) open('seen');
  open('');
  const last = open('');
  last.ask();
  pass(late + 100);
  assert.equal(last.others, null, 'there was room for it');
  const newest = open('');
  newest.ask();
  pass(census + 20);
  assert.equal(newest.others, mostTabs);
  assert.equal(last.others, null);
});

timed('an answer that comes late counts', (pass) => {
  const open = browser();
  for (let i = 0; i < mostTabs - 1; i++) open('seen');
  open('seen', 2000);
  const newest = open('');
  newest.ask();
  pass(1000);
  assert.equal(newest.others, null);
  pass(1100);
  assert.equal(newest.others, mostTabs);
});

timed('one that nobody sees lets go first', (pass) => {
  const open = browser();
  for (let i = 0; i < mostTabs - 1; i++) open('seen');
  const spare = open('spare');
  const newest = open('');
  newest.ask();
  pass(late);
  assert.deepEqual([spare.rested, newest.others], [1, null]);
});

timed('answers to another tab do not count', (pass) => {
  const open = browser();
  for (let i = 0; i < mostTabs - 2; i++) open('seen');
  const two = [open(''), open('')];
  for (const tab of two) tab.ask();
  pass(late);
  assert.deepEqual(two.map((t) => t.others), [null, null]);
});

timed('what an older page says is not understood', (pass) => {
  const open = browser();
  const tab = open('');
  tab.ask();
  for (const word of ['who', 'seen', null, 7]) new Tabs({ addEventListener: (_, hear) => hear({ data: word }) }, () => 'seen', assert.fail);
  pass(late);
  assert.equal(tab.others, null);
});
