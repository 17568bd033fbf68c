// Runs in a page before its own scripts: tells how loud is what it plays without a media element, and can have its
// decoder of pictures fail.

(() => {
  const test = window.nearTest = { loudest: 0, fail: null };
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function listen(to, ...more) {
    if (to === this.context.destination) {
      const ear = this.context.createAnalyser();
      connect.call(this, ear);
      const heard = new Float32Array(ear.fftSize);
      setInterval(() => {
        ear.getFloatTimeDomainData(heard);
        test.loudest = Math.max(...heard);
      }, 20);
    }
    return connect.call(this, to, ...more);
  };
  const Real = window.VideoDecoder;
  window.VideoDecoder = class extends Real {
    constructor(how) {
      super(how);
      test.fail = () => how.error(new DOMException('a test says so', 'EncodingError'));
    }
  };
})();
