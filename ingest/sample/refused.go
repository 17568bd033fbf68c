package sample

import (
	"strings"

	"relay/ingest/convert"
	"relay/relay/oneline"
)

const (
	mostNamed = 8  // codecs that are named in a refusal
	mostName  = 32 // characters of a name that is a stranger's
)

// CodecError refuses a file of which neither pictures nor sound can be carried, or not its pictures.
type CodecError struct {
	In  string   // the format of the file, for people
	Has []string // names; none if it has neither pictures nor sound
}

func (e *CodecError) Error() string {
	if len(e.Has) == 0 {
		return "the " + e.In + " has neither video nor sound"
	}
	return "the " + e.In + " has " + strings.Join(e.Has[:min(len(e.Has), mostNamed)], " and ") + ", which cannot be carried"
}

func (e *CodecError) Unwrap() error { return convert.ErrNotCarried }

// Name is a name for people of a codec: the first of those that are known, as code=name with a space
// between two and · for one in a name, whose code begins it; or what the file calls it.
func Name(known, code string) string {
	for each := range strings.FieldsSeq(known) {
		begins, name, _ := strings.Cut(each, "=")
		if strings.HasPrefix(code, begins) {
			return strings.ReplaceAll(name, "·", " ")
		}
	}
	return oneline.Clean(strings.TrimSpace(code), mostName)
}
