// Package cli is the commands: flags in, a call, text out. It is the only place that joins
// the other rooms.
//
// Each command is a file of its name, but for help, which is in app.go, and man and completion,
// which are in the room manual. source and watch have three steps, which can be read in their file
// from top to bottom: plan reads the command line and opens nothing; then what is needed is
// opened, each thing with its close right behind; then run serves until the end. serve goes the
// same way in one function, and demo in its room. design.md has the table of the rooms below, and
// how the program talks to programs.
package cli
