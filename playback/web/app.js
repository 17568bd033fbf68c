// Puts the page together: it chooses the channel, and shows what the node says of it and
// what the player does.

import { set, showCard, showLinks } from './card.js';
import { addresses, chosen, named } from './choice.js';
import { Details } from './details.js';
import { Followed } from './followed.js';
import { Graph } from './graph.js';
import { keySheet, listen } from './keys.js';
import { Poll, askEvery } from './node.js';
import { Player } from './player.js';
import { Share } from './share.js';
import { Stage } from './stage.js';
import { badgeOf, sight } from './state.js';
import { html } from './svg.js';
import { Tree } from './tree.js';
import { asked } from './tongue.js';
import { absent, behind, behindByHLS, dropped, format, leftPeers, madeAAC, millis, parentOf, peerCasts, place, rate, reach, recorded, seconds, titleOf, treeSum, treeWords, watching } from './words.js';

const el = (id) => document.getElementById(id);
const video = el('video');

let channels = null; // as the node tells them, null before it has
let reached = true; // the node answers
const kept = asked(location) && `?${new URLSearchParams({ lang: asked(location) })}`; // the language goes along to other channels
if (kept) for (const a of [document.querySelector('.brand'), el('film')]) a.href += kept;
let wanted = named(location); // what the address names, '' for nothing
let channel = null; // the one that is open

const player = new Player(video, show);
const stage = new Stage(player, video);
const details = new Details(el('details'), () => {
  surveys.now();
  show();
});
const share = new Share();
const tree = new Tree(el('tree'), el('treedetail'));
const delays = new Graph(el('delaygraph'), { series: ['node', 'eye'], write: millis, least: 100 });
const uploads = new Graph(el('uploadgraph'), { series: ['in', 'out'], write: rate, least: 1e5 });
const followed = new Followed(el('followed'), el('followedlist'), kept, show);
let upload = null; // bit/s, by the newest survey

// What the address names can be asked for before the node has said anything.
if (/^[a-z2-7]{4,52}$/.test(wanted)) open(addresses(wanted));

const news = new Poll(() => 'api/v1/channels', askEvery.channels, (answer) => {
  reached = answer !== null;
  if (answer) {
    channels = answer.channels;
    choose();
    sample();
  }
  show();
});

const surveys = new Poll(() => channel && details.open && `api/v1/tree?channel=${channel.id}`, askEvery.tree, (answer, err) => {
  const survey = answer?.channels[0] ?? null;
  if (survey) {
    tree.show(survey);
    el('treesum').textContent = treeSum(survey.summary);
    note(el('peercasts'), peerCasts(survey.peercast));
    upload = survey.nodes.find((n) => n.id === survey.self)?.upload_bps ?? null;
  } else if (err?.status === 404) {
    tree.show(null);
  }
  note(el('treenote'), survey?.problem || (err && reached ? treeWords.silent : ''));
});

function open(at) {
  player.open(at);
  stage.open(at);
}

// choose opens the channel that the address names, or the only one there is.
function choose() {
  const next = chosen(channels, wanted);
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
    open(addresses(wanted && next.id.startsWith(wanted) ? wanted : next.name));
    surveys.now();
  } else {
    open(null);
  }
}

// sample takes one point of each graph.
function sample() {
  if (!channel) return;
  const now = performance.now();
  const late = delay();
  delays.add(now, [channel.delay_ms, late]);
  uploads.add(now, [channel.bit_rate, upload]);
  el('delaynow').textContent = late === null ? '' : millis(late);
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
  showCard(situation());
  if (channel) showLinks(el('statelinks'), channel);
  showBadges();
  showChannels();
  stage.show(channel !== null, channel?.kept ?? null);
  const title = channel ? titleOf(channel) : '';
  set(el('title'), title);
  document.title = title ? `${title} · relay` : 'relay';
  for (const id of ['graphs', 'elsewhere', 'treepanel', 'more']) el(id).hidden = !channel || !details.open;
  el('headline').hidden = !channel;
  for (const id of ['what', 'listtitle']) el(id).ariaLevel = channel ? 2 : 1; // there is no other heading then
  document.body.classList.toggle('alone', el('graphs').hidden && el('channels').hidden && followed.hidden);
  document.body.classList.toggle('choosing', channels?.length > 1 && !channel && !wanted);
  if (channel) showLinks(el('links'), channel);
}

const seen = () => sight(player, channel, reached);

function situation() {
  if (channels && !channel) {
    return absent(channels, wanted); // null where the list takes the player's place
  }
  return seen().card;
}

function showBadges() {
  if (!channel) return;
  const c = channel;
  const [word, kind] = seen().badge;
  badge('b-live', kind, html('i'), word);
  const late = delay();
  badge('b-delay', '', stage.behind ? stage.behind : late !== null ? behind(seconds(late / 1000)) : player.state.name === 'playing' ? behindByHLS : '');
  const [before, ...after] = place(c, '\0').split('\0');
  const [id, name] = parentOf(c);
  badge('b-place', '', after.length ? html('span', {}, before, html('code', {}, id), name && ` ${name}`, ...after) : before);
  badge('b-format', '', [format(c.codec), c.bit_rate ? rate(c.bit_rate) : ''].filter(Boolean).join(' · '));
  badge('b-viewers', '', watching(c));
  const [recording, wrong] = recorded(c.recording);
  badge('b-recording', wrong, recording);
  badge('b-reach', '', reach(c.reach));
  badge('b-aac', '', madeAAC(c.aac_of));
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
    html('a', { href: c.name + kept, class: c.state, 'aria-current': c.id === channel?.id ? 'true' : undefined },
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

// What a person does.

el('action').addEventListener('click', () => {
  player.again();
  news.now();
});
el('share').addEventListener('click', () => acts.share(el('share')));
el('keys').addEventListener('click', () => acts.keys(el('keys')));

const acts = {
  ...stage.acts,
  share: (opener) => channel && share.toggle(channel, titleOf(channel), opener),
  details: () => details.toggle(),
  keys: (opener) => keysheet.toggle(opener),
};
const keysheet = keySheet(acts);
listen(acts, el('stage'));

// Another channel is chosen without a new page: the sound stays on.
el('channellist').addEventListener('click', (e) => {
  const a = e.target.closest('a');
  if (!a || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  history.pushState(null, '', a.href);
  turn();
});
function turn() {
  wanted = named(location);
  if (channels) choose();
  show();
}
addEventListener('popstate', turn);
addEventListener('hashchange', turn);

show();
