// Cameras, microphones and screens: what the browser lets a page film, as streams of frames.

/** able says what this browser can: it films; it encodes for pages; and if it does not, it has calls that do. */
export const able = () => ({
  films: Boolean(navigator.mediaDevices?.getUserMedia),
  shows: Boolean(navigator.mediaDevices?.getDisplayMedia),
  encodes: 'VideoEncoder' in window && 'AudioEncoder' in window && 'MediaStreamTrackProcessor' in window,
  calls: 'RTCPeerConnection' in window,
});

const voice = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** camera asks for a camera and a microphone; an id of '' is for whichever there is, and null for none. */
export async function camera({ camera = '', microphone = '', quality }) {
  const of = (id) => (id ? { deviceId: { exact: id } } : {});
  return navigator.mediaDevices.getUserMedia({
    video: camera !== null && { ...of(camera), height: { ideal: quality.height }, width: { ideal: Math.round(quality.height * 16 / 9) }, frameRate: { ideal: quality.rate } },
    audio: microphone !== null && { ...of(microphone), ...voice },
  });
}

/** screen asks for a screen, a window or a tab, with its sound where the system gives that. */
export async function screen({ quality }) {
  return navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: quality.rate } }, audio: true });
}

/** devices returns {cameras, microphones} with {id, label} each. They have labels once one was allowed. */
export async function devices() {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind) => all.filter((d) => d.kind === kind && d.deviceId).map((d) => ({ id: d.deviceId, label: d.label }));
  return { cameras: of('videoinput'), microphones: of('audioinput') };
}

/** whyNot names what stands between the page and a device, by the browser's error. */
export function whyNot({ name }) {
  switch (name) {
    case 'NotAllowedError': case 'SecurityError': return 'forbidden';
    case 'NotFoundError': case 'OverconstrainedError': return 'missing';
    case 'NotReadableError': case 'AbortError': return 'taken';
    default: return 'failed';
  }
}

/** frames is the stream of what a track films. It ends with the track. */
export const frames = (track) => new MediaStreamTrackProcessor({ track }).readable;

/** Level is how loud a stream is, from 0 to 1. */
export class Level {
  #context = new AudioContext();
  #meter = this.#context.createAnalyser();
  #heard = new Float32Array(this.#meter.fftSize);
  #from = null;

  /** listen goes over to another stream; one without sound is silent. */
  listen(stream) {
    this.#from?.disconnect();
    this.#from = stream.getAudioTracks().length ? this.#context.createMediaStreamSource(stream) : null;
    this.#from?.connect(this.#meter);
    this.#context.resume().catch(() => { /* it wants a tap first */ });
  }

  get now() {
    if (!this.#from) return 0;
    this.#meter.getFloatTimeDomainData(this.#heard);
    const power = this.#heard.reduce((sum, v) => sum + v * v, 0) / this.#heard.length;
    return power > 0 ? Math.min(1, Math.max(0, 1 + Math.log10(power) / 6)) : 0; // from -60 dB on
  }
}
