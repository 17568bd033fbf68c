package srt

import "strings"

// MaxStreamID is how long a stream ID may be, in bytes (draft-sharabayko-srt-01, 3.2.1.3).
const MaxStreamID = 512

// StreamID is what a caller says that it wants.
type StreamID struct {
	Mode Mode
	Name string // of the stream; "" for the one there is
}

// Mode is what a caller wants to do.
type Mode int

const (
	Any     Mode = iota // it did not say
	Publish             // send a stream
	Request             // get one
	Unknown             // something else, such as both ways
)

// modes are the words for what a caller wants: of the standard form, and those that stand in front of a
// colon, as other servers have them.
var modes = map[string]Mode{"publish": Publish, "request": Request, "read": Request, "play": Request, "bidirectional": Unknown}

// ParseStreamID reads a stream ID: of the standard form #!::m=publish,r=NAME (Haivision's access control
// guidelines, 3), publish:NAME and read:NAME, or another text, which says nothing. What follows a colon
// or a comma behind the name, such as a user and a password, is left alone.
func ParseStreamID(s string) StreamID {
	if len(s) > MaxStreamID {
		return StreamID{Mode: Unknown}
	}
	if rest, ok := strings.CutPrefix(s, "#!::"); ok {
		return standard(rest)
	}
	word, rest, _ := strings.Cut(s, ":")
	m, ok := modes[strings.ToLower(word)]
	if !ok {
		return StreamID{}
	}
	name, _, _ := strings.Cut(rest, ":")
	return StreamID{m, name}
}

// standard reads the list of keys of the standard form. Its mode is request if it names none.
func standard(list string) StreamID {
	id := StreamID{Mode: Request}
	for list != "" {
		var item string
		item, list, _ = strings.Cut(list, ",")
		key, value, _ := strings.Cut(item, "=")
		switch key {
		case "m":
			var ok bool
			if id.Mode, ok = modes[strings.ToLower(value)]; !ok {
				id.Mode = Unknown
			}
		case "r":
			id.Name = value
		}
	}
	return id
}
