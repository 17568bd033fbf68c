// Puts the page together: it chooses the channel, and shows what the node says of it and
// what the player does.

import { Graph } from './graph.js';
import { Poll, askEvery } from './node.js';
import { Player } from './player.js';
import { badgeOf, sight } from './state.js';
import { html } from './svg.js';
import { Tree } from './tree.js';
import { dropped, format, leftPeers, millis, place, plural, rate, reach, seconds, watching } from './words.js';

/** A pointer that does not move hides the controls after so long, in ms. */
const sleepAfter = 2500;
/** So much nearer to live than this, in seconds, counts as live. */
const liveWithin = 1.5;

const el = (id) => document.getElementById(id);
const stage = el('stage');
const video = el('video');

let channels = null; // as the node tells them, null before it has
let reached = true; // the node answers
let wanted = named(); // what the address names, '' for nothing
let channel = null; // the one that is open

const player = new Player(video, show);
const tree = new Tree(el('tree'), el('treedetail'));
const delays = new Graph(el('delaygraph'), { series: ['node', 'eye'], write: millis, least: 100 });
const uploads = new Graph(el('uploadgraph'), { series: ['in', 'out'], write: rate, least: 1e5 });
let upload = null; // bit/s, by the newest survey

// named is the channel that the address names: /ch, ?ch=ch or #ch. All addresses here are relative:
// a reverse proxy may have the node below a path of its own.
function named() {
  const name = location.hash.slice(1) || new URLSearchParams(location.search).get('ch') || location.pathname.split('/').pop();
  try {
    return decodeURIComponent(name).toLowerCase();
  } catch {
    return name;
  }
}

// shortestName is the least number of an ID's characters that names a channel, as at the node.
const shortestName = 4;

const find = (name) => {
  const found = (channels ?? []).filter((c) => name.length >= shortestName && c.id.startsWith(name));
  return found.length === 1 ? found[0] : null;
};

// miss says why find found nothing.
function miss(name) {
  if (name.length < shortestName) return `“${name}” is too short: ${shortestName} characters of an ID name a channel at least.`;
  const begin = channels.some((c) => c.id.startsWith(name));
  return begin ? `More than one channel begins with “${name}”.` : `None begins with “${name.slice(0, 60)}”.`;
}

const titleOf = (c) => c.title || `Channel ${c.name}`;

// What the address names can be asked for before the node has said anything.
if (/^[a-z2-7]{4,52}$/.test(wanted)) player.open(addresses(wanted));

const news = new Poll(() => 'api/v1/channels', askEvery.channels, (answer) => {
  reached = answer !== null;
  if (answer) {
    channels = answer.channels;
    choose();
    sample();
  }
  show();
});

const surveys = new Poll(() => channel && `api/v1/tree?channel=${channel.id}`, askEvery.tree, (answer, err) => {
  const survey = answer?.channels[0] ?? null;
  if (survey) {
    tree.show(survey);
    const { nodes, max_depth: deep, slots_free: free, worst_delay_ms: worst, lost } = survey.summary;
    el('treesum').textContent = `${plural(nodes, 'node')}, ${plural(deep, 'link')} deep, ${plural(free, 'free slot')}, slowest ${millis(worst)}, ${lost} lost`;
    upload = survey.nodes.find((n) => n.id === survey.self)?.upload_bps ?? null;
  } else if (err?.status === 404) {
    tree.show(null);
  }
  note(el('treenote'), survey?.problem || (err && reached ? 'The tree cannot be told now; it is asked for again.' : ''));
});

function addresses(name) {
  return { media: `${name}.mp4`, hls: `hls/${name}/index.m3u8` };
}

// choose opens the channel that the address names, or the only one there is.
function choose() {
  const next = wanted ? find(wanted) : channels.length === 1 ? channels[0] : null;
  const other = next?.id !== channel?.id;
  if (!next && channel && wanted && channel.id.startsWith(wanted)) return; // the channel has gone; the player says so
  channel = next;
  if (!other) return;
  delays.clear();
  uploads.clear();
  upload = null;
  tree.show(null);
  if (next) {
    // Under the name by which it was asked for, or it would be opened twice.
    player.open(addresses(wanted && next.id.startsWith(wanted) ? wanted : next.name));
    surveys.now();
  } else {
    player.open(null);
  }
}

