// Package cli is the commands: flags in, text out. It is the only place that wires
// the other rooms together.
//
// Each command is a file: source, watch, demo, version. A station is what they
// share: a node, its HTTP listener, and the channels on both. How the program talks
// to people is the room term, how trees are drawn treedraw; how it talks to programs and what
// sets its flags is in design.md.
package cli
