// Runs in the page that films before its own scripts, and is what it films with: the devices, the worker that encodes,
// and the node that takes it. window.situations shows what can become of a broadcast, one by one.

(() => {
  const { until, drawn } = window.still;
  const el = (id) => document.getElementById(id);
  const devices = navigator.mediaDevices;
  const film = devices.getUserMedia.bind(devices);
  const now = performance.now.bind(performance);
  const Encoder = window.VideoEncoder;

  let refused = null; // how the next device is: null for given, 'never' for not answered, or the error's name
  let worker = null; // the newest one
  let passed = 0; // ms that went by at once

  const answer = (give) => {
    if (refused === 'never') return new Promise(() => {});
    return refused ? Promise.reject(new DOMException('so it is shown', refused)) : give();
  };
  devices.getUserMedia = (wish) => answer(() => film({ video: Boolean(wish.video), audio: Boolean(wish.audio) }));
  devices.getDisplayMedia = () => answer(() => film({ video: true, audio: true }));
  devices.enumerateDevices = async () => [
    ['videoinput', 'Integrated Camera (04f2:b6d0)'], ['videoinput', ''], ['audioinput', 'Default - Microphone Array (Realtek(R) High Definition Audio, SST)'], ['audioinput', ''],
  ].map(([kind, label], i) => ({ kind, label, deviceId: `device${i}` }));
  performance.now = () => now() + passed;

  window.Worker = class {
    constructor() { worker = this; }
    postMessage() {}
    terminate() {}
  };
  const tells = (data) => worker.onmessage({ data });

  const channel = {
    id: 'a'.repeat(52), name: 'aaaaaaaa', title: 'Finals, table 1', state: 'live', situation: { name: 'live' }, root: true, depth: 0, parent: '',
    codec: {}, viewer_count: 3, watching: 1204, urls: {},
  };
  const json = (value) => new Response(JSON.stringify(value), { headers: { 'Content-Type': 'application/json' } });
  const ask = window.fetch;
  window.fetch = (url, how) => {
    if (String(url).includes('api/v1/channels')) return Promise.resolve(json({ channels: [channel] }));
    if (String(url).includes('api/v1/broadcast')) return Promise.resolve(json({ token: 'secret', webrtc: false }));
    return ask(url, how);
  };

  const click = (id) => el(id).click();
  const tracks = (kind) => el('preview').srcObject.getTracks().filter((t) => !kind || t.kind === kind);

  // What a person, a device and the node do.
  async function chosen(from) {
    click(from);
    await until(() => `${from} is not shown`, () => !el('golive').disabled && el(from).ariaPressed === 'true' && el('preview').videoWidth > 0 === (from !== 'voice'));
  }
  async function cannot(because) {
    because();
    await until(() => 'it may film', () => el('camera').disabled);
  }
  async function refuses(why, from = 'camera') {
    refused = why;
    click(from);
    await until(() => `nothing is said of ${why}`, () => !el('told').hidden);
  }
  // unplugged has a device go, or with it all that is filmed.
  function unplugged(kind, all = false) {
    const [gone] = tracks(kind);
    for (const t of all ? tracks() : [gone]) t.stop();
    gone.dispatchEvent(new Event('ended')); // the browser sends it when a device goes
  }
  async function connects() {
    click('golive');
    await until(() => 'no worker was begun', () => el('golive').classList.contains('on'));
  }
  async function lives() {
    await connects();
    tells({ ready: true });
    tells({ live: true });
    tells({ rate: 2_480_000, dropped: 0 });
  }
  async function ends(word) {
    await connects();
    tells({ end: word });
  }

  // reads looks whether each option of a choice is seen to its end. One without a width takes what the longest needs.
  function reads(choice) {
    const { style, offsetWidth } = el(choice);
    style.width = 'max-content';
    const needs = el(choice).offsetWidth;
    style.width = '';
    if (needs > offsetWidth) throw new Error(`an option of ${choice} needs ${needs} pixels of ${offsetWidth}`);
  }

  // fresh brings the room back to its beginning, with nothing said.
  async function fresh() {
    Object.defineProperty(navigator, 'mediaDevices', { value: devices, configurable: true });
    window.VideoEncoder = Encoder;
    refused = null;
    passed = 0;
    await until(() => 'it may not film', () => !el('screen').disabled);
    if (el('golive').classList.contains('on')) click('golive');
    if (el('mute').ariaPressed === 'true') click('mute');
    if (el('preview').srcObject) unplugged(tracks()[0].kind, true);
    el('quality').value = 'medium';
    refused = 'NotAllowedError'; // who closes the choice of screens is told nothing
    click('screen');
    const asks = el('what').textContent;
    await until(() => 'it does not begin anew', () => el('what').textContent !== asks && el('told').hidden);
    refused = null;
  }

  const states = {
    idle: () => {},
    insecure: () => cannot(() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined, configurable: true })),
    unable: () => cannot(() => { delete window.VideoEncoder; }),
    asking: () => { refused = 'never'; click('camera'); },
    forbidden: () => refuses('NotAllowedError'),
    missing: () => refuses('NotFoundError'),
    taken: () => refuses('NotReadableError'),
    failed: () => refuses('TypeError'),
    camera: () => chosen('camera'),
    screen: () => chosen('screen'),
    voice: () => chosen('voice'),
    smooth: async () => { el('quality').value = 'smooth'; await chosen('camera'); reads('quality'); },
    muted: async () => { await chosen('camera'); click('mute'); },
    connecting: async () => { await chosen('camera'); await connects(); },
    live: async () => { await chosen('camera'); await lives(); },
    'live-screen': async () => { await chosen('screen'); await lives(); },
    'live-late': async () => { await chosen('camera'); await lives(); passed = 7.6e6; tells({ rate: 2_480_000, dropped: 1234 }); },
    'live-forbidden': async () => { await chosen('camera'); await lives(); await refuses('NotAllowedError', 'voice'); },
    'camera-gone': async () => { await chosen('camera'); await lives(); unplugged('video'); },
    'microphone-gone': async () => { await chosen('camera'); await lives(); unplugged('audio'); },
    'screen-gone': async () => { await chosen('screen'); await lives(); unplugged('video', true); },
    ...Object.fromEntries(['denied', 'busy', 'malformed', 'ended', 'lost', 'unsupported', 'failed'].map((word) => [`end-${word}`, async () => { await chosen('camera'); await ends(word); }])),
  };

  async function show(number) {
    await fresh();
    await Object.values(states)[number]();
    document.dispatchEvent(new Event('visibilitychange'));
    await drawn();
  }
  window.situations = { names: Object.keys(states), show };
})();
