// Runs in a page before its own scripts, and gives it a camera that films the clock that clock.js reads: blocks of 12
// pixels from the 32nd on, white for 1, the most significant first; 41 bits of Unix milliseconds, 7 of these modulo 127.
// The sound is that of the browser's own device.

(() => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [640, 360];
  const pen = canvas.getContext('2d');
  const draw = () => {
    const now = Date.now();
    pen.fillStyle = '#000';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = '#fff';
    const bits = now.toString(2).padStart(41, '0') + (now % 127).toString(2).padStart(7, '0');
    [...bits].forEach((bit, i) => { if (bit === '1') pen.fillRect(32 + 12 * i, 0, 12, 24); });
    // Something that moves, or an encoder leaves pictures out.
    pen.fillRect(now / 10 % canvas.width, 100, 40, 40);
  };
  draw();
  setInterval(draw, 1000 / 30);
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await real({ audio: wish.audio });
    stream.addTrack(canvas.captureStream(30).getVideoTracks()[0]);
    return stream;
  };
})();
