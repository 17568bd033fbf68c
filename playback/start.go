package playback

import (
	"fmt"
	"strings"
)

// Start says where in a channel a reader begins. The zero Start is Squash.
type Start int

// Ways to begin.
const (
	// Squash begins at the newest key chunk, with what has come since squeezed into
	// milliseconds: a picture at once, and no delay.
	Squash Start = iota
	// GOP begins at the newest key chunk, at the pace of the stream: a picture at
	// once, and the tags as they were sent, as a recording wants it.
	GOP
	// Key begins at the next key chunk to come: the least work for a player, and
	// nothing to see until then.
	Key
)

var startNames = []string{"squash", "gop", "key"}

// ParseStart reads "squash", "gop" or "key"; "" is Squash.
func ParseStart(s string) (Start, error) {
	if s == "" {
		return Squash, nil
	}
	for i, name := range startNames {
		if strings.EqualFold(s, name) {
			return Start(i), nil
		}
	}
	return 0, fmt.Errorf("there is no start %q: it is one of squash, gop and key", s)
}

func (s Start) String() string { return startNames[s] }
