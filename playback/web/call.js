// A call to the node over WebRTC, for browsers that cannot encode for a page (Firefox, Safari). To the room it is what the
// worker of encode.js is: it is told {begin}, {stop} and, by use, what is filmed; it tells {ready}, {live}, {rate, dropped}
// and {end: a word} once. The node answers over the same WebSocket that records take otherwise, and when that closes, the
// call is over.

import { endings, preferred, shrink, soundBits } from './film.js';

export class Call {
  /** onmessage hears what the call tells, as a worker's would. */
  onmessage = () => {};
  #peer = new RTCPeerConnection();
  #senders = {}; // by kind
  #socket = null;
  #quality = null;
  #ticking = 0;
  #sent = 0; // bytes, at the last look
  #over = false;

  postMessage({ begin, stop }) {
    if (begin) this.#begin(begin).catch((err) => this.#fail(err));
    if (stop) this.#end('stopped');
  }

  terminate() { this.#end('stopped'); }

  /** use has what is filmed come from the tracks of a stream. A kind that there was none of at the beginning stays out. */
  async use(stream) {
    for (const track of stream.getTracks()) {
      const sender = this.#senders[track.kind];
      if (!sender) continue;
      await sender.replaceTrack(track);
      if (track.kind === 'video') await this.#bound(sender, { maxBitrate: this.#quality.bits, maxFramerate: this.#quality.rate, scaleResolutionDownBy: shrink(track.getSettings(), this.#quality) });
      else await this.#bound(sender, { maxBitrate: soundBits });
    }
  }

  async #bound(sender, bounds) {
    const all = sender.getParameters();
    if (!all.encodings?.length) return; // before the answer, in some browsers
    Object.assign(all.encodings[0], bounds);
    await sender.setParameters(all);
  }

  async #begin({ address, token, quality, picture, sound }) {
    this.#quality = quality;
    for (const kind of [picture && 'video', sound && 'audio'].filter(Boolean)) {
      const transceiver = this.#peer.addTransceiver(kind, { direction: 'sendonly' });
      const codecs = preferred(RTCRtpSender.getCapabilities?.(kind)?.codecs ?? []);
      if (codecs.length) transceiver.setCodecPreferences?.(codecs);
      this.#senders[kind] = transceiver.sender;
    }
    this.#peer.onconnectionstatechange = () => { if (this.#peer.connectionState === 'failed') this.#end('lost'); };
    await this.#peer.setLocalDescription();
    if (this.#over) return;
    this.#socket = new WebSocket(address, 'broadcast.1.relay');
    this.#socket.onopen = () => this.#socket.send(JSON.stringify({ token, offer: this.#peer.localDescription.sdp }));
    this.#socket.onclose = ({ code }) => this.#end(endings[code] ?? 'lost');
    this.#socket.onmessage = ({ data }) => this.#hear(JSON.parse(data)).catch((err) => this.#fail(err));
  }

  async #hear({ answer, state }) {
    if (state === 'live') this.onmessage({ data: { live: true } });
    if (!answer) return;
    await this.#peer.setRemoteDescription({ type: 'answer', sdp: answer });
    this.#ticking = setInterval(() => this.#look(), 1000);
    this.onmessage({ data: { ready: true } });
  }

  /** look tells how much goes out. */
  async #look() {
    let sent = 0;
    for (const s of (await this.#peer.getStats()).values()) if (s.type === 'outbound-rtp') sent += s.bytesSent;
    if (!this.#over) this.onmessage({ data: { rate: Math.max(0, sent - this.#sent) * 8, dropped: 0 } });
    this.#sent = sent;
  }

  #fail(err) {
    console.error(err);
    this.#end('failed');
  }

  #end(word) {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#ticking);
    this.#peer.close();
    this.#socket?.close(1000);
    this.onmessage({ data: { end: word } });
  }
}
