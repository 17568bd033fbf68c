// The words of the page: figures as people read them, and for each state what happened
// and what to do next. Nothing here touches the document.

import { shortestName } from './choice.js';

export const seconds = (s) => (s < 10 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`);
export const millis = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : seconds(ms / 1000));
export const plural = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** rate writes bits per second. */
export function rate(bps) {
  if (bps < 1e5) return `${Math.round(bps / 1e3)} kb/s`;
  if (bps < 1e6) return `${Math.round(bps / 1e4) * 10} kb/s`;
  return `${(bps / 1e6).toFixed(bps < 1e7 ? 1 : 0)} Mb/s`;
}

/** duration writes seconds in its two largest units. */
export function duration(s) {
  if (s < 60) return `${Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

/** What is written on and beside the controls over the picture. */
export const controls = {
  play: 'Play', pause: 'Pause', mute: 'Mute', unmute: 'Unmute', tapForSound: 'Tap for sound', live: 'Live',
};
/** What is written on the timeline of what the node keeps. */
export const timeline = { live: 'Live', behind: (time) => `${time} behind` };
export const behindLive = (time) => `${time} behind`;

/** What is written in what opens over the page. */
export const sheets = { close: 'Close', closeByKey: 'Close (Esc)', keys: 'Keyboard' };

/** What each key does, and how keys are called that are no letters. */
export const keyWords = {
  play: 'Pause or play', mute: 'Sound on or off', louder: 'Louder, on the picture', softer: 'Softer, on the picture',
  live: 'Jump to live', back: 'Back by 30 s, where the channel is kept', ahead: 'On by 30 s', full: 'Full screen', pip: 'Picture in picture', captions: 'Captions', share: 'Share',
  details: 'Show or hide the details', keys: 'This list',
};
export const keyNames = { ' ': 'Space', ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→' };

/** What is written where a channel is shared. */
export const shareWords = {
  title: 'Share',
  asking: 'Asking the node…',
  silent: 'The node does not answer now. Close this, and try again.',
  qr: 'For a phone: point its camera here',
  qrName: 'QR code of this page’s address',
  page: 'This page',
  pageNear: 'For every browser on the same network.',
  pageFar: 'For every browser.',
  pageHere: 'This page is for this machine alone. relay source --http :7145, and relay watch likewise, gives it to others.',
  pageHerePrivate: 'This page is for this machine alone, as the channel is private.',
  relay: 'Watch with relay',
  relayAbout: 'One line for a terminal. Whoever watches like this helps to pass the stream on.',
  link: 'Link',
  linkAbout: 'Names the channel itself: it keeps working when this node has gone.',
  private: 'The channel is private: its link has a secret, which no page tells. “relay link” prints it where the channel is broadcast or watched.',
  noLink: 'This node passes nothing on to others, so there is no link to it. “relay link” at the source prints one.',
  embed: 'Show it on another site',
  embedAbout: (sites) => `To paste into a page of ${sites}.`,
  mixed: 'Browsers show an http address inside a page with https only on this machine. A reverse proxy with a certificate in front of this node gives it an https address.',
  more: 'Share…',
  copy: 'Copy',
  done: 'Copied',
  copyOf: (name) => `Copy: ${name}`,
  copied: (name) => `Copied: ${name}.`,
  select: 'The text is selected. Copy it with Ctrl+C, or ⌘C.',
};

/** titleOf is what a channel is called where it has no title. */
export const titleOf = (c) => c.title || `Channel ${c.name}`;

/** absent says why there is no channel to play; null where there are several to choose from. */
export function absent(channels, wanted) {
  if (channels.length === 0) return { title: 'No channel is open here', text: 'Run “relay source” or “relay watch” on this node. The picture appears here by itself.', busy: true };
  if (wanted) return { title: 'There is no such channel here', text: `${miss(channels, wanted)} Choose from the list.` };
  return null;
}

/** Said in the frame of another site that names no channel. */
export const unnamed = { title: 'Several channels are open here', text: 'The address of this frame has to name one, as in /embed#abcd2345.' };

// miss says why a name means none of the channels.
function miss(channels, name) {
  if (name.length < shortestName) return `“${name}” is too short: ${shortestName} characters of an ID name a channel at least.`;
  const begin = channels.some((c) => c.id.startsWith(name));
  return begin ? `More than one channel begins with “${name}”.` : `None begins with “${name.slice(0, 60)}”.`;
}

/** offers are the ways to open a channel in another player, as [text, address]. An .m3u is what a browser hands to VLC. */
export function offers({ urls: { m3u, ts, flv, hls }, lacks = {}, codec }) {
  return [['Open in VLC', m3u, []], ['TS', ts, lacks.ts], ['FLV', flv, []], ['HLS', hls, lacks.hls]]
    .filter(([, url, missing]) => url && !missing?.includes(codec.video))
    .map(([name, url, missing]) => [missing?.length ? `${name}, no sound` : name, url]);
}

const codecs = { h264: 'H.264', hevc: 'HEVC', av1: 'AV1', vp9: 'VP9', vp8: 'VP8', aac: 'AAC', opus: 'Opus', mp3: 'MP3', flac: 'FLAC', ac3: 'AC-3', eac3: 'E-AC-3' };
const codecName = (c) => codecs[c] ?? c.toUpperCase();

/** format writes what a channel's media is: 1080p60 H.264/AAC. */
export function format(codec) {
  const size = codec.height ? `${codec.height}p${codec.frame_rate ? Math.round(codec.frame_rate) : ''} ` : '';
  return size + [codec.video, codec.audio].filter(Boolean).map(codecName).join('/');
}

const flaws = {
  empty_picture: ['empty picture'], cut_picture: ['picture cut short', 'pictures cut short'],
  start_codes: ['picture with start codes', 'pictures with start codes'],
  bad_video_config: ['malformed video configuration'],
  empty_sound: ['empty audio frame'], cut_sound: ['audio frame cut short', 'audio frames cut short'],
  bad_sound_config: ['malformed audio configuration'],
};

/** dropped says what the encoder has sent that nobody could play; '' if that is nothing. */
export function dropped(tags) {
  const all = Object.entries(tags ?? {});
  if (!all.length) return '';
  const [name, n] = all[0];
  if (all.length === 1) return `the encoder sent ${flaws[name] ? plural(n, ...flaws[name]) : plural(n, 'malformed tag')}`;
  return `the encoder sent ${plural(all.reduce((sum, [, n]) => sum + n, 0), 'malformed tag')}`;
}

const misdeeds = { forged: 'forged data', protocol: 'broken protocol', slow: 'starving', lied: 'a false place in the tree' };

/** leftPeers says how many nodes were left because of what they did, and what that was; '' for none. */
export function leftPeers(counts) {
  const all = Object.entries(misdeeds).filter(([reason]) => counts?.[reason] > 0);
  if (!all.length) return '';
  return `left ${plural(all.reduce((sum, [reason]) => sum + counts[reason], 0), 'peer')}: ${all.map(([, text]) => text).join(', ')}`;
}

/** place says where in the tree the node stands. */
export function place(channel) {
  if (channel.root) return 'this is the source';
  if (!channel.parent) return 'looking for a parent';
  const parent = `child of ${channel.parent.slice(0, 4)}`;
  const cut = ['orphaned', 'reconnecting', 'ended'].includes(channel.situation.name);
  return cut ? parent : `${parent}, ${plural(channel.depth, 'link')} from the source`;
}

/** columnName is what stands above a column of the tree whose first node that is: where the source is away, no node is it. */
export function columnName(first, column, long) {
  if (first.orphan) return column === 0 ? 'cut off' : '';
  const links = first.depth + column;
  return links === 0 ? 'source' : long ? plural(links, 'link') : String(links);
}

/** watching says how many watch the channel, and how many of them here where that is another number; '' for nobody. */
export function watching(channel) {
  const here = channel.viewer_count;
  if (channel.watching == null) return here ? `${here} watching here` : '';
  if (!channel.watching) return '';
  return here && here !== channel.watching ? `${channel.watching} watching, ${here} here` : `${channel.watching} watching`;
}

/**
 * called is a node's name as people read it: behind its ID, in quotation marks that no name has, so that none
 * passes for the source; '' for none. One that is written from right to left does not turn what is around it.
 */
export const called = ({ name }) => (!name ? '' : /^[ -~]*$/.test(name) ? `“${name}”` : `“\u2068${name}\u2069”`);

/** reach says whether others get through to the node, if they do not simply; '' else. */
export function reach(kind) {
  return { punchable: 'others get through where both routers let them meet', closed: 'nobody gets through to this node: it watches' }[kind] ?? '';
}

/** clock writes a moment, in ms since 1970, as the time of the day, with the day if that is another one. */
export function clock(ms, now = Date.now(), zone = undefined) {
  const time = { hour: '2-digit', minute: '2-digit', timeZone: zone };
  const day = (at) => new Date(at).toLocaleDateString('en-CA', { timeZone: zone });
  return new Date(ms).toLocaleString([], day(ms) === day(now) ? time : { ...time, day: 'numeric', month: 'short' });
}

/**
 * What there is to say of each situation of a channel that a node tells (playback/api/design.md, Live), where
 * there is no picture: what happened, and what happens next or can be done. badge is a word for it and how
 * much to worry: 'live', 'warn' or ''. late says it after a while, source where the node is the source. since is a
 * time of the day.
 */
export const situations = {
  looking: {
    badge: ['Looking', ''],
    title: 'Looking for the channel',
    text: () => 'No node of it has answered yet. They are asked again and again.',
    late: ({ since }) => `No node of it has answered since ${since}. Is the broadcaster on, is the link the newest, and does the machine that runs relay have a network? They are asked again and again.`,
  },
  full: {
    badge: ['No place', 'warn'],
    title: 'No place is free',
    text: () => 'All nodes of the channel that answer pass it on to as many others as they can. They are asked again and again, and a place that gets free is taken.',
  },
  unknown: {
    badge: ['Not found', 'warn'],
    title: 'The channel is not found there',
    text: () => 'A node at the link’s address answers, and does not carry this channel. Is the link the newest? It is asked again and again.',
    private: () => 'A node at the link’s address answers, and does not carry this channel, or the secret in the link is another one. Is the link whole, and the newest? It is asked again and again.',
  },
  recording: {
    badge: ['Not live', 'warn'],
    title: 'What is offered is not live',
    text: () => 'It is a recording, or a clock is wrong, so it is not played. The live stream is looked for.',
  },
  refused: {
    badge: ['Refused', 'warn'],
    title: 'No node lets this one in',
    text: () => 'Those that answer say no; perhaps they run another version of relay. They are asked again and again.',
  },
  waiting: {
    badge: ['Waiting', ''],
    title: 'Waiting for the broadcaster',
    text: () => 'The channel is open, and nothing has been sent yet. The picture appears here by itself.',
    source: { title: 'Waiting for the encoder', text: () => 'Start streaming in OBS or ffmpeg. The picture appears here by itself.' },
  },
  starting: {
    badge: ['Starting', ''],
    title: 'Waiting for the first picture',
    text: () => 'The broadcaster has begun, and the picture is on its way.',
  },
  live: { badge: ['Live', 'live'] },
  paused: {
    badge: ['Paused', 'warn'],
    title: 'The stream has paused',
    text: ({ since }) => `The broadcaster has sent nothing since ${since}. It goes on by itself as soon as something is sent.`,
    source: { title: 'The encoder has gone', text: () => 'Start streaming again in OBS or ffmpeg. Everyone who watches stays connected.' },
  },
  stuck: {
    badge: ['Paused', 'warn'],
    title: 'The encoder sends nothing',
    text: ({ since }) => `It is connected, and nothing has come since ${since}. If it does not go on, start streaming again. Everyone who watches stays connected.`,
  },
  reconnecting: {
    badge: ['Reconnecting', 'warn'],
    title: 'Finding another way to the source',
    text: () => 'The node above is gone. Another one takes over, and the picture goes on by itself.',
    late: ({ since }) => `No node has answered since ${since}. Does the machine that runs relay have a network? The broadcast may go on elsewhere. They are asked again and again.`,
  },
  orphaned: {
    badge: ['Source away', 'warn'],
    title: 'The source is away',
    text: ({ since }) => `Nobody has had a way to the broadcaster since ${since}. It goes on by itself as soon as the source is back.`,
  },
  ended: {
    badge: ['Ended', ''],
    title: 'The broadcast has ended',
    text: ({ since }) => `The last picture was sent at ${since}. Should it go on, it plays by itself.`,
    action: 'Try now',
    source: { title: 'The broadcast has ended', text: ({ since }) => `Nothing has been sent since ${since}. Start streaming in OBS or ffmpeg to go on: everyone who watches stays connected.` },
  },
  offline: {
    badge: ['No network', 'warn'],
    title: 'The node has no network',
    text: ({ since }) => `The machine that runs relay has had no way to any other since ${since}. Check its cable, its Wi-Fi or its router; it goes on by itself.`,
  },
  closed: {
    badge: ['Closed', ''],
    title: 'The channel is closed here',
    text: () => 'This node carries it no longer. Should it come back, it plays by itself.',
    action: 'Try now',
  },
};

/** What there is to say of the page itself, which has its own connection to the node. */
export const own = {
  unread: { title: 'This node cannot play the channel', text: 'It is private, and this node only passes it on. Run “relay watch” with the whole link to watch it.', tone: 'warn' },
  connecting: { title: 'Connecting…', text: '', busy: true },
  slow: { title: 'Waiting for an answer', text: 'The node takes long to answer. Is the network up, and does relay still run there?', busy: true },
  queued: (others) => ({
    title: 'Waiting for a free connection',
    text: `A browser opens six connections to one address, and ${plural(others, 'other tab')} of this node have them. Close or pause one of those, and this one starts by itself.`,
    busy: true,
  }),
  stalled: { badge: ['Interrupted', 'warn'], title: 'The picture stands still', text: 'Nothing has come from the node for a moment. It goes on by itself.', busy: true },
  tap: { title: 'Ready', text: 'Your browser wants a tap before it plays.', action: 'Play' },
  paused: { badge: ['You paused', ''], title: 'You have paused', text: 'The stream was let go. Play goes on at the live picture.', action: 'Play' },
  resting: { badge: ['Resting', ''], title: 'Resting', text: 'Nobody was looking, so this tab let go of the stream.', action: 'Play' },
  again: { badge: ['Interrupted', 'warn'], title: 'Reconnecting to the node…', text: 'The stream broke off. It is asked for again.', busy: true, action: 'Try now' },
  full: { title: 'This node is full', text: 'It has as many viewers as it may. It is asked again every few seconds; or run “relay watch” yourself and watch there.', action: 'Try now' },
  lost: { badge: ['No answer', 'warn'], title: 'The node does not answer', text: 'Is relay still running there, and is this device on the same network? It is asked again every few seconds.', tone: 'bad', action: 'Try now' },
  unsupported: (names) => ({ title: `This browser can’t decode ${names || 'this stream'}`, text: 'Open it in VLC or mpv, which can:', tone: 'warn', links: true }),
  helpless: { title: 'This browser can’t play live streams', text: 'It has neither Media Source Extensions nor HLS. Open the stream in VLC or mpv:', tone: 'warn', links: true },
};
