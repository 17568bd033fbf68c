// A worker: it encodes what the page films, and sends it to the node. Here, and not in the page, as a browser slows a page
// down that nobody looks at. It is told:
//
//   {begin: {address, token, quality, picture: {width, height, rate} or null, sound: {rate, channels} or null}}
//   {picture: frames} {sound: frames}   streams of VideoFrame and AudioData, transferred; also later, of another device
//   {stop: true}
//
// and tells {live: true}, {rate: bit/s, dropped: pictures} each second, {gone: 'picture' or 'sound'} at the end of a stream,
// and {end: a word} once.

import { Clock, Rate, Samples, codecs, endings, frame, keyEvery, kinds, record, soundBits } from './film.js';

// What waits to be sent, or to be encoded, at most: beyond it pictures are left out, so that live stays live.
const mostWaiting = 1_000_000; // bytes
const mostQueued = 3; // pictures

const rate = new Rate();
let socket;
let wish; // of begin
let ticking = 0;
let dropped = 0;
let over = false;
let picture = null; // {encoder, clock, size, keyed}
let sound = null;
let reading = 0; // streams: the frame that comes last has to be closed, too

self.onmessage = ({ data }) => {
  if (data.begin) begin(data.begin).catch(fail);
  else if (data.picture) read(film(data.picture));
  else if (data.sound) read(listen(data.sound));
  else if (data.stop) end('stopped');
};

async function read(stream) {
  reading++;
  await stream.catch(fail);
  reading--;
  leave();
}

/** leave ends the worker, once nothing is open. */
function leave() {
  if (over && reading === 0 && (!socket || socket.readyState === WebSocket.CLOSED)) self.close();
}

function fail(err) {
  console.error(err);
  end(err.name === 'NotSupportedError' ? 'unsupported' : 'failed');
}

/** end says how it ends, once. */
function end(word) {
  if (over) return;
  over = true;
  clearInterval(ticking);
  for (const e of [picture?.encoder, sound?.encoder]) if (e && e.state !== 'closed') e.close();
  socket?.close(1000);
  socket?.addEventListener('close', leave);
  self.postMessage({ end: word });
  leave();
}

async function begin(w) {
  wish = w;
  const [video, audio] = await Promise.all([w.picture && pictureConfig(frame(w.picture, w.quality)), w.sound && soundConfig(w.sound)]);
  socket = new WebSocket(w.address, 'broadcast.1.relay');
  socket.binaryType = 'arraybuffer';
  socket.onclose = ({ code }) => end(endings[code] ?? 'lost');
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string' && JSON.parse(data).state === 'live') self.postMessage({ live: true });
  };
  await new Promise((opened) => { socket.onopen = opened; });
  socket.send(JSON.stringify({
    token: w.token,
    video: video && { codec: video.codec, width: video.width, height: video.height, rate: w.quality.rate },
    audio: audio && { codec: audio.codec, rate: audio.sampleRate, channels: audio.numberOfChannels },
  }));
  if (video) picture = { encoder: new VideoEncoder({ output: pictureDone, error: fail }), clock: new Clock(), times: new Map(), size: null, keyed: -Infinity };
  if (audio) {
    sound = { encoder: new AudioEncoder({ output: soundDone, error: fail }), clock: new Clock(), config: audio, samples: new Samples(audio.sampleRate) };
    sound.encoder.configure(audio);
  }
  ticking = setInterval(() => self.postMessage({ rate: rate.bits(performance.now()), dropped }), 1000);
  self.postMessage({ ready: true });
}

async function pictureConfig(size) {
  for (const codec of codecs(size, wish.quality.rate)) {
    const c = { ...size, codec, bitrate: wish.quality.bits, framerate: wish.quality.rate, latencyMode: 'realtime', avc: { format: 'avc' } };
    if ((await VideoEncoder.isConfigSupported(c)).supported) return c;
  }
  throw new DOMException('no H.264', 'NotSupportedError');
}

async function soundConfig({ rate: sampleRate, channels: numberOfChannels }) {
  for (const codec of ['mp4a.40.2', 'opus']) { // players that know Opus are fewer
    const c = { codec, sampleRate, numberOfChannels, bitrate: soundBits };
    if ((await AudioEncoder.isConfigSupported(c)).supported) return c;
  }
  throw new DOMException('no sound', 'NotSupportedError');
}

/** each hands over what a stream gives, until it ends or the next one of its kind begins. */
async function each(track, frames, take) {
  const reader = frames.getReader();
  track.reader?.cancel().catch(() => { /* it has ended */ });
  track.reader = reader;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || over || track.reader !== reader) {
      value?.close();
      return track.reader === reader;
    }
    await take(value);
  }
}

async function film(frames) {
  const ended = await each(picture, frames, async (f) => {
    try {
      await encode(f);
    } finally {
      f.close();
    }
  });
  if (ended && !over) self.postMessage({ gone: 'picture' });
}

async function encode(f) {
  const { encoder, clock } = picture;
  if (encoder.encodeQueueSize > mostQueued || socket.bufferedAmount > mostWaiting) {
    dropped++;
    return;
  }
  const size = frame({ width: f.displayWidth, height: f.displayHeight }, wish.quality);
  if (picture.size?.width !== size.width || picture.size?.height !== size.height) { // another device, or a window that was resized
    picture.size = size;
    encoder.configure(await pictureConfig(size));
    picture.keyed = -Infinity;
  }
  const at = clock.at(f.timestamp, performance.now() * 1000);
  picture.times.set(f.timestamp, at);
  const keyFrame = at - picture.keyed >= keyEvery;
  if (keyFrame) picture.keyed = at;
  encoder.encode(f, { keyFrame });
}

function pictureDone(chunk, { decoderConfig } = {}) {
  const { times } = picture;
  const at = times.get(chunk.timestamp);
  for (const stamp of times.keys()) { // those before it are done, or were left out
    times.delete(stamp);
    if (stamp === chunk.timestamp) break;
  }
  done(at, chunk, decoderConfig, kinds.pictureConfig, chunk.type === 'key' ? kinds.keyPicture : kinds.picture);
}

async function listen(frames) {
  const ended = await each(sound, frames, async (data) => {
    try {
      await hear(data);
    } finally {
      data.close();
    }
  });
  if (ended && !over) self.postMessage({ gone: 'sound' });
}

async function hear(data) {
  const { encoder, clock } = sound;
  const { sampleRate, numberOfChannels, numberOfFrames } = data;
  if (sampleRate !== sound.config.sampleRate || numberOfChannels !== sound.config.numberOfChannels) { // another device
    await encoder.flush();
    sound.config = await soundConfig({ rate: sampleRate, channels: numberOfChannels });
    sound.samples = new Samples(sampleRate);
    encoder.configure(sound.config);
  }
  sound.samples.take(numberOfFrames, clock.at(data.timestamp, performance.now() * 1000));
  encoder.encode(data);
}

function soundDone(chunk, { decoderConfig } = {}) {
  done(sound.samples.give(chunk.duration), chunk, decoderConfig, kinds.soundConfig, kinds.sound);
}

/** done sends what an encoder gives, and before it how to decode it, where that is new. */
function done(at, chunk, config, configKind, kind) {
  if (over || at === undefined) return;
  if (config?.description) send(record(configKind, at, config.description));
  const data = new Uint8Array(chunk.byteLength);
  chunk.copyTo(data);
  send(record(kind, at, data));
}

function send(message) {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(message);
  rate.add(message.byteLength, performance.now());
}
