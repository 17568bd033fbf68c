// Runs in a page before its own scripts: nothing on it moves by itself. window.still is for those that show one
// situation after the other.

(() => {
  const later = window.setTimeout;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('*, ::before, ::after { animation: none !important; transition: none !important; }');
  document.adoptedStyleSheets = [sheet];
  const pause = (ms) => new Promise((resolve) => { later(resolve, ms); });

  // until waits, for as long as a busy machine may need, and says what has not come.
  async function until(what, is) {
    for (let i = 0; !is(); i++) {
      if (i > 12_000) throw new Error(what());
      await pause(10);
    }
  }
  const drawn = () => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
  window.still = { pause, until, drawn };
})();
