// The picture alone, with the least of controls: what pages of other sites show in a frame, where the
// node lets them.

import { set, showCard, showLinks } from './card.js';
import { addresses, chosen, named } from './choice.js';
import { listen } from './keys.js';
import { Poll, askEvery } from './node.js';
import { Player } from './player.js';
import { Stage } from './stage.js';
import { sight } from './state.js';
import { absent, titleOf, unnamed } from './words.js';

const video = document.getElementById('video');
const wanted = named(location);
let channels = null; // as the node tells them, null before it has
let channel = null; // the one that is open
let reached = true; // the node answers

const player = new Player(video, show);
const stage = new Stage(player, video);

const news = new Poll(() => 'api/v1/channels', askEvery.channels, (answer) => {
  reached = answer !== null;
  if (answer) {
    ({ channels } = answer);
    const next = chosen(channels, wanted);
    if (next || !channel) open(next); // else it has gone; the player says so
  }
  show();
});

function open(next) {
  const other = next?.id !== channel?.id;
  channel = next;
  if (!other) return;
  const at = next && addresses(next.name);
  player.open(at);
  stage.open(at);
}

function situation() {
  if (channels && !channel) return channels.length ? unnamed(wanted) : absent(channels, wanted);
  return sight(player, channel, reached).card;
}

function show() {
  const s = situation();
  showCard(s);
  if (s?.links && channel) showLinks(document.getElementById('statelinks'), channel);
  stage.show(channel !== null, channel?.kept ?? null);
  const title = channel ? titleOf(channel) : 'relay';
  set(document.getElementById('title'), title);
  if (document.title !== title) document.title = title;
}

document.getElementById('action').addEventListener('click', () => {
  player.again();
  news.now();
});
listen(stage.acts, document.getElementById('stage'));
show();
