package rtmp

import "relay/relay/oneline"

// maxText is how much of a string from a peer is shown, in characters.
const maxText = 120

// printable makes a string from a peer fit for a log or an error, and short.
func printable(s string) string { return oneline.Clean(s, maxText) }
