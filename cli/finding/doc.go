// Package finding finds a channel by its ID alone while none of its link's addresses answers, and has a source
// that wants it found that way. What is found is only where to ask: whoever answers there is checked as
// ever. See relay/dht/design.md for the rules.
package finding
