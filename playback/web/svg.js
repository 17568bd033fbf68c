// Makes elements. Text is always inserted as text: titles and names come from strangers.

const ns = 'http://www.w3.org/2000/svg';

function fill(node, attrs, children) {
  for (const [k, v] of Object.entries(attrs)) if (v !== undefined && v !== false) node.setAttribute(k, v);
  node.append(...children.filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

/** svg makes an SVG element; a child that is a string becomes text. */
export const svg = (name, attrs = {}, ...children) => fill(document.createElementNS(ns, name), attrs, children);

/** html makes an HTML element in the same way. */
export const html = (name, attrs = {}, ...children) => fill(document.createElement(name), attrs, children);
