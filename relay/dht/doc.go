// Package dht finds a channel by its ID in the BitTorrent DHT: mutable items of BEP 44 (bittorrent.org/beps),
// whose key is the channel's own. It asks and puts, and serves nobody: it opens a socket for as long as a
// look-up lasts, marks each query as read-only (BEP 43), and keeps no table of nodes but a list of those that
// have answered. See design.md.
package dht
