import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cast } from './cast.js';

// An element of a browser that knows devices. tell says that one has come or gone.
function element({ hls = 'maybe', refuse = false } = {}) {
  const remote = new EventTarget();
  return Object.assign(new EventTarget(), {
    remote, src: '', playing: false,
    canPlayType: () => hls,
    removeAttribute() { this.src = ''; },
    play() { this.playing = true; return Promise.resolve(); },
    pause() { this.playing = false; },
    tell: (there) => remote.callback(there),
  }, Object.assign(remote, {
    watchAvailability: (callback) => { remote.callback = callback; return refuse ? Promise.reject(new Error('no')) : Promise.resolve(1); },
    cancelWatchAvailability: () => Promise.resolve(),
    prompt: () => refuse ? Promise.reject(new Error('nobody')) : Promise.resolve(),
  }) && {});
}

test('a device is offered when there is one, and gets HLS', async () => {
  const video = element();
  let shown = 0;
  const cast = new Cast(video, () => { shown++; });
  cast.open('hls/abcd/index.m3u8');
  assert.deepEqual([cast.there, video.src], [false, 'hls/abcd/index.m3u8']);
  video.tell(true);
  assert.deepEqual([cast.there, shown], [true, 1]);
  await cast.choose();
  video.remote.dispatchEvent(new Event('connect'));
  assert.deepEqual([cast.on, video.playing, shown], [true, true, 2]);
  cast.open(''); // the channel that a device shows stays there
  assert.equal(video.src, 'hls/abcd/index.m3u8');
  video.remote.dispatchEvent(new Event('disconnect'));
  assert.deepEqual([cast.on, video.playing, shown], [false, false, 4]);
  assert.deepEqual([cast.there, video.src], [false, ''], 'the channel that was opened meanwhile');
});

test('nothing is offered without devices, HLS or the interface itself', async () => {
  for (const video of [Object.assign(element(), { remote: undefined }), element({ hls: '' }), element({ refuse: true })]) {
    const cast = new Cast(video, () => assert.fail('there is nothing to show'));
    cast.open('hls/abcd/index.m3u8');
    await cast.choose();
    assert.deepEqual([cast.there, cast.on, video.playing], [false, false, false]);
  }
});
