// Which of a node's channels an address names. Nothing here touches the document.

/** The least number of an ID's characters that names a channel, as at the node. */
export const shortestName = 4;

/**
 * named is the channel that an address names: /ch, ?ch=ch or #ch; '' for none. All addresses of the
 * page are relative: a reverse proxy may have the node below a path of its own.
 */
export function named({ hash, search, pathname }) {
  const last = pathname.split('/').pop();
  const name = hash.slice(1) || new URLSearchParams(search).get('ch') || (last === 'embed' ? '' : last);
  try {
    return decodeURIComponent(name).toLowerCase();
  } catch {
    return name;
  }
}

/** find returns the one channel that is meant by a name, null if there is none. */
export function find(channels, name) {
  const found = (channels ?? []).filter((c) => name.length >= shortestName && c.id.startsWith(name));
  return found.length === 1 ? found[0] : null;
}

/** chosen is the channel to open: that of the name, or without one the only one there is. */
export const chosen = (channels, name) => name ? find(channels, name) : channels.length === 1 ? channels[0] : null;

/** addresses says where a channel's media is. */
export const addresses = (name) => ({ media: `${name}.mp4`, hls: `hls/${name}/master.m3u8` });
