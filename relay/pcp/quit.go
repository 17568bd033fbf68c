package pcp

import "strconv"

// Quit is why a connection ends. On the wire 1000 is added.
type Quit uint32

// Reasons to quit.
const (
	QuitNone          Quit = 0
	QuitSkip          Quit = 1
	QuitAlready       Quit = 2 // connected already
	QuitUnavailable   Quit = 3 // full
	QuitLoopback      Quit = 4 // connected to itself
	QuitNotIdentified Quit = 5
	QuitBadResponse   Quit = 6
	QuitBadAgent      Quit = 7
	QuitOffAir        Quit = 8 // also: nothing more to say
	QuitShutdown      Quit = 9
)

const quitBase = 1000

var quits = [...]string{
	QuitNone: "none", QuitSkip: "skip", QuitAlready: "already connected", QuitUnavailable: "full", QuitLoopback: "loopback",
	QuitNotIdentified: "not identified", QuitBadResponse: "bad response", QuitBadAgent: "bad agent", QuitOffAir: "off air", QuitShutdown: "shutdown",
}

// String returns the reason in lower case words.
func (q Quit) String() string {
	if int(q) < len(quits) {
		return quits[q]
	}
	return strconv.Itoa(int(q))
}

// AppendQuit appends the atom quit.
func AppendQuit(b []byte, why Quit) []byte { return appendInt(b, NameQuit, uint32(why)+quitBase) }

// ParseQuit returns the reason of an atom quit; one below 1000 stays what it is.
func ParseQuit(a Atom) (why Quit, err error) {
	if a.Name != NameQuit {
		return 0, &Error{Why: Unknown, Name: a.Name}
	}
	var v uint32
	if err := a.into(&v); err != nil {
		return 0, err
	}
	if v >= quitBase {
		v -= quitBase
	}
	return Quit(v), nil
}
