import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layout, mostRows } from './layout.js';

// A generator of numbers from 0 to 1 that is the same each time (mulberry32).
function seeded(seed) {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

function crowd(size, seed) {
  const random = seeded(seed);
  const nodes = [{ id: 'n0', parent: -1, depth: 0, delay_ms: 0 }];
  // Each after its parent, and before what comes below its next sibling.
  const grow = (parent, left) => {
    while (left > 0) {
      const size = 1 + Math.floor(random() * left);
      const at = nodes.push({ id: `n${nodes.length}`, parent, depth: nodes[parent].depth + 1, delay_ms: nodes[parent].delay_ms + Math.floor(random() * 20) }) - 1;
      grow(at, size - 1);
      left -= size;
    }
  };
  grow(0, size - 1);
  return nodes;
}

test('every node is drawn or counted, in a place of its own, the asking one always drawn', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const nodes = crowd(1 + seed * seed % 700, seed);
    const self = nodes[seed * 31 % nodes.length].id;
    for (const columns of [4, 6, Infinity]) {
      const plan = layout(nodes, self, { columns });
      const drawn = plan.items.filter((it) => it.node).length;
      const counted = plan.items.reduce((n, it) => n + (it.count ?? 0), 0);
      assert.equal(drawn + counted, nodes.length);
      assert.equal(new Set(plan.items.map((it) => `${it.row} ${it.column}`)).size, plan.items.length);
      for (const it of plan.items) {
        assert.ok(it.row < plan.rows && it.column < plan.columns && it.column < columns);
        if (it.from >= 0) assert.equal(plan.items[it.from].column, it.column - 1);
      }
      if (columns === Infinity) {
        assert.equal(plan.items.filter((it) => it.self).length, 1);
        assert.ok(plan.rows <= mostRows + 60, `${plan.rows} rows for ${nodes.length}`);
      }
    }
  }
});

test('a small tree is drawn whole', () => {
  const plan = layout(crowd(30, 7), 'n3');
  assert.equal(plan.items.length, 30);
});

test('a wide tree folds into one count', () => {
  const nodes = [{ id: 'root', parent: -1, depth: 0, delay_ms: 0 }];
  for (let i = 0; i < 500; i++) nodes.push({ id: `n${i}`, parent: 0, depth: 1, delay_ms: 1 });
  const plan = layout(nodes, 'n250');
  assert.deepEqual(plan.items.map((it) => it.node?.id ?? it.count), ['root', 'n250', 499]);
});

test('a subtree is slow from the node on that falls behind its parent', () => {
  const nodes = [0, 20, 420, 440, 30].map((delay, i) => ({ id: `n${i}`, parent: [-1, 0, 1, 2, 1][i], depth: 1, delay_ms: delay }));
  const { items } = layout(nodes, 'n4');
  assert.deepEqual(items.map((it) => it.slow), [false, false, true, true, false]);
  assert.deepEqual(items.map((it) => it.slowBy), [0, 0, 400, 0, 0]);
});

test('what has told nothing yet is not slow, and neither is what is below', () => {
  const nodes = [{ id: 'a', parent: -1, delay_ms: 0 }, { id: 'b', parent: 0, delay_ms: 0, unheard: true }, { id: 'c', parent: 1, delay_ms: 900 }];
  assert.ok(layout(nodes, 'a').items.every((it) => !it.slow));
});

test('no nodes, or one, are a tree too', () => {
  assert.deepEqual(layout([], 'x'), { rows: 0, columns: 1, items: [] });
  assert.equal(layout(crowd(1, 1), 'n0').rows, 1);
});

test('a node that is listed twice, as one that moves may be, is drawn twice', () => {
  const nodes = [{ id: 'a', parent: -1, delay_ms: 0 }, { id: 'b', parent: 0, delay_ms: 0 }, { id: 'b', parent: 0, delay_ms: 0 }];
  assert.equal(layout(nodes, 'a').items.length, 3);
});
