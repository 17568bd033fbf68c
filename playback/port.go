package playback

// DefaultPort is the TCP port on which a node listens for players.
const DefaultPort = 7145
