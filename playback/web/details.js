// Shows or hides the engine room: where the node stands, its figures and the tree. A browser
// remembers what was chosen last; before that they are shown where there is room beside the picture.

/** Where the browser keeps it: 'open' or 'closed'. */
const key = 'relay.details';
/** From that width on there is room, as in style.css. */
const roomy = '(min-width: 961px)';

/** begins reports whether the details are open at first: kept is what the browser has kept, null for nothing. */
export const begins = (kept, wide) => kept === 'open' || kept !== 'closed' && wide;

export class Details {
  open;
  #button;
  #changed;

  constructor(button, changed) {
    this.#button = button;
    this.#changed = changed;
    let kept = null;
    try {
      kept = localStorage.getItem(key);
    } catch { /* it keeps nothing, as in some private windows */ }
    this.open = begins(kept, matchMedia(roomy).matches);
    button.addEventListener('click', () => this.toggle());
    this.#show();
  }

  toggle() {
    this.open = !this.open;
    try {
      localStorage.setItem(key, this.open ? 'open' : 'closed');
    } catch { /* it is asked for again next time */ }
    this.#show();
    this.#changed();
  }

  #show() { this.#button.setAttribute('aria-expanded', this.open); }
}
