// A graph of the last five minutes, as SVG that is drawn anew with each sample.

import { svg } from './svg.js';
import { graphWords } from './words.js';

/** How far back a graph goes, in ms: at first the one, later the other. Older samples are forgotten. */
export const leastSpan = 60 * 1000;
export const graphSpan = 5 * 60 * 1000;

const height = 92;
const pad = { top: 8, right: 4, bottom: 18, left: 4 };

/** nice is the next number up of 1, 2, 5, 10, 20, … times the least. */
export function nice(n, least) {
  let top = least;
  for (let i = 0; top < n; i++) top = least * [2, 5, 10][i % 3] * 10 ** Math.floor(i / 3);
  return top;
}

export class Graph {
  #box;
  #series;
  #write;
  #least;
  #samples = []; // {at, values}
  #width = 0;

  /** series are the names of the lines, for their classes; write turns a value into words, and the scale never ends below least. */
  constructor(box, { series, write, least }) {
    this.#box = box;
    this.#series = series;
    this.#write = write;
    this.#least = least;
    new ResizeObserver(([entry]) => {
      this.#width = Math.floor(entry.contentRect.width);
      this.draw(performance.now());
    }).observe(box);
  }

  clear() {
    this.#samples = [];
    this.draw(performance.now());
  }

  /** add takes one value for each series, null where there is none. */
  add(at, values) {
    this.#samples.push({ at, values });
    while (this.#samples[0].at < at - graphSpan) this.#samples.shift();
    this.draw(at);
  }

  draw(now) {
    const w = this.#width - pad.left - pad.right;
    if (w <= 0) return;
    const h = height - pad.top - pad.bottom;
    const all = this.#samples.flatMap((s) => s.values).filter((v) => v !== null);
    const scale = nice(Math.max(0, ...all), this.#least);
    const age = this.#samples.length ? now - this.#samples[0].at : 0;
    const span = Math.min(graphSpan, Math.max(leastSpan, age));
    const x = (at) => pad.left + w * (1 - (now - at) / span);
    const y = (v) => pad.top + h * (1 - v / scale);
    const lines = this.#series.flatMap((name, i) => this.#line(name, i, x, y));
    const grid = [0, 0.5, 1].map((f) => svg('line', { x1: pad.left, x2: pad.left + w, y1: y(scale * f), y2: y(scale * f), class: 'grid' }));
    const under = height - 4;
    this.#box.replaceChildren(svg('svg', { width: this.#width, height, 'aria-hidden': 'true' },
      ...grid, ...lines,
      svg('text', { x: pad.left, y: pad.top + 11, class: 'scale' }, this.#write(scale)),
      svg('text', { x: pad.left, y: under, class: 'scale' }, graphWords.ago(span)),
      svg('text', { x: pad.left + w, y: under, class: 'scale', 'text-anchor': 'end' }, graphWords.now)));
  }

  // line draws one series, the last one filled; it breaks where there is no value.
  #line(name, i, x, y) {
    const stretches = [[]];
    for (const s of this.#samples) {
      if (s.values[i] === null) stretches.push([]);
      else stretches.at(-1).push([x(s.at), y(s.values[i])]);
    }
    const parts = [];
    for (const points of stretches.filter((p) => p.length > 1)) {
      const d = `M${points.map(([px, py]) => `${px.toFixed(1)} ${py.toFixed(1)}`).join('L')}`;
      const base = y(0).toFixed(1);
      if (i === this.#series.length - 1) parts.push(svg('path', { d: `${d}V${base}H${points[0][0].toFixed(1)}Z`, class: `area ${name}` }));
      parts.push(svg('path', { d, class: `line ${name}` }));
    }
    return parts;
  }
}
