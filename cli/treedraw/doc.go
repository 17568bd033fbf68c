// Package treedraw draws who passes a channel on to whom: the tree (relay tree) and the
// table that is sorted and scrolled (relay top). All of it is pure: playback's figures,
// what the terminal can show and the keys that were pressed go in, lines that fit come
// out, with strangers' text made safe. It asks nobody, reads no clock and writes nowhere.
package treedraw
