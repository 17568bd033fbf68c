// The room of the source that films: it shows what will go out, and sends it (encode.js) once somebody says so.

import { Call } from './call.js';
import { Level, able, camera, devices, frames, screen, whyNot } from './capture.js';
import { qualities } from './film.js';
import { Poll, askEvery, get } from './node.js';
import { duration, film, rate, watching } from './words.js';
import { html } from './svg.js';

const $ = (id) => document.getElementById(id);
const preview = $('preview');

// The room's state: idle, asking (for a device), ready, connecting, live.
let state = 'idle';
let stream = null; // what is filmed
let from = ''; // camera, screen or voice
let encoder = null; // the worker, or the call, while connecting or live
let called = able().encodes ? false : null; // whether it is a call: the browser does not encode for pages, and the node takes them; null while that is asked
let since = 0; // when it went live, in ms of performance.now
let sent = null; // {rate, dropped} as the worker tells
let told = null; // the last word of what went wrong, a key of film.told
let channel = null; // as the node tells it
let level = null;
let asked = 0; // counts what was asked of the browser: only the newest answer matters

const quality = () => qualities[$('quality').value];

/** use has what is filmed come from elsewhere; which is camera, screen or voice. */
async function use(which) {
  const mine = ++asked;
  if (!encoder) state = 'asking';
  told = null;
  show();
  try {
    const next = which === 'screen' ? await screen({ quality: quality() })
      : await camera({ camera: which === 'camera' ? $('whichcamera').value : null, microphone: $('whichmicrophone').value, quality: quality() });
    if (mine !== asked) return next.getTracks().forEach((t) => t.stop());
    take(next, which);
  } catch (err) {
    if (mine !== asked) return;
    told = which === 'screen' && err.name === 'NotAllowedError' ? null : whyNot(err); // who closes the choice of screens knows why
    if (!encoder) state = stream ? 'ready' : 'idle';
  }
  await list();
  show();
}

function take(next, which) {
  stream?.getTracks().forEach((t) => t.stop());
  [stream, from] = [next, which];
  for (const t of stream.getTracks()) t.addEventListener('ended', () => lost(next, t));
  if (which === 'screen') { // text has to be sharp, and what is said goes with it
    stream.getVideoTracks()[0].contentHint = 'detail';
  }
  preview.srcObject = stream;
  preview.classList.toggle('mirrored', which === 'camera');
  level ??= new Level();
  level.listen(stream);
  mute($('mute').getAttribute('aria-pressed') === 'true');
  if (encoder) feed();
  else state = 'ready';
}

/** lost is told of a device that has gone, or of a screen that is shared no longer. */
function lost(of, track) {
  if (of !== stream) return;
  told = track.kind === 'audio' ? 'noSound' : from === 'screen' ? 'noScreen' : 'noCamera';
  if (!stream.getTracks().some((t) => t.readyState === 'live')) {
    stop();
    stream = null;
    preview.srcObject = null;
    from = '';
    state = 'idle';
  }
  list();
  show();
}

function mute(on) {
  $('mute').setAttribute('aria-pressed', on);
  for (const t of stream?.getAudioTracks() ?? []) t.enabled = !on;
}

/** list fills the choices of devices. */
async function list() {
  const { cameras, microphones } = await devices();
  for (const [id, all] of [['camera', cameras], ['microphone', microphones]]) {
    const choice = $(`which${id}`);
    const kept = stream?.getTracks().find((t) => t.kind === (id === 'camera' ? 'video' : 'audio'))?.getSettings().deviceId ?? choice.value;
    choice.replaceChildren(...all.map((d, i) => html('option', { value: d.id }, d.label || film.device(i + 1))));
    if (all.some((d) => d.id === kept)) choice.value = kept;
  }
}

/** golive begins to send. */
async function golive() {
  state = 'connecting';
  told = null;
  show();
  const mine = called ? new Call() : newWorker();
  encoder = mine;
  mine.onmessage = ({ data }) => { if (encoder === mine) hear(data); };
  mine.onerror = () => { if (encoder === mine) hear({ end: 'failed' }); };
  try {
    const { token } = await get('api/v1/broadcast');
    if (encoder !== mine) return;
    const at = new URL('api/v1/broadcast', document.baseURI);
    at.protocol = at.protocol.replace('http', 'ws');
    const [picture, sound] = ['video', 'audio'].map((kind) => stream.getTracks().find((t) => t.kind === kind && t.readyState === 'live')?.getSettings());
    mine.postMessage({ begin: {
      address: at.href, token, quality: quality(),
      picture: picture ? { width: picture.width ?? 1280, height: picture.height ?? 720 } : null,
      sound: sound ? { rate: sound.sampleRate ?? 48000, channels: Math.min(2, sound.channelCount ?? 1) } : null,
    } });
  } catch {
    if (encoder === mine) hear({ end: 'lost' });
  }
}

