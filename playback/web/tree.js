// Draws the tree of a channel: who passes the stream on to whom, how full each node is,
// how far behind, and what it has lost. It is drawn anew whenever a survey comes in.

import { layout } from './layout.js';
import { html, svg } from './svg.js';
import { called, columnName, millis, nodeWords, treeWords } from './words.js';

const rowHeight = 44;
const top = 30; // the names of the columns
const edge = 20; // left of the first node's centre
const radius = 11;
/** Narrower columns have no room for the figures, and still narrower ones are folded. */
const roomyColumn = 104;
const roomiestColumn = 176;
const leastColumn = 58;
const mostColumn = 230;

// columns is how wide a text is, in letters: those of East Asia and pictures are two wide.
const columns = (text) => [...text].reduce((sum, c) => sum + (c >= '\u1100' ? 2 : 1), 0);

// short cuts a text to so many columns.
function short(text, most) {
  if (columns(text) <= most) return text;
  const kept = [...text];
  while (kept.length && columns(kept.join('')) >= most) kept.pop();
  return `${kept.join('')}…`;
}

export class Tree {
  #box;
  #detail;
  #seen = null; // the survey that is drawn
  #at = ''; // ID of the node that is looked at
  #lost = new Map(); // ID → {lost, at}: what it had lost when that last changed
  #width = 0;

