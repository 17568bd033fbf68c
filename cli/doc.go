// Package cli is the commands: flags in, text out. It is the only place that wires
// the other rooms together.
//
// Each command is a file: source, watch, demo, version. A station is what they
// share: a node, its HTTP listener, and the channels on both. How the program talks to
// programs and what sets its flags is in design.md. Rooms below know no flags and no
// station: term is how it talks to people, treedraw draws trees, doctor looks for what
// is wrong, hostnet is what this machine tells of its network.
package cli
