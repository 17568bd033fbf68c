// Package trees asks a relay that runs for its channels' trees, and shows them: once, again and again
// (relay tree), or live and sorted on a whole screen (relay top). How they look is in treedraw.
package trees
