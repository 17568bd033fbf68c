// Says where each node of a tree is drawn, and what gets a colour. Rows run down and depth
// runs to the right, so that a tree of any size fits the width of a phone. It takes and
// returns numbers; tree.js draws.

/** A node that is so much further behind than its parent makes what is below it slow, in ms. */
export const slowStep = 300;
/** Rows that are drawn at most; what is beyond becomes counts. */
export const mostRows = 40;

/**
 * layout takes the nodes of a survey, each after its parent, and returns
 * {rows, columns, items}. An item is a node in its place, {node, row, column, from, self,
 * slow, slowBy, hidden}, or a count of nodes that are not drawn, {count, row, column, from}.
 * from is the place in items of what it hangs from, -1 for the first.
 */
export function layout(nodes, self, { rows = mostRows, columns = Infinity } = {}) {
  const all = nodes.map((node) => ({ node, kids: [], size: 1, keep: false, self: node.id === self }));
  all.forEach((it, i) => {
    const parent = all[it.node.parent];
    if (it.node.parent >= i || !parent) return; // the first one, or one whose parent is not known
    it.up = parent;
    parent.kids.push(it);
    it.column = (parent.column ?? 0) + 1;
  });
  // The last column is kept for counts, unless there is nothing to count.
  if (all.every((it) => (it.column ?? 0) < columns)) columns = Infinity;
  for (const it of all.toReversed()) if (it.up) it.up.size += it.size;
  for (const it of all) {
    const by = it.up && !it.node.unheard && !it.up.node.unheard ? it.node.delay_ms - it.up.node.delay_ms : 0;
    it.slowBy = by >= slowStep ? by : 0;
    it.slow = it.slowBy > 0 || Boolean(it.up?.slow);
    // The way to this node, and to where it gets slow, is never folded away.
    if (it.self || it.slowBy) for (let up = it; up; up = up.up) up.keep = true;
  }
  const roots = all.filter((it) => !it.up);
  const depth = budget(roots, rows, columns);
  const items = [];
  let row = 0;
  let widest = 0;
  const place = (it, column, from) => {
    const at = items.push({ node: it.node, row, column, from, self: it.self, slow: it.slow, slowBy: it.slowBy }) - 1;
    widest = Math.max(widest, column);
    const open = it.kids.filter((k) => shown(k, column + 1, depth, columns));
    const folded = it.kids.filter((k) => !open.includes(k)).reduce((n, k) => n + k.size, 0);
    open.forEach((k, i) => {
      if (i > 0) row++;
      place(k, column + 1, at);
    });
    if (folded > 0) {
      if (open.length > 0) row++;
      items.push({ count: folded, row, column: column + 1, from: at });
      widest = Math.max(widest, column + 1);
    }
  };
  roots.forEach((it, i) => {
    if (i > 0) row++;
    place(it, 0, -1);
  });
  return { rows: items.length ? row + 1 : 0, columns: widest + 1, items };
}

const shown = (it, column, depth, columns) => column < columns - 1 && (column <= depth || it.keep);

// budget is the greatest depth to which the whole tree fits into rows.
function budget(roots, rows, columns) {
  let depth = 0;
  for (let next = 1; next < 64; next++) {
    if (count(roots, next, columns) > rows) break;
    depth = next;
  }
  return depth;
}

function count(roots, depth, columns) {
  const leaves = (it, column) => {
    const open = it.kids.filter((k) => shown(k, column + 1, depth, columns));
    const below = open.reduce((n, k) => n + leaves(k, column + 1), 0);
    return Math.max(1, below + (open.length < it.kids.length ? 1 : 0));
  };
  return roots.reduce((n, it) => n + leaves(it, 0), 0);
}
