// What a viewer sees, and what the page says of it: one answer for the card over the picture and for the badge
// beneath it, so that they cannot contradict each other. The node says what the channel's situation is
// (SituationOf in playback/api); the page adds what it alone knows: whether media come to it, what the person
// wants, what the browser cannot play, and whether the node answers. The sentences are in words.js.

import { clock, own, situations } from './words.js';

/** After so long, in seconds, it is said since when, and what to check. */
const lateAfter = 15;

/** Situations that go on for some moments while what has come already is still played. */
const lagging = ['reconnecting', 'paused', 'stuck'];

/** Situations in which a source waits for media, which its browser could film. */
const idle = ['waiting', 'paused', 'ended'];

/**
 * sight takes the player ({state, paused, ahead, at}, as Player has them), the channel as the node tells it, null if
 * it tells nothing, and whether the node answers at all. It returns {name, card, badge}: card is
 * {title, text, tone, busy, action, links}, or null where the picture speaks for itself; badge is [word, kind].
 */
export function sight({ state, paused = false, ahead = null, at = null }, channel, reached, now = Date.now()) {
  const said = channel?.situation.name ?? 'live'; // nothing is known yet: the player tries
  const playing = state.name === 'playing';
  if (channel?.unread) return { name: said, card: own.unread, badge: situations[said].badge };
  if (playing && !paused && (ahead !== null || !reached)) { // media come: the node's word may be older
    const name = reached && lagging.includes(said) ? said : 'live';
    return { name, card: null, badge: situations[name].badge };
  }
  if (!reached) return ownSight('lost');
  if (playing && at !== null) { // what was: whatever the channel is doing now, there is a picture, and not of now
    const [word, kind] = situations[said].badge;
    return { name: said, card: null, badge: paused ? own.paused.badge : [word, kind === 'live' ? '' : kind] };
  }
  if (playing && !['ended', 'closed'].includes(said)) { // paused, or HLS, some seconds behind
    return { name: said, card: null, badge: paused ? own.paused.badge : situations[said].badge };
  }
  if (said !== 'live') {
    const card = cardOf(said, channel, now);
    if (['resting', 'tap'].includes(state.name)) Object.assign(card, { busy: false, action: own.tap.action });
    return { name: said, card, badge: situations[said].badge };
  }
  return byPlayer(state, at);
}

// cardOf says what a node tells.
function cardOf(name, channel, now) {
  const kind = situations[name];
  const { source } = kind;
  const long = channel.situation.for_s ?? 0;
  const since = clock(now - long * 1000, now);
  const text = (channel.root && source?.text) || (channel.private && kind.private) || (long >= lateAfter && kind.late) || kind.text;
  return { title: (channel.root && source?.title) || kind.title, text: text({ since }), busy: !kind.action, action: kind.action, films: Boolean(channel.films) && idle.includes(name) };
}

// byPlayer is the sight where the channel is live, and the page has no picture of it.
function byPlayer(state, at) {
  switch (state.name) {
    case 'connecting': return ownSight('connecting');
    case 'queued': return state.others ? ownSight('queued', state.others) : ownSight('slow');
    case 'waiting': return { ...ownSight('connecting'), card: { title: situations.starting.title, text: situations.starting.text(), busy: true } };
    case 'stalled': return ownSight('stalled');
    case 'tap': return ownSight('tap');
    case 'resting': return ownSight(state.why !== 'paused' ? 'resting' : at === null ? 'paused' : 'held');
    case 'ended':
    case 'gone':
    case 'lost': return ownSight('again');
    case 'full': return ownSight('full');
    case 'unsupported': return ownSight('unsupported', state.names);
    case 'helpless': return ownSight('helpless');
    default: return { name: 'live', card: null, badge: situations.live.badge };
  }
}

function ownSight(name, ...of) {
  const card = typeof own[name] === 'function' ? own[name](...of) : own[name];
  return { name, card, badge: card.badge ?? situations.live.badge };
}

/** badgeOf is a word for a channel of a list, and how much to worry. */
export const badgeOf = (channel) => situations[channel.situation.name].badge;
