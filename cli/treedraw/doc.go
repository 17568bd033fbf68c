// Package treedraw draws which node passes a channel on to which: as a tree (relay tree), and
// as a table to sort and scroll (relay top). All of it is pure. Playback's figures, what the
// terminal can show, and the keys that were pressed go in. Lines that fit come out, in the person's language and with
// strangers' text made safe; what a script reads is --json. The package asks nobody, reads no clock and writes nowhere.
package treedraw
