// Runs in a page before its own scripts. It reads the clock that the test's encoder has
// drawn into each frame (burntclock_test.go), as it is on the screen, and says how long
// ago that was.

(() => {
  const bits = 48; // 41 of Unix milliseconds, 7 of a check
  const scale = { width: 640, height: 360, left: 32, block: 12 };
  const canvas = new OffscreenCanvas(scale.width, 2 * scale.block);
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  const kept = 1200; // samples: a minute

  const test = {
    first: null, // ms from navigation to the first frame
    frames: 0,
    shown: [], // when frames were shown, in ms since navigation
    samples: [], // {at, clock}

    // read returns the Unix milliseconds in the picture, null if there are none.
    read() {
      const { video } = test;
      if (!video || video.readyState < 2) return null;
      const near = test.near();
      const [width, height] = near ? [near.width, near.height] : [video.videoWidth, video.videoHeight];
      pen.drawImage(near ?? video, 0, 0, width, height * (2 * scale.block) / scale.height, 0, 0, canvas.width, canvas.height);
      const { data } = pen.getImageData(0, scale.block, canvas.width, 1);
      let value = 0;
      let check = 0;
      for (let i = 0; i < bits; i++) {
        const bit = data[4 * (scale.left + i * scale.block + scale.block / 2)] > 127 ? 1 : 0;
        if (i < 41) value = 2 * value + bit;
        else check = 2 * check + bit;
      }
      return value % 127 === check && value > 0 ? value : null;
    },

    // near is the canvas that covers the video, null if none does.
    near: () => document.querySelector('canvas.near:not([hidden])'),

    // delays returns how far behind the picture was, in ms, over the last so many ms.
    delays(last) {
      const from = Date.now() - last;
      return test.samples.filter((s) => s.at >= from).map((s) => s.at - s.clock);
    },

    // freeze returns the longest time without a new frame since a time, in ms.
    freeze(since) {
      const shown = [since, ...test.shown.filter((at) => at > since), performance.now()];
      return Math.max(...shown.slice(1).map((at, i) => at - shown[i]));
    },

    // state says what the page's player is doing.
    state() {
      const { video } = test;
      if (!video) return 'no video';
      const ranges = Array.from({ length: video.buffered.length }, (_, i) => `${video.buffered.start(i)}-${video.buffered.end(i)}`);
      const why = document.querySelector('canvas.near')?.dataset.why;
      return `${test.near() ? 'near, ' : why ? `not near, ${why}, ` : ''}at ${video.currentTime} of ${ranges.join(', ') || 'nothing'}, ready ${video.readyState}, rate ${video.playbackRate}`
        + `${video.paused ? ', paused' : ''}${video.seeking ? ', seeking' : ''}${video.error ? `, ${video.error.message}` : ''}`;
    },

    text: (selector) => {
      const e = document.querySelector(selector);
      return e && e.checkVisibility() ? e.innerText : '';
    },
  };

  const watch = (video) => {
    test.video = video;
    const count = (now) => {
      test.first ??= performance.now();
      test.frames++;
      test.shown.push(now);
      if (test.shown.length > 2 * kept) test.shown.splice(0, kept);
    };
    const seen = (now) => {
      if (!test.near()) count(now);
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    const { drawImage } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.drawImage = function draw(...what) {
      if (this.canvas.className === 'near') count(performance.now());
      return drawImage.apply(this, what);
    };
    setInterval(() => {
      const clock = test.read();
      if (clock !== null) test.samples.push({ at: Date.now(), clock });
      if (test.samples.length > kept) test.samples.shift();
    }, 50);
  };
  new MutationObserver((_, observer) => {
    const video = document.querySelector('video');
    if (!video) return;
    observer.disconnect();
    watch(video);
  }).observe(document, { childList: true, subtree: true });
  window.relayTest = test;
})();
