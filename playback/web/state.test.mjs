import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { badgeOf, sight } from './state.js';
import { own, situations } from './words.js';

const node = (name, more = {}) => ({ situation: { name, for_s: 3 }, root: false, depth: 2, parent: 'abcdefghijkl', ...more });
const at = (name, more = {}) => ({ state: { name, ...more }, ahead: name === 'playing' ? 1 : null, paused: more.why === 'paused' });
const players = [
  at('idle'), at('connecting'), at('queued', { others: 5 }), at('queued', { others: 0 }), at('waiting'), at('playing'),
  { ...at('playing'), ahead: null }, { ...at('playing'), paused: true }, at('stalled'), at('tap'), at('resting', { why: 'paused' }),
  at('resting', { why: 'hidden' }), at('ended'), at('gone'), at('full'), at('lost'), at('unsupported', { names: 'HEVC' }), at('helpless'),
];
const names = Object.keys(situations);
const channels = [null, ...names.flatMap((n) => [node(n), node(n, { root: true, depth: 0, parent: '' }), node(n, { private: true }), node(n, { situation: { name: n, for_s: 5400 } })])];

test('there is a sentence for each situation that a node knows, and for no other', async () => {
  const code = await readFile(new URL('../api/situation.go', import.meta.url), 'utf8');
  const known = [...code.matchAll(/SituationName = "(\w+)"/g)].map((m) => m[1]);
  assert.ok(known.length >= 15);
  assert.deepEqual(names.toSorted(), known.toSorted());
});

test('whatever is no picture has a title, a sentence, and something that goes on or can be done', () => {
  for (const player of players) {
    for (const channel of channels) {
      for (const reached of [true, false]) {
        const { name, card, badge } = sight(player, channel, reached, 1e12);
        const of = JSON.stringify([player, channel?.situation, reached]);
        assert.ok(badge?.[0] && ['live', 'warn', ''].includes(badge[1]), of);
        if (!card) {
          assert.ok(['playing', 'idle'].includes(player.state.name), of);
          continue;
        }
        assert.ok(card.title && (card.text || name === 'connecting'), of);
        assert.ok(card.busy || card.action || card.links, `${of}: nothing goes on and nothing can be done`);
        assert.doesNotMatch(card.title + card.text, /undefined|NaN|Invalid/, of);
      }
    }
  }
});

test('what a node says of the channel comes before what the page says of itself', () => {
  const title = (player, channel, reached = true) => sight(player, channel, reached).card?.title;
  assert.equal(title(at('waiting'), node('waiting')), 'Waiting for the broadcaster');
  assert.equal(title(at('waiting'), node('waiting', { root: true })), 'Waiting for the encoder');
  for (const [name, films] of [['waiting', true], ['paused', true], ['ended', true], ['stuck', false]]) {
    assert.equal(sight(at('waiting'), node(name, { root: true, films: true }), true).card.films, films, name);
  }
  assert.equal(sight(at('waiting'), node('waiting', { root: true }), true).card.films, false);
  assert.equal(title(at('waiting'), node('ended')), 'The broadcast has ended', 'not that nothing is sent yet');
  assert.equal(title(at('waiting'), node('live')), 'Waiting for the first picture');
  assert.equal(title(at('stalled'), node('live')), 'The picture stands still');
  assert.equal(title(at('stalled'), node('paused')), 'The stream has paused');
  assert.equal(title(at('stalled'), node('paused', { root: true })), 'The encoder has gone');
  assert.equal(title(at('stalled'), node('reconnecting')), 'Finding another way to the source');
  assert.equal(title(at('gone'), node('live')), 'Reconnecting to the node…');
  assert.equal(title(at('full'), node('live')), 'This node is full');
  assert.equal(title(at('full'), node('full')), 'No place is free');
  assert.equal(title(at('unsupported', { names: 'HEVC' }), node('live')), 'This browser can’t decode HEVC');
  assert.equal(title(at('unsupported', { names: 'HEVC' }), node('ended')), 'The broadcast has ended');
  assert.equal(title(at('lost'), node('live'), false), 'The node does not answer');
  assert.equal(title(at('lost'), node('ended'), false), 'The node does not answer', 'what it said is old');
  assert.equal(title(at('playing'), node('paused')), undefined, 'what has come is still played');
  assert.equal(title({ ...at('playing'), paused: true }, node('ended')), 'The broadcast has ended', 'Play would show what is over as if it were live');
  assert.equal(title(at('resting', { why: 'paused' }), node('live')), 'You have paused');
  assert.equal(title(at('resting', { why: 'paused' }), node('orphaned')), 'The source is away');
  assert.equal(sight(at('resting', { why: 'paused' }), node('orphaned'), true).card.action, 'Play');
  assert.equal(title(at('stalled'), node('live', { unread: true })), own.unread.title);
});

