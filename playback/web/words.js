// The words of the page: figures as people read them, and for each state what happened and what to do next, in the
// language that was chosen (tongue.js) before this module is run. The sentences themselves are in lang/. Nothing here
// touches the document.

import { shortestName } from './choice.js';
import { all, hint, locale, number, say, says } from './tongue.js';

export { hint };

export const seconds = (s) => say('unit.s', { n: number(s, s < 10 ? 1 : 0) });
export const millis = (ms) => (ms < 1000 ? say('unit.ms', { n: Math.round(ms) }) : seconds(ms / 1000));

/** rate writes bits per second. */
export function rate(bps) {
  if (bps < 1e5) return say('unit.kbit', { n: Math.round(bps / 1e3) });
  if (bps < 1e6) return say('unit.kbit', { n: Math.round(bps / 1e4) * 10 });
  return say('unit.mbit', { n: number(bps / 1e6, bps < 1e7 ? 1 : 0) });
}

/** duration writes seconds in its two largest units. */
export function duration(s) {
  if (s < 60) return say('unit.s', { n: Math.round(s) });
  if (s < 3600) return say('unit.min', { n: Math.floor(s / 60) });
  if (s < 86400) return say('unit.hour', { h: Math.floor(s / 3600), min: Math.floor(s % 3600 / 60) });
  return say('unit.day', { d: Math.floor(s / 86400), h: Math.floor(s % 86400 / 3600) });
}

// group is the sentences of those names that begin alike.
const group = (begin, ...names) => Object.fromEntries(names.map((name) => [name, say(`${begin}.${name}`)]));

/** What is written on and beside the controls over the picture. */
export const controls = group('controls', 'play', 'pause', 'mute', 'unmute', 'tapForSound', 'live');

/** behind says how far behind live or the source a picture is; time as written by seconds or duration. */
export const behind = (time) => say('controls.behind', { time });

/** Of HLS the browser does not tell how far behind it is. */
export const behindByHLS = say('badge.hls');

/** What is written on the graphs. */
export const graphWords = { now: say('graph.now'), ago: (ms) => say('graph.ago', { n: Math.round(ms / 60000) }) };

/** What is written in what opens over the page. */
export const sheets = { ...group('sheet', 'close', 'closeByKey'), keys: say('page.keys') };

