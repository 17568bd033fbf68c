package doctor

import (
	"fmt"
	"net/netip"

	"relay/cli/term"
	"relay/relay/discovery"
	"relay/relay/stream"
)

// Around is what was found on this network.
type Around struct {
	Off      bool // it was not looked for
	Channels []Channel
	Asked    string // the interfaces, in words; "" if only this machine itself could be asked
	Err      error  // why nobody could be asked
}

// Channel is a channel that somebody on this network carries.
type Channel struct {
	ID    stream.ChannelID
	Title string // a stranger's text; may be empty
	At    netip.AddrPort
}

func (m machine) checkAround() []Finding {
	f := findings{topic: "This network"}
	switch {
	case m.around.Off:
		f.note("Leave it out to find channels by themselves.", "Channels were not looked for, because of --no-discovery.")
	case m.around.Err != nil:
		f.todo("See what has UDP port "+fmt.Sprint(discovery.DefaultPort)+" and whether a firewall keeps relay off; links work without.", "%v.", m.around.Err)
	case len(m.around.Channels) > 0:
		for _, c := range m.around.Channels {
			what := c.ID.Short()
			if c.Title != "" {
				what = fmt.Sprintf("%q (%s)", term.Clean(c.Title), what)
			}
			f.fine("Channel %s was found at %s; relay watch joins it.", what, c.At)
		}
	case m.around.Asked == "":
		f.note("Connect this machine to the network of relay source.", "No channel was found; nobody but this machine itself could be asked.")
	default:
		f.note(fmt.Sprintf("If relay source runs there without --no-discovery, a firewall keeps them apart: let UDP port %d through, at both ends.", discovery.DefaultPort),
			"No channel was found; asked on %s.", m.around.Asked)
	}
	return f.all
}
