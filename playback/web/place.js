// Tells when the picture stands at a place where it will never move. All times on the page's
// clock are in milliseconds, places in the stream in seconds. It has no clock and no player.

/** Two ranges so close are one to the eye, in seconds. */
const hair = 0.05;
/**
 * A browser that is to seek to the end of a range looks for what comes next, and goes on looking
 * while other ranges come behind it. A seek into the last range only takes its time: all pictures
 * since the key frame have to be decoded.
 */
const mostSeek = 500;
const mostSeekToLive = 5000;

/** stuck tells of a picture at a place in ranges, which seeks since so many ms; 0 if it does not. */
export function stuck(ranges, at, seeking) {
  const last = ranges.at(-1);
  const here = ranges.find(([start, end]) => start - hair <= at && at < end + hair);
  if (seeking > 0) return seeking > (here === last ? mostSeekToLive : mostSeek);
  return here !== last && (!here || here[1] - at < hair);
}
