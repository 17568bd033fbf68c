// Where in what a node keeps of a channel a moment is. Nothing here touches the document. Moments are in ms
// since 1970 by the source's clock, kept is {from_ms, to_ms} as the node tells it.

/** Less than this much is no timeline, in ms. */
const least = 20_000;
/** So near to the newest counts as live, in ms: a viewer of the past gets ten seconds at once. */
const near = 12_000;

/** there reports whether there is enough to choose from. */
export const there = (kept) => Boolean(kept) && kept.to_ms - kept.from_ms >= least;

/** partOf is where a moment is, from 0 for the oldest to 1 for live; null is live. */
export function partOf(kept, moment) {
  if (moment === null) return 1;
  return Math.min(1, Math.max(0, (moment - kept.from_ms) / (kept.to_ms - kept.from_ms)));
}

/** momentOf is the moment at such a part; null for live. */
export function momentOf(kept, part) {
  const moment = kept.from_ms + part * (kept.to_ms - kept.from_ms);
  return kept.to_ms - moment < near ? null : Math.round(moment);
}

/** moved is the moment so many seconds from one, or from live; null where that is live. */
export function moved(kept, moment, seconds) {
  const to = (moment ?? kept.to_ms) + seconds * 1000;
  return to > kept.to_ms - near ? null : Math.max(kept.from_ms, Math.round(to));
}