test('after a while it is said since when, and what to check', () => {
  const text = (for_s, more) => sight(at('waiting'), node('looking', { situation: { name: 'looking', for_s }, ...more }), true, Date.UTC(2026, 10, 30, 12)).card.text;
  assert.doesNotMatch(text(14), /since/);
  assert.match(text(90 * 60), /since .*:30.*Is the broadcaster on/);
  assert.match(sight(at('waiting'), node('unknown', { private: true }), true).card.text, /secret/);
  assert.doesNotMatch(sight(at('waiting'), node('unknown'), true).card.text, /secret/);
});

test('a picture of what was is not covered by what the channel does now', () => {
  for (const name of names) {
    for (const paused of [false, true]) {
      const { card, badge } = sight({ state: { name: 'playing' }, paused, ahead: null, at: 1e12 }, node(name), true);
      assert.equal(card, null);
      const [word, kind] = situations[name].badge;
      assert.deepEqual(badge, paused ? own.paused.badge : [word, kind === 'live' ? '' : kind]);
    }
  }
});

test('who has paused in what was goes on there', () => {
  const rest = { state: { name: 'resting', why: 'paused' }, paused: true, ahead: null };
  assert.equal(sight({ ...rest, at: 1e12 }, node('live'), true).card, own.held);
  assert.equal(sight({ ...rest, at: null }, node('live'), true).card, own.paused);
});

test('a list says of a channel what its page says', () => {
  for (const name of names) assert.equal(badgeOf(node(name)), situations[name].badge);
});

// A generator of numbers from 0 to 1, the same for each seed (mulberry32).
function random(seed) {
  return () => {
    seed = seed + 0x6D2B79F5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}

test('card and badge never contradict each other, whatever changes', (t) => {
  const seed = Number(process.env.RELAY_SEED) || Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`RELAY_SEED=${seed}`);
  const r = random(seed);
  const pick = (all) => all[Math.floor(r() * all.length)];
  let [player, channel, reached] = [players[0], null, true];
  for (let i = 0; i < 20_000; i++) {
    [() => { player = pick(players); }, () => { channel = pick(channels); }, () => { reached = r() < 0.8; }][Math.floor(r() * 3)]();
    const { card, badge: [word, kind] } = sight(player, channel, reached, 1e12);
    const said = card ? `${card.title} ${card.text}` : '';
    const of = `${JSON.stringify([player, channel?.situation, reached])}: “${word}” beside “${said}”`;
    const never = (words, sentences) => assert.ok(!(words.includes(word) && sentences.test(said)), of);
    const seen = channel && !['looking', 'full', 'unknown', 'recording', 'refused', 'waiting', 'starting', 'live'].includes(channel.situation.name);
    if (seen && reached) assert.doesNotMatch(said, /nothing has been sent yet|has answered yet/, of);
    never(['Ended'], /Looking|yet|on its way|Waiting|goes on by itself/);
    never(['Live'], /has ended|has paused|has gone|is away|no network|not found|nothing has been sent|Finding another/);
    never(['Looking', 'Waiting', 'Starting'], /has ended|goes on by itself|last picture/);
    never(['Source away', 'No network', 'Reconnecting'], /has ended|nothing has been sent yet/);
    if (kind === 'live' && reached && channel) assert.ok(channel.situation.name === 'live' || player.state.name === 'playing', of);
    if (!card && word === 'Ended') assert.fail(of);
    if (card === own.lost) assert.equal(word, 'No answer', of);
  }
});
