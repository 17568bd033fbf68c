// Runs in a page, or in the frame for other sites, before its own scripts, and is the node that it asks: what that says
// of its channels, and what media it sends, is one of states. window.situations shows them one by one.

(() => {
  const ask = window.fetch; // of the server that the page is from
  const later = window.setTimeout;
  // What a page does after seconds happens at once.
  window.setTimeout = (f, ms = 0, ...args) => later(f, node?.name === 'connecting' && ms === 2000 ? 1e6 : ms >= 1000 ? ms / 25 : ms, ...args);
  const { pause, drawn } = window.still;
  const el = (id) => document.getElementById(id);
  const framed = location.pathname.endsWith('/embed');
  const inFrame = 'twins'; // what a frame is told to open, but for names that are nobody's

  let node; // the state that is shown
  let told = 0; // how often the node has told of its channels since then
  let sent = false; // it has answered for the media since then

  const minutes = 60_000;
  // channel is one that a page sees; the number makes a name that no other has.
  function channel(number, more = {}, begin = framed ? inFrame : 'state') {
    const name = `${begin}${'abcdefghijklmnopqrstuvwxyz234567'[number >> 5]}${'abcdefghijklmnopqrstuvwxyz234567'[number & 31]}x`;
    return {
      id: name.padEnd(52, 'a'), name, title: 'Finals, table 1', state: 'live', situation: { name: 'live' }, root: false, depth: 2, parent: 'kxq4parent',
      codec: { video: 'h264', audio: 'aac', width: 1920, height: 1080, frame_rate: 60 }, bit_rate: 6_100_000, delay_ms: 180, viewer_count: 1, watching: 1204, reach: 'open',
      urls: { m3u: `${name}.m3u`, ts: `${name}.ts`, flv: `${name}.flv`, hls: `hls/${name}/index.m3u8` }, ...more,
    };
  }
  const at = (name, for_s, more) => (n) => channel(n, { situation: { name, for_s }, ...more });
  const picture = (more) => (n) => channel(n, more);
  const kept = () => ({ from_ms: Date.now() - 95 * minutes, to_ms: Date.now(), bytes: 4e9 });
  const click = (selector) => document.querySelector(selector).click();
  const details = (are) => { if (el('details').ariaExpanded === are) click('#details'); };
  const qr = Array.from({ length: 29 }, (_, y) => Array.from({ length: 29 }, (_, x) => ((x * 7 + y * 13 + x * y) % 3 ? 0 : 1)).join(''));
  const link = `relay://${'abcd2345'.repeat(6)}abcd@203.0.113.7:7144`;
  const shared = { link, page: 'http://192.168.1.5:7145/', near: true, private: false, qr, embed: ['https://example.org'] };

  // Each has a name, and what the node says and sends; is is what the player does then, and then what a person does. whole is
  // one of the whole page, which a frame has not.
  const states = [
    ...[['looking', 4], ['full', 9], ['unknown', 9], ['recording', 9], ['refused', 9], ['waiting', 40], ['starting', 2], ['paused', 75],
      ['stuck', 75], ['reconnecting', 6], ['orphaned', 75], ['ended', 7500], ['offline', 75], ['closed', 0]].map(([name, s]) => ({ name, say: at(name, s), is: 'gone' })),
    ...[['looking', 600], ['reconnecting', 600]].map(([name, s]) => ({ name: `${name}-late`, say: at(name, s), is: 'gone' })),
    { name: 'unknown-private', say: at('unknown', 9, { private: true }), is: 'gone' },
    ...['waiting', 'paused', 'stuck', 'ended'].map((name) => ({ name: `${name}-source`, say: at(name, 86400, { root: true, depth: 0, parent: '' }), is: 'gone' })),
    { name: 'unread', say: picture({ private: true, unread: true }), is: 'gone' },
    { name: 'connecting', say: picture(), media: 'none', is: 'connecting' },
    { name: 'slow', say: picture(), media: 'none', is: 'queued' },
    { name: 'first', say: picture(), media: 'empty', is: 'waiting' },
    { name: 'tap', say: picture(), media: 'clip', tap: true, is: 'tap' },
    { name: 'live', say: picture({ viewer_count: 3 }), media: 'clip', is: 'playing' },
    { name: 'stalled', say: picture(), media: 'short', is: 'stalled' },
    { name: 'you-paused', say: picture(), media: 'clip', is: 'playing', then: () => click('#play'), becomes: 'resting' },
    { name: 'broken', say: picture(), media: 'broken', is: 'lost' },
    { name: 'node-full', say: picture(), media: 503, is: 'full' },
    { name: 'undecodable', say: picture(), media: 'clip', blind: true, is: 'unsupported' },
    { name: 'uncarried', say: picture({ codec: { video: 'hevc', audio: 'ac3', height: 2160 } }), media: 415, is: 'unsupported' },
    { name: 'no-answer', say: picture(), mute: true, is: 'gone' },
    { name: 'none', list: () => [], wants: '', is: 'idle' },
    { name: 'name-too-short', list: (n) => [channel(n)], wants: 'abc', is: 'idle' },
    { name: 'name-of-several', list: (n) => [channel(n, {}, inFrame), channel(n ^ 1, {}, inFrame)], wants: inFrame, is: 'idle' },
    { name: 'name-of-none', list: (n) => [channel(n, {}, 'other'), channel(n ^ 1, {}, 'other')], wants: 'zzzzzzzz', is: 'idle' },
    {
      name: 'choice', wants: '', is: 'idle', list: (n) => [
        channel(n), channel(n ^ 1, { title: '夏の野球大会 決勝 第二試合', situation: { name: 'ended', for_s: 90 }, state: 'ended' }),
        channel(n ^ 2, { title: 'A title that its broadcaster has made as long as broadcasters do', situation: { name: 'waiting' }, state: 'waiting', codec: {} }),
        channel(n ^ 4, { title: 'مباراة النهائي' }), channel(n ^ 8, { title: '' }),
      ],
    },
    { name: 'past', say: () => channel(60, { kept: kept() }), media: 'clip', is: 'playing', then: () => seek(300), becomes: 'playing' },
    { name: 'timeline', say: () => channel(61, { kept: kept() }), media: 'clip', is: 'playing', then: () => point(0.02) },
    {
      name: 'details', whole: true, media: 'clip', is: 'playing', then: () => details('false'),
      say: picture({ title: 'مباراة النهائي 2026: الشوط الثاني', reach: 'closed', aac_of: 'opus', dropped_tags: { cut_picture: 3 }, left_peers: { slow: 2, forged: 1 } }),
    },
    ...[[900, 0], [900, 3], [0, 0]].map(([proved, unproved]) => ({
      name: `recorded-${proved}-${unproved}`, whole: true, media: 'clip', is: 'playing',
      say: picture({ title: 'Finals, table 1 (recording of 28 November 2026, 20:15)', recording: { of: 'kxq4ds2b'.padEnd(52, 'a'), name: 'kxq4ds2b', made_ms: 1796001012000, proved, unproved } }),
    })),
    { name: 'keys', whole: true, say: picture({ title: '' }), media: 'clip', is: 'playing', then: () => click('#keys') },
    { name: 'share', whole: true, say: picture(), media: 'clip', is: 'playing', then: () => click('#share'), share: shared },
    { name: 'share-private', whole: true, say: picture({ private: true }), media: 'clip', is: 'playing', then: () => click('#share'), share: { ...shared, link: '', private: true, page: 'http://127.0.0.1:7145/', near: false, qr: [], embed: [] } },
  ];
  // A frame looks once at what it is told to open. It stays with a channel that it has found.
  const shown = framed
    ? states.filter(({ whole, wants = inFrame }) => !whole && wants === location.hash.slice(1)).sort((a, b) => Boolean(b.list) - Boolean(a.list))
    : states;

  function seek(value) {
    el('seek').value = value;
    el('seek').dispatchEvent(new Event('input'));
    el('seek').dispatchEvent(new Event('change'));
  }
  function point(part) {
    const { left, width } = el('seek').getBoundingClientRect();
    el('seek').dispatchEvent(new PointerEvent('pointermove', { clientX: left + part * width, bubbles: true }));
    el('stage').dispatchEvent(new PointerEvent('pointermove', { bubbles: true }));
  }

  const json = (value) => new Response(JSON.stringify(value), { headers: { 'Content-Type': 'application/json' } });
  const ends = (signal) => new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });

  // film sends a minute of film at its pace, the first seconds of it at once: all, or these and no more.
  async function film(kind, signal, headers) {
    const whole = new Uint8Array(await (await ask('clip.mp4')).arrayBuffer());
    const second = Math.ceil(whole.length / 60);
    let from = 0;
    return new Response(new ReadableStream({
      async pull(out) {
        if (kind === 'empty' || from >= whole.length || kind !== 'clip' && from > 0) {
          if (kind === 'broken') out.error(new TypeError('network error'));
          else await ends(signal);
          return;
        }
        const n = from === 0 ? 4 * second : second / 10;
        if (from > 0) await pause(100);
        out.enqueue(whole.slice(from, from + n));
        from += n;
      },
    }), { headers });
  }

  async function media(url, signal) {
    sent = true;
    if (node.media === 'none') return ends(signal);
    if (typeof node.media === 'number') return new Response('', { status: node.media });
    if (!node.media) return new Response('', { status: 404 });
    const from = /at=([0-9.]+)/.exec(url);
    return film(node.media, signal, from ? { 'X-Begins-At': String(Math.round(from[1] * 1000)) } : {});
  }

  window.fetch = (url, how = {}) => {
    const path = String(url);
    if (path.includes('api/v1/channels')) {
      told++;
      return node?.mute ? Promise.reject(new TypeError('nobody answers')) : Promise.resolve(json({ channels: node?.channels ?? [] }));
    }
    if (path.includes('api/v1/share')) return Promise.resolve(json(node.share));
    if (path.includes('.mp4') && path.includes('peek')) return Promise.resolve(new Response('', { status: 404 }));
    if (/(state|twins).*\.mp4/.test(path)) return media(path, how.signal);
    return ask(url, how);
  };
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function begin() {
    return node?.tap ? Promise.reject(new DOMException('no', 'NotAllowedError')) : play.call(this);
  };
  const can = MediaSource.isTypeSupported;
  MediaSource.isTypeSupported = (type) => !node?.blind && can.call(MediaSource, type);

  const until = (what, is) => window.still.until(() => `${node.name}: ${what()}`, is);

  async function show(number) {
    const before = node;
    const roomy = innerWidth > 960;
    for (const open of document.querySelectorAll('dialog[open]')) open.close();
    if (before?.name === 'details' && !roomy) details('true');
    const state = shown[number];
    node = { ...state, channels: state.list ? state.list(number) : [state.say(number)] };
    const seen = node.channels[0];
    if (node.mute) { // it has answered before
      node.mute = false;
    }
    const settled = async (is) => {
      told = 0;
      document.dispatchEvent(new Event('visibilitychange'));
      await until(() => `told ${told} times, sent ${sent}, ${el('stage').dataset.state} and not ${is}`,
        () => told > 0 && (state.is === 'idle' || sent) && el('stage').dataset.state === is);
    };
    sent = false;
    if (!framed) location.hash = state.wants ?? seen.name;
    await settled(state.is);
    if (state.mute) {
      node.mute = true;
      await settled(state.is);
    }
    if (state.then) {
      state.then();
      await settled(state.becomes ?? state.is);
    }
    await drawn();
  }
  window.situations = { names: shown.map((s) => s.name), show };
})();
