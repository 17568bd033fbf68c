package admin

// DefaultPort is the TCP port on which a node listens for who runs it.
const DefaultPort = 7147
