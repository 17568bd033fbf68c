// Decodes sound as it comes, and plays it when it is due.

/** A browser that does not let it be heard has so long to do so, in ms. */
const silentAfter = 1000;

export class Sound {
  #video;
  #came;
  #failed;
  #decoder;
  #context = null;
  #speaker = null; // an AudioWorkletNode, once it is loaded
  #volume = null;
  #closed = false;
  #loud = false;

  /**
   * config sets the decoder up; the loudness is that of a video element. came is called with the time of what is
   * there, in seconds; failed once, if nothing can be heard.
   */
  constructor(config, video, { came, failed }) {
    this.#video = video;
    this.#came = came;
    this.#failed = failed;
    this.#decoder = new AudioDecoder({ output: (data) => this.#decoded(data), error: (err) => this.#fail(err) });
    this.#decoder.configure(config);
    video.addEventListener('volumechange', this.#turn);
  }

  /** decode takes a sample of a time, in seconds. */
  decode(at, data) {
    if (this.#closed) return;
    this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: Math.round(at * 1e6), data }));
  }

  /** begin lets it be heard. */
  begin() {
    this.#loud = true;
    this.#turn();
  }

  /** follow says by how much later than its time, in seconds, what it plays is due on the page's clock. */
  follow(delay) {
    if (!this.#speaker) return;
    // Where a browser does not tell what the loudspeaker is at, it is taken to play at once.
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp?.() ?? {};
    const shift = performanceTime ? performanceTime / 1000 - contextTime : performance.now() / 1000 - this.#context.currentTime;
    this.#speaker.port.postMessage({ ahead: shift - delay });
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#video.removeEventListener('volumechange', this.#turn);
    if (this.#decoder.state !== 'closed') this.#decoder.close();
    this.#context?.close();
  }

  #decoded(data) {
    const at = data.timestamp / 1e6;
    if (this.#closed) {
      data.close();
      return;
    }
    try {
      this.#context ??= this.#open(data.sampleRate, data.numberOfChannels);
      if (this.#context.sampleRate !== data.sampleRate) throw new Error('the sound goes on at another rate');
      const planes = Array.from({ length: data.numberOfChannels }, (_, i) => {
        const plane = new Float32Array(data.numberOfFrames);
        data.copyTo(plane, { planeIndex: i, format: 'f32-planar' });
        return plane;
      });
      this.#speaker?.port.postMessage({ at, planes }, planes.map((p) => p.buffer));
      this.#came(at);
    } catch (err) {
      this.#fail(err);
    } finally {
      data.close();
    }
  }

  #open(sampleRate, channels) {
    const context = new AudioContext({ sampleRate, latencyHint: 'interactive' });
    this.#load(context, channels).catch((err) => this.#fail(err));
    setTimeout(() => {
      if (context.state !== 'running') this.#fail(new Error('the browser lets nothing be heard'));
    }, silentAfter);
    return context;
  }

  async #load(context, channels) {
    await context.audioWorklet.addModule(new URL('speaker.js', import.meta.url));
    if (this.#closed) return;
    const speaker = new AudioWorkletNode(context, 'speaker', { numberOfInputs: 0, outputChannelCount: [channels] });
    this.#volume = context.createGain();
    speaker.connect(this.#volume).connect(context.destination);
    this.#turn();
    speaker.onprocessorerror = () => this.#fail(new Error('the sound broke off'));
    context.onstatechange = () => { if (context.state !== 'running') this.#fail(new Error('the browser has stopped the sound')); };
    this.#speaker = speaker;
  }

  #turn = () => {
    if (this.#volume) this.#volume.gain.value = this.#loud && !this.#video.muted ? this.#video.volume : 0;
  };

  #fail(err) {
    if (this.#closed) return;
    this.close();
    this.#failed(err);
  }
}
