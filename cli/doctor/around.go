package doctor

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/cli/lan"
	"relay/cli/term"
	"relay/relay/discovery"
)

// aroundTime is how long relay doctor looks for channels on this network. That is five queries
// and more, where answers take milliseconds.
const aroundTime = time.Second

// around is the result of the search on this network.
type around struct {
	off      bool // nothing was looked for
	channels []*lan.Channel
	asked    string // the interfaces, in words; "" if only this machine itself could be asked
	err      error  // why nobody could be asked
}

// lookAround looks for channels on this network.
func lookAround(ctx context.Context, network lan.Config) around {
	if network.Off {
		return around{off: true}
	}
	return aroundOf(network.Look(ctx, zap.NewNop(), aroundTime, func(c *lan.Catalog) bool { return len(c.Channels) > 0 }))
}

func aroundOf(found *lan.Catalog, asked []discovery.Asked, err error) around {
	a := around{channels: found.Sorted(), err: err}
	a.asked, _ = lan.AskedText(asked)
	return a
}

func (m machine) checkAround() []Finding {
	f := findings{topic: "This network"}
	switch {
	case m.around.off:
		f.note("Leave it out to find channels by themselves.", "Channels were not looked for, because of --no-discovery.")
	case m.around.err != nil:
		f.todo("See what has UDP port "+fmt.Sprint(discovery.DefaultPort)+" and whether a firewall keeps relay off; links work without.", "%s.", fault.Plain(m.around.err))
	case len(m.around.channels) > 0:
		for _, c := range m.around.channels {
			what := c.ID.Short()
			if c.Title != "" {
				what = fmt.Sprintf("%q (%s)", term.Clean(c.Title), what)
			}
			f.fine("Channel %s was found at %s; relay watch joins it.", what, c.Addrs[0])
		}
	case m.around.asked == "":
		f.note("Connect this machine to the network of relay source.", "No channel was found; nobody but this machine itself could be asked.")
	default:
		f.note(fmt.Sprintf("If relay source runs there without --no-discovery or --private, a firewall keeps them apart: let UDP port %d through, at both ends.", discovery.DefaultPort),
			"No channel was found; asked on %s.", m.around.asked)
	}
	return f.all
}
