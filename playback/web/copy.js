// Copies text. Browsers have the clipboard's own interface on https and on this machine alone; a page
// on a local network is given the older way, which copies what is selected.

/**
 * copy takes a text field whose whole text is meant. It reports whether the text was copied; if
 * not, it is selected, so that a person can.
 */
export async function copy(field, { clipboard, page } = { clipboard: navigator.clipboard, page: document }) {
  if (clipboard) {
    try {
      await clipboard.writeText(field.value);
      return true;
    } catch { /* it is forbidden, or the page has lost the focus */ }
  }
  // Nothing selected counts as copied in some browsers, and outside of an open dialog nothing can be.
  field.focus();
  field.select();
  field.setSelectionRange(0, field.value.length);
  if (page.activeElement !== field) return false;
  try {
    return page.execCommand('copy');
  } catch {
    return false;
  }
}