/** What each key does, and how keys are called that are no letters. */
export const keyWords = group('keys', 'play', 'mute', 'louder', 'softer', 'live', 'back', 'ahead', 'full', 'pip', 'captions', 'share', 'details', 'keys');
export const keyNames = { ' ': say('key.space'), ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→' };

/** What is written where a channel is shared. */
export const shareWords = {
  title: say('page.share'),
  ...group('share', 'asking', 'silent', 'qr', 'qrName', 'page', 'pageNear', 'pageFar', 'pageHere', 'pageHerePrivate', 'relay', 'relayAbout',
    'link', 'linkAbout', 'rtsp', 'rtspAbout', 'srt', 'srtAbout', 'private', 'noLink', 'embed', 'mixed', 'more', 'copy', 'done', 'select'),
  embedAbout: (sites) => say('share.embedAbout', { sites }),
  copyOf: (name) => say('share.copyOf', { name }),
  copied: (name) => say('share.copied', { name }),
};

/** titleOf is what a channel is called where it has no title. */
export const titleOf = (c) => c.title || say('page.untitled', { name: c.name });

/** What is said of each state of a channel that a person follows. */
export const followWords = group('followed', 'live', 'on', 'waiting', 'off');

/** absent says why there is no channel to play; null where there are several to choose from. */
export function absent(channels, wanted) {
  if (channels.length === 0) return { title: say('absent.none.title'), text: say('absent.none.text'), busy: true };
  if (wanted) return { title: say('absent.title'), text: miss(channels, wanted) };
  return null;
}

/** unnamed is said in the frame of another site, which has no list to choose from, where it opens no channel. */
export const unnamed = (wanted) => ({ title: say(wanted ? 'absent.title' : 'absent.unnamed.title'), text: say('absent.unnamed.text') });

// miss says why a name means none of the channels.
function miss(channels, name) {
  if (name.length < shortestName) return say('absent.short', { name, n: shortestName });
  const begin = channels.some((c) => c.id.startsWith(name));
  return say(begin ? 'absent.several' : 'absent.miss', { name: name.slice(0, 60) });
}

/** offers are the ways to open a channel in another player, as [text, address]. An .m3u is what a browser hands to VLC. */
export function offers({ urls: { m3u, ts, flv, hls, rtsp, srt }, lacks = {}, codec }) {
  return [[say('offers.vlc'), m3u, []], ['TS', ts, lacks.ts], ['FLV', flv, []], ['HLS', hls, lacks.hls], ['RTSP', rtsp, lacks.rtsp], ['SRT', srt, lacks.srt]]
    .filter(([, url, missing]) => url && !missing?.includes(codec.video))
    .map(([name, url, missing]) => [missing?.length ? say('offers.silent', { name }) : name, url]);
}

const codecs = { h264: 'H.264', hevc: 'HEVC', av1: 'AV1', vp9: 'VP9', vp8: 'VP8', aac: 'AAC', opus: 'Opus', mp3: 'MP3', flac: 'FLAC', ac3: 'AC-3', eac3: 'E-AC-3' };
const codecName = (c) => codecs[c] ?? c.toUpperCase();

/** format writes what a channel's media is: 1080p60 H.264/AAC. */
export function format(codec) {
  const size = codec.height ? `${codec.height}p${codec.frame_rate ? Math.round(codec.frame_rate) : ''} ` : '';
  return size + [codec.video, codec.audio].filter(Boolean).map(codecName).join('/');
}

/** together names all that a browser cannot decode. */
export const together = (names) => all(names, 'long');

/** recorded says of a stream that calls itself a recording what is shown of that, and whether it is wrong; '' if it does not. */
export function recorded(it) {
  if (!it) return ['', ''];
  const verdict = it.unproved ? 'wrong' : it.proved ? 'shown' : 'open';
  return [say(`recorded.${verdict}`, { name: it.name }), verdict === 'wrong' ? 'warn' : ''];
}

/** madeAAC says that ffmpeg makes AAC of the sound at the source, and of which; '' if not. */
export const madeAAC = (of) => (of ? say('aac.made', { codec: codecName(of) }) : '');

/** dropped says what the encoder has sent that nobody could play; '' if that is nothing. */
export function dropped(tags) {
  const flaws = Object.entries(tags ?? {});
  if (!flaws.length) return '';
  const key = `dropped.${flaws[0][0]}`;
  return say(flaws.length === 1 && says(key) ? key : 'dropped.any', { n: flaws.reduce((sum, [, n]) => sum + n, 0) });
}

/** leftPeers says how many nodes were left because of what they did, and what that was; '' for none. */
export function leftPeers(counts) {
  const reasons = ['forged', 'protocol', 'slow', 'lied'].filter((reason) => counts?.[reason] > 0);
  if (!reasons.length) return '';
  return say('left.peers', { n: reasons.reduce((sum, reason) => sum + counts[reason], 0), why: all(reasons.map((reason) => say(`left.${reason}`))) });
}

/** parentOf is the beginning of the parent's ID and its name, '' for none. */
export const parentOf = (channel) => [channel.parent.slice(0, 4), called({ name: channel.parent_name })];

/** place says where in the tree the node stands; its parent is called by the beginning of its ID and its name, or as is said. */
export function place(channel, parent = parentOf(channel).filter(Boolean).join(' ')) {
  if (channel.root) return say('place.source');
  if (!channel.parent) return say('place.looking');
  const cut = ['orphaned', 'reconnecting', 'ended'].includes(channel.situation.name);
  return say(cut ? 'place.child' : 'place.links', { parent, n: channel.depth });
}

/** columnName is what stands above a column of the tree whose first node that is: where the source is away, no node is it. */
export function columnName(first, column, long) {
  if (first.orphan) return column === 0 ? say('tree.cut') : '';
  const n = first.depth + column;
  return n === 0 ? say('tree.source') : long ? say('tree.links', { n }) : String(n);
}

/** What is written in the drawing of the tree, of a node as /api/v1/tree tells it. */
export const treeWords = {
  cut: say('tree.cut'),
  silent: say('tree.silent'),
  self: (id) => say('tree.self', { id }),
  lost: (n) => say('tree.lost', { n }),
  hidden: (n) => say('tree.hidden', { n }),
  about: ({ nodes, max_depth: deep }) => say('tree.about', { nodes: say('tree.nodes', { n: nodes }), deep: say('tree.deep', { n: deep }) }),
};

/** treeSum says what there is to know of the whole tree. */
export function treeSum({ nodes, max_depth: deep, slots_free: free, worst_delay_ms: worst, lost }) {
  return all([say('tree.nodes', { n: nodes }), say('tree.deep', { n: deep }), say('tree.free', { n: free }), say('tree.slowest', { time: millis(worst) }), say('tree.lost', { n: lost })]);
}

/** peerCasts says who has the channel from this node over PeerCast, as /api/v1/tree tells it; '' for nobody. */
export function peerCasts(p) {
  if (!p?.connected) return '';
  return say('tree.peercast', { nodes: say('tree.nodes', { n: p.connected }), behind: number(p.behind), listeners: say('tree.listeners', { n: p.listeners }) });
}

/** nodeWords says what there is to know of a node, its name first; self says that it is the one that gave the page. */
export function nodeWords(n, self) {
  const parts = [[n.id, self && say('node.self'), called(n)].filter(Boolean).join(', ')];
  if (n.orphan) parts.push(say('node.away'));
  else parts.push(n.depth === 0 ? say('node.source') : say('node.links', { n: n.depth }));
  if (n.unheard) return [...parts, say('node.unheard')];
  if (n.depth > 0 && !n.orphan) parts.push(say('node.behind', { time: millis(n.delay_ms) }));
  return [...parts, say('node.slots', { taken: n.children, n: n.slots }), say('node.sends', { rate: rate(n.upload_bps) }),
    say('node.lost', { n: n.lost }), say('node.up', { time: duration(n.uptime_s) })];
}

/** watching says how many watch the channel, and how many of them here where that is another number; '' for nobody. */
export function watching(channel) {
  const here = channel.viewer_count;
  if (channel.watching == null) return here ? say('watching.here', { n: here }) : '';
  if (!channel.watching) return '';
  return say(here && here !== channel.watching ? 'watching.both' : 'watching.all', { n: channel.watching, here });
}

/**
 * called is a node's name as people read it: behind its ID, in quotation marks that no name has, so that none
 * passes for the source; '' for none. One that is written from right to left does not turn what is around it.
 */
export const called = ({ name }) => (!name ? '' : /^[ -~]*$/.test(name) ? `“${name}”` : `“\u2068${name}\u2069”`);

/** reach says whether others get through to the node, if they do not simply; '' else. */
export const reach = (kind) => says(`reach.${kind}`) ? say(`reach.${kind}`) : '';

/** clock writes a moment, in ms since 1970, as the time of the day, with the day if that is another one. No line ends within it. */
export function clock(ms, now = Date.now(), zone = undefined) {
  const time = { hour: '2-digit', minute: '2-digit', timeZone: zone };
  const day = (at) => new Date(at).toLocaleDateString('en-CA', { timeZone: zone });
  return new Date(ms).toLocaleString(locale(), day(ms) === day(now) ? time : { ...time, day: 'numeric', month: 'short' }).replace(/\s/g, '\u00a0');
}

const actions = group('action', 'play', 'again');

/**
 * What there is to say of each situation of a channel that a node tells (playback/api/design.md, Live), where
 * there is no picture: what happened, and what happens next or can be done. badge is a word for it and how
 * much to worry: 'live', 'warn' or ''. late says it after a while, source where the node is the source. since is a
 * time of the day.
 */
export const situations = Object.fromEntries(Object.entries({
  looking: '', full: 'warn', unknown: 'warn', recording: 'warn', refused: 'warn', waiting: '', starting: '', live: 'live', paused: 'warn',
  stuck: 'warn', reconnecting: 'warn', orphaned: 'warn', ended: '', offline: 'warn', closed: '',
}).map(([name, kind]) => [name, situation(name, kind)]));

function situation(name, kind) {
  const text = (key) => says(key) ? (values) => say(key, values) : undefined;
  const title = (key) => says(key) ? say(key) : undefined;
  return {
    badge: [say(`${name}.badge`), kind],
    title: title(`${name}.title`),
    text: text(`${name}.text`),
    late: text(`${name}.late`),
    private: text(`${name}.private`),
    source: says(`${name}.source.title`) ? { title: title(`${name}.source.title`), text: text(`${name}.source.text`) } : undefined,
    action: ['ended', 'closed'].includes(name) ? actions.again : undefined,
  };
}

// card is what is said of one state of the page.
function card(name, more, values = {}) {
  const key = (part) => `own.${name}.${part}`;
  return {
    ...says(key('badge')) && { badge: [say(key('badge')), ['paused', 'held', 'resting'].includes(name) ? '' : 'warn'] },
    title: say(key('title'), values),
    text: says(key('text')) ? say(key('text'), values) : '',
    ...more,
  };
}

/** What there is to say of the page itself, which has its own connection to the node. */
export const own = {
  unread: card('unread', { tone: 'warn' }),
  connecting: card('connecting', { busy: true }),
  slow: card('slow', { busy: true }),
  queued: (others) => card('queued', { busy: true }, { n: others }),
  stalled: card('stalled', { busy: true }),
  tap: card('tap', { action: actions.play }),
  paused: card('paused', { action: actions.play }),
  held: card('held', { action: actions.play }), // paused in what was
  resting: card('resting', { action: actions.play }),
  again: card('again', { busy: true, action: actions.again }),
  full: card('full', { action: actions.again }),
  lost: card('lost', { tone: 'bad', action: actions.again }),
  unsupported: (names) => ({
    title: names ? say('own.unsupported.title', { names }) : say('own.unsupported.titleUnknown'), text: say('own.unsupported.text'), tone: 'warn', links: true,
  }),
  helpless: card('helpless', { tone: 'warn', links: true }),
};

const cards = (...names) => Object.fromEntries(names.map((name) => [name, { title: say(`film.${name}.title`), text: say(`film.${name}.text`) }]));

/** What there is to say in the room that films. */
export const film = {
  ...group('film', 'title', 'liveTitle', 'golive', 'stop'),
  qualities: group('film', 'low', 'medium', 'high', 'smooth'),
  badges: group('film', 'off', 'connecting'),
  cards: cards('idle', 'asking', 'insecure', 'unable'),
  device: (n) => say('film.device', { n }),
  liveFor: (time) => say('film.liveFor', { time }),
  dropped: (n) => say('film.dropped', { n }),
  told: (what) => say(says(`film.told.${what}`) ? `film.told.${what}` : 'film.told.failed'),
};
