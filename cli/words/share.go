package words

import (
	"relay/cli/term"
	"relay/relay"
)

// Share tells people the link that a node gives to others. What a node with the join part alone gives is of no
// use to who wants to watch, though it is a command that begins with relay watch.
func Share(link string) []string {
	lines := []string{"Share   relay watch " + term.Clean(link)}
	if inv, err := relay.ParseInvite(link); err == nil && inv.Access.CanJoin() && !inv.Access.CanRead() {
		lines = append(lines, "        (nobody can watch with this link, only pass the stream on)")
	}
	return lines
}