  constructor(box, detail) {
    this.#box = box;
    this.#detail = detail;
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width);
      if (width === this.#width) return;
      this.#width = width;
      this.#draw();
    }).observe(box);
    box.addEventListener('keydown', (e) => this.#key(e));
    for (const event of ['focusin', 'pointerover', 'click']) {
      box.addEventListener(event, (e) => {
        const id = e.target.closest?.('[data-node]')?.dataset.node;
        if (id) this.#look(id);
      });
    }
  }

  /** show draws a survey, as /api/v1/tree tells it; null for none. */
  show(survey) {
    const now = performance.now();
    const seen = new Map();
    for (const n of survey?.nodes ?? []) {
      const before = this.#lost.get(n.id);
      seen.set(n.id, { lost: n.lost, at: before && n.lost > before.lost ? now : before?.at ?? -Infinity });
    }
    this.#lost = seen;
    this.#seen = survey;
    this.#draw();
  }

  // losing reports whether the node has lost anything in the last ten seconds.
  #losing(node) { return performance.now() - (this.#lost.get(node.id)?.at ?? -Infinity) < 10000; }

  #draw() {
    const survey = this.#seen;
    if (!survey || this.#width === 0) {
      this.#box.replaceChildren();
      this.#detail.textContent = '';
      return;
    }
    const most = Math.max(2, Math.floor((this.#width - 2 * edge) / leastColumn));
    const plan = layout(survey.nodes, survey.self, { columns: most });
    const column = Math.min(mostColumn, (this.#width - edge - 12) / plan.columns);
    const height = top + plan.rows * rowHeight;
    const x = (it) => edge + it.column * column;
    const y = (it) => top + (it.row + 0.5) * rowHeight;

    const bands = [];
    const lines = [];
    const nodes = [];
    plan.items.forEach((it, i) => {
      const up = plan.items[it.from];
      if (up) {
        const mid = x(it) - radius - (column >= roomyColumn ? 13 : 6);
        const end = it.node ? x(it) : x(it) - radius;
        const bend = Math.min(6, Math.abs(y(it) - y(up)) / 2);
        const path = it.row === up.row
          ? `M${Math.min(mid, x(up) + this.#labelWidth(up, column))} ${y(up)}H${end}`
          : `M${mid} ${y(up)}V${y(it) - bend}q0 ${bend} ${bend} ${bend}H${end}`;
        lines.push(svg('path', { d: path, class: `edge${it.slow && !it.slowBy ? ' slow' : ''}${it.node?.orphan ? ' orphan' : ''}` }));
      }
      if (it.slowBy) bands.push(this.#band(plan, i, x, y));
      nodes.push(it.node ? this.#node(it, x(it), y(it), column) : this.#count(it, x(it), y(it)));
    });
    const heads = [];
    for (let c = 0; c < plan.columns; c++) {
      const long = column >= roomyColumn;
      heads.push(svg('text', { x: edge + c * column - radius, y: 14, class: 'column' }, columnName(survey.nodes[0], c, long)));
    }
    const focus = document.activeElement?.closest?.('[data-node]')?.dataset.node;
    this.#box.replaceChildren(svg('svg', {
      width: this.#width, height, viewBox: `0 0 ${this.#width} ${height}`, role: 'group', 'aria-label': treeWords.about(survey.summary),
    }, ...heads, ...bands, ...lines, ...nodes));
    if (!survey.nodes.some((n) => n.id === this.#at)) this.#at = '';
    this.#look(this.#at || survey.self);
    if (focus) this.#box.querySelector(`[data-node="${CSS.escape(focus)}"]`)?.focus();
  }

  // band is drawn behind the node that makes its subtree slow, and behind that subtree.
  #band(plan, i, x, y) {
    const below = new Set([i]);
    plan.items.forEach((it, k) => { if (below.has(it.from)) below.add(k); });
    const rows = [...below].map((k) => plan.items[k].row);
    const a = plan.items[i];
    const from = y(a) - rowHeight / 2 + 2;
    return svg('rect', {
      x: x(a) - radius - 6, y: from, width: this.#width - x(a) + radius, height: (Math.max(...rows) - a.row + 1) * rowHeight - 4, rx: 10, class: 'slow-band',
    });
  }

  // label returns what is written beside a node: its name, and [text, tone] for each figure.
  #label(it, column) {
    const n = it.node;
    const roomy = column >= roomyColumn;
    const figures = [];
    if (n.orphan) figures.push([treeWords.cut, 'worry']);
    else if (!n.unheard && n.depth > 0) figures.push([millis(n.delay_ms), it.slowBy ? 'warn' : '']);
    if (roomy && n.slots > 0) figures.push([`${n.children}/${n.slots}`, '']);
    if (n.lost > 0) figures.push([roomy ? treeWords.lost(n.lost) : `−${n.lost}`, this.#losing(n) ? 'worry' : 'warn']);
    const id = n.id.slice(0, 4);
    const room = Math.floor((column - 2 * radius - 14) / 7.6) - id.length - 1; // columns
    return {
      name: it.self && column >= roomiestColumn ? treeWords.self(id) : n.name && roomy ? `${id} ${short(called(n), room)}` : id,
      figures: roomy ? figures : figures.slice(-1),
    };
  }

  // labelWidth is about how far a node's label reaches to the right of its centre.
  #labelWidth(it, column) {
    const { name, figures } = this.#label(it, column);
    return radius + 14 + Math.max(columns(name) * 7.6, columns(figures.map(([text]) => text).join(' · ')) * 6.4);
  }

  #node(it, x, y, column) {
    const n = it.node;
    const bad = n.orphan || this.#losing(n);
    const kind = bad ? 'bad' : it.slow ? 'slow' : n.unheard ? 'unheard' : 'good';
    const load = n.slots > 0 ? Math.min(1, n.children / n.slots) : 0;
    const tx = x + radius + 7;
    const { name, figures } = this.#label(it, column);
    return svg('g', { class: `node ${kind}${it.self ? ' self' : ''}`, 'data-node': n.id, tabindex: -1, role: 'img', 'aria-label': nodeWords(n, it.self).join(' · ') },
      svg('rect', { x: x - radius - 5, y: y - rowHeight / 2 + 3, width: Math.min(column - 10, 168), height: rowHeight - 6, rx: 9, class: 'hit' }),
      svg('circle', { cx: x, cy: y, r: radius, class: 'disc' }),
      svg('circle', { cx: x, cy: y, r: radius, class: 'track' }),
      load > 0 && svg('circle', { cx: x, cy: y, r: radius, class: 'load', pathLength: 100, 'stroke-dasharray': `${load * 100} 100`, transform: `rotate(-90 ${x} ${y})` }),
      it.self && svg('circle', { cx: x, cy: y, r: 4.5, class: 'dot' }),
      svg('text', { x: tx, y: y - (figures.length ? 3 : -4), class: 'id' }, name),
      svg('text', { x: tx, y: y + 12, class: 'figures' },
        ...figures.flatMap(([text, tone], i) => [i > 0 && ' · ', svg('tspan', { class: tone || undefined }, text)])),
    );
  }

  #count(it, x, y) {
    return svg('g', { class: 'count' },
      svg('rect', { x: x - radius, y: y - 12, width: 46, height: 24, rx: 12 }),
      svg('text', { x: x - radius + 23, y: y + 4, 'text-anchor': 'middle' }, `+${it.count}`),
      svg('title', {}, treeWords.hidden(it.count)));
  }

  // look describes one node in words below the drawing. That node is also the one that the
  // Tab key reaches.
  #look(id) {
    this.#at = id;
    const node = this.#seen?.nodes.find((n) => n.id === id);
    if (!node) return;
    for (const g of this.#box.querySelectorAll('[data-node]')) {
      g.classList.toggle('at', g.dataset.node === id);
      g.setAttribute('tabindex', g.dataset.node === id ? 0 : -1);
    }
    const [name, ...rest] = nodeWords(node, id === this.#seen.self);
    this.#detail.replaceChildren(html('b', {}, name), html('span', {}, rest.join(' · ')));
  }

  #key(e) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const all = [...this.#box.querySelectorAll('[data-node]')];
    const next = all[all.indexOf(e.target.closest('[data-node]')) + step];
    if (!next) return;
    e.preventDefault();
    next.focus();
  }
}