// sample takes one point of each graph.
function sample() {
  if (!channel) return;
  const now = performance.now();
  const behind = delay();
  delays.add(now, [channel.delay_ms, behind]);
  uploads.add(now, [channel.bit_rate, upload]);
  el('delaynow').textContent = behind === null ? '' : millis(behind);
  el('uploadnow').textContent = upload === null ? '' : rate(upload);
}

// delay is how far the picture is behind the source, in ms. It is null while there is no
// picture, and with HLS, of which the browser does not tell it.
function delay() {
  const { ahead, state } = player;
  return ahead === null || state.name !== 'playing' ? null : channel.delay_ms + ahead * 1000;
}

function note(box, text) {
  box.hidden = !text;
  box.textContent = text;
}

// show writes what there is to say. It changes only what has changed: an aria-live
// region is read out whenever it is touched.
function show() {
  showState();
  showBadges();
  showChannels();
  showControls();
  const title = channel ? titleOf(channel) : '';
  set(el('title'), title);
  document.title = title ? `${title} · relay` : 'relay';
  el('graphs').hidden = el('elsewhere').hidden = el('treepanel').hidden = !channel;
  el('badges').hidden = !channel;
  document.body.classList.toggle('choosing', channels?.length > 1 && !channel && !wanted);
  showLinks(el('links'));
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const seen = () => sight(player, channel, reached);

function situation() {
  if (channels && !channel) {
    if (channels.length === 0) return { title: 'No channel is open here', text: 'Run “relay source” or “relay watch” on this node. The picture appears here by itself.', busy: true };
    if (wanted) return { title: 'There is no such channel here', text: `${miss(wanted)} Choose from the list.` };
    return null; // the list takes the player's place
  }
  return seen().card;
}

function showState() {
  const s = situation();
  const box = el('state');
  box.hidden = !s;
  stage.dataset.state = player.state.name;
  if (!s) {
    set(el('what'), '');
    set(el('next'), '');
    return;
  }
  box.classList.toggle('now', !s.busy);
  set(el('what'), s.title);
  set(el('next'), s.text);
  el('busy').hidden = !s.busy;
  el('action').hidden = !s.action;
  set(el('action'), s.action ?? '');
  el('statelinks').hidden = !s.links;
  if (s.links) showLinks(el('statelinks'));
}

// showLinks offers the stream to other players. An .m3u is what a browser hands to VLC.
function showLinks(box) {
  const lacks = channel?.lacks ?? {};
  const of = channel && channel.id + JSON.stringify(lacks);
  if (!channel || box.dataset.of === of) return;
  box.dataset.of = of;
  const { m3u, ts, flv, hls } = channel.urls;
  box.replaceChildren(...[['Open in VLC', m3u, []], ['TS', ts, lacks.ts], ['FLV', flv, []], ['HLS', hls, lacks.hls]]
    .filter(([, url, missing]) => url && !missing?.includes(channel.codec.video))
    .map(([name, href, missing]) => html('a', { href }, missing?.length ? `${name}, no sound` : name)));
}

function showBadges() {
  if (!channel) return;
  const c = channel;
  const [word, kind] = seen().badge;
  badge('b-live', kind, html('i'), word);
  const behind = delay();
  badge('b-delay', '', behind !== null ? `${seconds(behind / 1000)} behind` : player.state.name === 'playing' ? 'HLS: some seconds behind' : '');
  badge('b-place', '', c.parent ? html('span', {}, 'child of ', html('code', {}, c.parent.slice(0, 4)), place(c).slice(`child of ${c.parent.slice(0, 4)}`.length)) : place(c));
  badge('b-format', '', [format(c.codec), c.bit_rate ? rate(c.bit_rate) : ''].filter(Boolean).join(' · '));
  badge('b-viewers', '', watching(c));
  badge('b-reach', '', reach(c.reach));
  badge('b-dropped', 'warn', dropped(c.dropped_tags));
  badge('b-left', 'warn', leftPeers(c.left_peers));
}

function badge(id, kind, ...content) {
  const b = el(id);
  b.className = `badge ${kind}`;
  const text = content.map((c) => c.textContent ?? c).join('');
  if (b.textContent !== text) b.replaceChildren(...content.filter((c) => c !== ''));
}

let listed = '';
function showChannels() {
  const show = channels !== null && (channels.length > 1 || channels.length === 1 && !channel);
  el('channels').hidden = !show;
  if (!show) return;
  const key = JSON.stringify([channel?.id, channels.map((c) => [c.id, c.title, badgeOf(c), c.codec])]);
  if (key === listed) return; // else a list that has the focus would lose it each second
  listed = key;
  el('channellist').replaceChildren(...channels.map((c) => html('li', {},
    html('a', { href: c.name, class: c.state, 'aria-current': c.id === channel?.id ? 'true' : undefined },
      thumbnail(c), html('i'), html('b', {}, titleOf(c)), html('small', {}, [badgeOf(c)[0], format(c.codec)].filter(Boolean).join(' · '))))));
}

// thumbnail is a channel's newest picture, where the node makes them.
function thumbnail(c) {
  const frame = html('span', { class: 'thumb' });
  if (!c.urls.jpg) return frame;
  const img = html('img', { alt: '', loading: 'lazy', src: `${c.name}.jpg` });
  img.addEventListener('error', () => img.remove());
  frame.append(img);
  return frame;
}

function showControls() {
  const { paused, state } = player;
  const stopped = paused || state.name === 'tap' || state.name === 'resting';
  stage.classList.toggle('paused', stopped);
  stage.classList.toggle('muted', video.muted || video.volume === 0);
  label(el('play'), stopped ? 'Play' : 'Pause', 'space');
  label(el('mute'), video.muted ? 'Unmute' : 'Mute', 'm');
  el('unmute').hidden = !(video.muted && player.sound && state.name === 'playing' && !silenced);
  el('soundonly').hidden = !(player.sound && !player.picture);
  el('controls').hidden = !channel;
  const live = state.name === 'playing' && !paused && player.ahead !== null && player.ahead < liveWithin;
  el('live').classList.toggle('on', live);
  set(el('livetext'), live || state.name !== 'playing' || player.ahead === null ? 'Live' : `${seconds(player.ahead)} behind`);
}

function label(button, text, key) {
  if (button.getAttribute('aria-label') === text) return;
  button.setAttribute('aria-label', text);
  button.title = `${text} (${key})`;
}

// What a person does.

let silenced = false; // it was muted on purpose

function mute() {
  video.muted = !video.muted;
  silenced = video.muted;
  if (!video.muted && video.volume === 0) video.volume = 1;
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (stage.requestFullscreen) stage.requestFullscreen();
  else video.webkitEnterFullscreen?.(); // on an iPhone
}

el('play').addEventListener('click', () => player.toggle());
el('mute').addEventListener('click', mute);
el('unmute').addEventListener('click', mute);
el('full').addEventListener('click', fullScreen);
el('live').addEventListener('click', () => (player.paused ? player.toggle() : player.toLive()));
el('volume').addEventListener('input', () => {
  video.volume = el('volume').value;
  video.muted = video.volume === 0;
  silenced = video.muted;
});
el('action').addEventListener('click', () => {
  if (player.state.name === 'tap') player.tapped();
  else if (player.paused) player.toggle();
  else player.retry();
  news.now();
});
video.addEventListener('volumechange', () => {
  el('volume').value = video.muted ? 0 : video.volume;
  show();
});
video.addEventListener('click', () => {
  if (video.muted && player.sound && !silenced) mute();
  else if (matchMedia('(hover: hover)').matches) player.toggle();
});
video.addEventListener('dblclick', fullScreen);

document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey || e.target.closest('input')) return;
  const act = { ' ': () => player.toggle(), k: () => player.toggle(), m: mute, f: fullScreen }[e.key.toLowerCase()];
  if (!act || !channel || e.key === ' ' && e.target.closest('button, a')) return; // these use the key themselves
  e.preventDefault(); // else the page would scroll
  act();
});

// The buttons of a headset and of a locked phone.
try {
  navigator.mediaSession.setActionHandler('play', () => { if (player.paused) player.toggle(); });
  navigator.mediaSession.setActionHandler('pause', () => { if (!player.paused) player.toggle(); });
} catch { /* there are none */ }

let sleep = 0;
function stir() {
  stage.classList.add('awake');
  stage.classList.remove('asleep');
  clearTimeout(sleep);
  sleep = setTimeout(() => {
    stage.classList.remove('awake');
    stage.classList.add('asleep');
  }, sleepAfter);
}
for (const event of ['pointermove', 'pointerdown', 'keydown']) stage.addEventListener(event, stir);

// Another channel is chosen without a new page: the sound stays on.
el('channellist').addEventListener('click', (e) => {
  const a = e.target.closest('a');
  if (!a || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  history.pushState(null, '', a.href);
  turn();
});
function turn() {
  wanted = named();
  if (channels) choose();
  show();
}
addEventListener('popstate', turn);
addEventListener('hashchange', turn);

show();
