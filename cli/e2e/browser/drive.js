// Drives Chromium for the tests in Go: a request in JSON on each line of standard input,
// its answer on a line of standard output. Ends with standard input.
//
//   {"id": 1, "op": "open", "tab": "a", "url": "…", "width": 1024, "height": 640}
//   {"id": 1, "result": …}   or   {"id": 1, "error": "…"}

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

// Finds what keeps people with other senses from using a page (deque, axe-core).
const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const clock = readFileSync(new URL('clock.js', import.meta.url), 'utf8');

// hang bounds every step, in ms, as wait.Patience does in Go: on a busy machine the half minute
// that playwright allows is soon over.
const hang = 120_000;

const browser = await chromium.launch({
  timeout: hang,
  // The same engine as chromium's without its user interface, which takes more of the processor.
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium-headless-shell',
  args: [
    '--no-sandbox', // tests run as root in CI
    '--disable-gpu', '--disable-quic', '--no-first-run',
    // Nothing is asked of the Internet.
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', // a camera and a microphone, without a question
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
const contexts = new Map(); // profile → BrowserContext; tabs of one share its connections
const tabs = new Map(); // name → {page, log, asked}

const ops = {
  version: () => browser.version(),

  async open({ tab, profile = tab, url, width = 1024, height = 640, phone = false, dark = false, locale = 'en-US', before = '' }) {
    if (!contexts.has(profile)) {
      contexts.set(profile, await browser.newContext({
        viewport: { width, height }, isMobile: phone, hasTouch: phone, deviceScaleFactor: phone ? 2 : 1,
        colorScheme: dark ? 'dark' : 'light', locale,
      }));
      contexts.get(profile).setDefaultTimeout(hang);
    }
    const page = await contexts.get(profile).newPage();
    const log = [];
    const asked = [];
    page.on('pageerror', (err) => log.push(`error: ${err.message}`));
    page.on('console', (m) => log.push(`${m.type()}: ${m.text()}`));
    page.on('request', (r) => asked.push(r.url()));
    tabs.set(tab, { page, log, asked });
    await page.addInitScript(clock);
    if (before) await page.addInitScript(before);
    await page.goto(url, { waitUntil: 'commit' });
  },

  // frame is the page itself (0), or what it shows in a frame; nothing comes of one that is not there yet.
  eval: ({ tab, js, frame = 0 }) => tabs.get(tab).page.frames()[frame]?.evaluate(js),
  press: ({ tab, key }) => tabs.get(tab).page.keyboard.press(key),
  click: ({ tab, selector }) => tabs.get(tab).page.click(selector),
  shot: ({ tab, path }) => tabs.get(tab).page.screenshot({ path, fullPage: true }).then(() => null),
  async axe({ tab }) {
    const { page } = tabs.get(tab);
    await page.evaluate(`${axe}; 0`);
    return page.evaluate(() => axe.run().then(({ violations }) => violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`)));
  },
  log: ({ tab }) => tabs.get(tab).log,
  asked: ({ tab }) => tabs.get(tab).asked,

  // hide takes a tab out of sight, as a switch to another one does: without a window the
  // browser calls every tab visible.
  async hide({ tab, hidden }) {
    await tabs.get(tab).page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { get: () => state, configurable: true });
      Object.defineProperty(document, 'hidden', { get: () => state === 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden ? 'hidden' : 'visible');
  },

  async close({ tab }) {
    await tabs.get(tab).page.close();
    tabs.delete(tab);
    const context = contexts.get(tab);
    contexts.delete(tab);
    await context?.close();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, op, ...args } = JSON.parse(line);
  let answer;
  try {
    answer = { id, result: await ops[op](args) ?? null };
  } catch (err) {
    answer = { id, error: String(err.message ?? err) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
