// Runs where the browser renders sound (an AudioWorklet): plays what it is given when it is due.

import { Line } from './line.js';

// It gets {at, planes}: sound of a time, and {ahead}: the time of what is due is so much ahead of the
// context's own; nothing is heard before that is known.
registerProcessor('speaker', class extends AudioWorkletProcessor {
  #line = new Line(sampleRate);
  #ahead = null;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.planes) this.#line.push(data.at, data.planes);
      else this.#ahead = data.ahead;
    };
  }

  process(inputs, [planes]) {
    if (this.#ahead !== null) this.#line.pull(planes, currentTime + this.#ahead);
    return true;
  }
});
