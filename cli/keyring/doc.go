// Package keyring has the keys of a run: those of the channel that is broadcast, and the node's own. They are kept in the
// user's folder, or made for this run alone where that cannot be written.
package keyring
