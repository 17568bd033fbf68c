package cli

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"relay/cli/term"
	"relay/relay/discovery"
)

// doctorLook is how long channels are looked for on this network: five queries and more,
// where answers take milliseconds.
const doctorLook = time.Second

// around is what was found on this network.
type around struct {
	off   bool // it was not looked for
	found *catalog
	asked []discovery.Asked
	err   error
}

func lookAroundOnce(ctx context.Context, lan discoveryConfig) around {
	if lan.off {
		return around{off: true}
	}
	var a around
	a.found, a.asked, a.err = lan.look(ctx, zap.NewNop(), doctorLook, func(c *catalog) bool { return len(c.of) > 0 })
	return a
}

func (m machine) checkAround() []finding {
	f := findings{topic: "This network"}
	where, asked := askedText(m.around.asked)
	switch {
	case m.around.off:
		f.note("Leave it out to find channels by themselves.", "Channels were not looked for, because of --no-discovery.")
	case m.around.err != nil:
		f.todo("See what has UDP port "+fmt.Sprint(discovery.DefaultPort)+" and whether a firewall keeps relay off; links work without.", "%v.", m.around.err)
	case m.around.found != nil && len(m.around.found.of) > 0:
		for _, c := range m.around.found.sorted() {
			what := c.ID.Short()
			if c.Title != "" {
				what = fmt.Sprintf("%q (%s)", term.Clean(c.Title), what)
			}
			f.fine("Channel %s was found at %s; relay watch joins it.", what, c.addrs[0])
		}
	case !asked:
		f.note("Connect this machine to the network of relay source.", "No channel was found; nobody but this machine itself could be asked.")
	default:
		f.note(fmt.Sprintf("If relay source runs there without --no-discovery, a firewall keeps them apart: let UDP port %d through, at both ends.", discovery.DefaultPort),
			"No channel was found; asked on %s.", where)
	}
	return f.all
}
