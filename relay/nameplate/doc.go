// Package nameplate is what a node calls itself, under its own signature, so that those who pass it
// on can neither alter it nor hang it on another node. Whoever shows a name cleans it first.
//
// A node's ID is the SHA-256 of its public key, and a plate has that key: the plate says itself whose it
// is. It holds in one channel. The package does no I/O and knows no links; relay/design.md, *Names*, says
// when a node has one, and who is told.
package nameplate
