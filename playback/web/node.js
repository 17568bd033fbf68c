// Asks the node how it is doing, again and again, while somebody is looking. It does not
// follow /api/v1/events: that would take one of the browser's six connections for each tab.

/** How long to wait between two answers, in ms. */
export const askEvery = { channels: 1000, tree: 2000, followed: 15000 };
/** How long an answer may take, in ms: longer than a node asks others for the tree. */
const patience = 12000;

export class Poll {
  #path;
  #every;
  #told;
  #timer = 0;
  #busy = false;

  /** told gets each answer, or null with an Error when there is none. path may return null for not now. */
  constructor(path, every, told) {
    this.#path = path;
    this.#every = every;
    this.#told = told;
    document.addEventListener('visibilitychange', () => this.now());
    this.now();
  }

  /** now asks at once, unless it is being asked. */
  now() {
    clearTimeout(this.#timer);
    if (!this.#busy && document.visibilityState === 'visible') this.#ask();
  }

  async #ask() {
    const path = this.#path();
    this.#busy = true;
    try {
      if (path) this.#told(await get(path), null);
    } catch (err) {
      this.#told(null, err);
    } finally { // even if nobody could make sense of the answer
      this.#busy = false;
      this.#timer = setTimeout(() => this.now(), this.#every);
    }
  }
}

/** get asks once. Its error has the status of an answer that is none. */
export async function get(path) {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), patience);
  try {
    const answer = await fetch(path, { signal: giveUp.signal, cache: 'no-store' });
    if (!answer.ok) throw Object.assign(new Error((await answer.text()).trim()), { status: answer.status });
    return await answer.json();
  } finally {
    clearTimeout(timer);
  }
}
