// The words of the page: figures as people read them, and for each state what happened
// and what to do next. Nothing here touches the document.

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
  return channel.parent ? `child of ${channel.parent.slice(0, 4)}, ${plural(channel.depth, 'link')} from the source` : 'looking for a parent';
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

/** condition is the channel's state in a word, and how much to worry: 'live', 'warn' or ''. */
export function condition(state, channel) {
  const stuck = ['stalled', 'lost', 'ended', 'gone'].includes(state.name);
  if (channel.state === 'ended') return ['Ended', ''];
  if (channel.state === 'waiting') return ['Waiting', ''];
  if (channel.state === 'live' && !stuck) return ['Live', 'live'];
  return channel.root || channel.parent && state.name === 'stalled' ? ['Paused', 'warn'] : ['Reconnecting', 'warn'];
}

/**
 * explain says what the player's state means: {title, text, tone, busy, action, links}, or
 * null where the picture speaks for itself. channel is what the node tells, null if it
 * tells nothing; reached says whether the node answers at all.
 */
export function explain(state, channel, reached) {
  if (channel?.unread) return { title: 'This node cannot play the channel', text: 'It is private, and this node only passes it on. Run “relay watch” with the whole link to watch it.', tone: 'warn' };
  const root = channel?.root;
  const orphan = channel && !root && !channel.parent;
  switch (state.name) {
    case 'playing':
    case 'idle':
      return null;
    case 'connecting':
      return { title: 'Connecting…', text: '', busy: true };
    case 'queued':
      return state.others
        ? {
          title: 'Waiting for a free connection',
          text: `A browser opens six connections to one address, and ${plural(state.others, 'other tab')} of this node have them. Close or pause one of those, and this one starts by itself.`,
          busy: true,
        }
        : { title: 'Waiting for an answer', text: 'The node takes long to answer. Is the network up, and does relay still run there?', busy: true };
    case 'waiting':
      if (orphan) return { title: 'Looking for the channel', text: 'None of its nodes has answered yet; they are asked again and again. Is the broadcaster on, and is the link the newest?', busy: true };
      return root
        ? { title: 'Waiting for the encoder', text: 'Start streaming in OBS or ffmpeg. The picture appears here by itself.', busy: true }
        : { title: 'Waiting for the broadcaster', text: 'The channel is open, but nothing is sent yet. The picture appears here by itself.', busy: true };
    case 'stalled':
      if (orphan) return { title: 'Finding another way to the source', text: 'The node above is gone. Another one takes over, and the picture goes on by itself.', busy: true };
      if (root && channel.state === 'reconnecting') return { title: 'The encoder has gone', text: 'Start streaming again in OBS or ffmpeg. Everyone who watches stays connected.', busy: true };
      return { title: 'The stream has paused', text: 'It goes on by itself as soon as the broadcaster sends again.', busy: true };
    case 'tap':
      return { title: 'Ready', text: 'Your browser wants a tap before it plays.', action: 'Play' };
    case 'resting':
      return state.why === 'paused'
        ? { title: 'Paused', text: 'The stream was let go. Play goes on at the live picture.', action: 'Play' }
        : { title: 'Resting', text: 'Nobody was looking, so this tab let go of the stream.', action: 'Play' };
    case 'ended':
    case 'gone':
      return channel && channel.state !== 'ended'
        ? { title: 'Reconnecting…', text: 'The stream broke off. It is asked for again.', busy: true }
        : { title: 'The channel has ended', text: 'This node carries it no longer. Should it come back, it plays by itself.', action: 'Try now' };
    case 'full':
      return { title: 'This node is full', text: 'It has as many viewers as it may. It is asked again every few seconds; or run “relay watch” yourself and watch there.', action: 'Try now' };
    case 'lost':
      return reached
        ? { title: 'Reconnecting…', text: 'The stream broke off. It is asked for again.', busy: true, action: 'Try now' }
        : { title: 'The node does not answer', text: 'Is relay still running there, and is this device on the same network? It is asked again every few seconds.', tone: 'bad', action: 'Try now' };
    case 'unsupported':
      return { title: `This browser can’t decode ${state.names || 'this stream'}`, text: 'Open it in VLC or mpv, which can:', tone: 'warn', links: true };
    case 'helpless':
      return { title: 'This browser can’t play live streams', text: 'It has neither Media Source Extensions nor HLS. Open the stream in VLC or mpv:', tone: 'warn', links: true };
    default:
      return null;
  }
}
