// Package cli is the commands: flags in, a call, text out. It is the only place that joins
// the other rooms.
//
// Each command is a file of its name. One that runs a node has three steps, which can be read
// in that file from top to bottom: plan reads the command line and opens nothing; then what
// is needed is opened, each thing with its close right behind; then run serves until the end.
// design.md has the table of the rooms below, and how the program talks to programs.
package cli
