// Package follow keeps the list of channels that a person follows, and finds out which of them are live. The list is
// a text file that people may edit, and show to others: a name, a channel's ID and, as far as they are known,
// addresses on each line.
package follow