// Only this one script may become a worker's.
const scripts = window.trustedTypes?.createPolicy('relay-worker', { createScriptURL: () => new URL('encode.js', import.meta.url).href });
const newWorker = () => new Worker(scripts ? scripts.createScriptURL('') : new URL('encode.js', import.meta.url), { type: 'module' });

/** feed gives the worker the frames of what is filmed now. */
function feed() {
  if (encoder instanceof Call) {
    const mine = encoder;
    mine.use(stream).catch(() => { if (encoder === mine) hear({ end: 'failed' }); });
    return;
  }
  for (const track of stream.getTracks()) {
    const s = frames(track);
    encoder.postMessage({ [track.kind === 'video' ? 'picture' : 'sound']: s }, [s]);
  }
}

function hear(news) {
  if (news.ready) feed();
  if (news.live) [state, since] = ['live', performance.now()];
  if (news.rate !== undefined) sent = news;
  if (news.end) {
    if (news.end !== 'stopped') told = news.end;
    gone();
  }
  show();
}

function stop() {
  encoder?.postMessage({ stop: true });
  gone();
}

function gone() {
  const was = encoder;
  encoder = null;
  sent = null;
  if (was) setTimeout(() => was.terminate(), 10_000); // it ends by itself, when it has closed its connection
  state = stream ? 'ready' : 'idle';
}

function show() {
  const can = able();
  const encodes = can.encodes || called;
  const card = !can.films ? 'insecure' : called === false && !can.encodes ? 'unable' : state === 'idle' ? 'idle' : state === 'asking' ? 'asking' : null;
  $('state').hidden = card === null;
  if (card) [$('what').textContent, $('next').textContent] = [film.cards[card].title, film.cards[card].text];
  for (const [id, which] of [['camera', 'camera'], ['screen', 'screen'], ['voice', 'voice']]) {
    $(id).disabled = !can.films || !encodes || id === 'screen' && !can.shows;
    $(id).setAttribute('aria-pressed', from === which);
  }
  $('cameras').hidden = from !== 'camera' || $('whichcamera').options.length < 1;
  $('microphones').hidden = !['camera', 'voice'].includes(from) || $('whichmicrophone').options.length < 1;
  $('sound').hidden = !stream?.getAudioTracks().length;
  const button = $('golive');
  button.disabled = !stream || state === 'asking';
  button.classList.toggle('on', Boolean(encoder));
  button.textContent = encoder ? film.stop : film.golive;
  $('b-live').replaceChildren(html('i'), state === 'live' ? film.liveFor(duration((performance.now() - since) / 1000)) : film.badges[state === 'connecting' ? 'connecting' : 'off']);
  $('b-live').className = state === 'live' ? 'badge live' : 'badge';
  $('b-watching').textContent = channel ? watching(channel) : '';
  $('b-rate').textContent = state === 'live' && sent ? rate(sent.rate) : '';
  $('b-dropped').textContent = state === 'live' && sent?.dropped ? film.dropped(sent.dropped) : '';
  $('told').hidden = !told;
  $('told').textContent = told ? film.told(told) : '';
  document.title = state === 'live' ? film.liveTitle : film.title;
}

for (const which of ['camera', 'screen', 'voice']) $(which).addEventListener('click', () => use(which));
for (const id of ['whichcamera', 'whichmicrophone', 'quality']) {
  $(id).addEventListener('change', () => { if (from && from !== 'screen') use(from); });
}
$('mute').addEventListener('click', () => mute($('mute').getAttribute('aria-pressed') !== 'true'));
$('golive').addEventListener('click', () => (encoder ? (stop(), show()) : golive()));
$('quality').replaceChildren(...Object.keys(qualities).map((q) => html('option', { value: q, selected: q === 'medium' }, film.qualities[q])));
navigator.mediaDevices?.addEventListener('devicechange', list);
window.addEventListener('beforeunload', (e) => { if (state === 'live') e.preventDefault(); }); // the browser asks
new Poll(() => 'api/v1/channels', askEvery.channels, (answer) => { channel = answer?.channels[0] ?? null; });
if (called === null) get('api/v1/broadcast').then(({ webrtc }) => { called = webrtc && able().calls; }, () => { called = false; }).then(show);
setInterval(() => {
  if (level) $('level').value = level.now;
  if (document.visibilityState === 'visible') show();
}, 200);
show();
