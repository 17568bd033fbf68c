package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"relay/cli/term"
	"relay/cli/words"
	"relay/playback/api"
)

func (m machine) checkRunning() []Finding {
	f := findings{topic: "The relay that runs here"}
	if m.running == nil {
		f.note("relay source broadcasts, relay watch LINK watches; one on another port is named by --http.",
			"No relay answers at %s.", m.asked)
		return f.all
	}
	if len(m.running.Channels) == 0 {
		f.note("", "A relay runs here, and has no channel open.")
	}
	for _, c := range m.running.Channels {
		m.checkChannel(&f, c)
	}
	checkPortMapping(&f, m.running.Node.PortMapping)
	return f.all
}

func checkPortMapping(f *findings, p *api.PortMapping) {
	switch {
	case p == nil || p.Text == "": // no router is asked, or there is none
	case p.Next != "":
		f.note(p.Next+".", "%s", p.Text)
	default:
		f.fine("%s", p.Text)
	}
}

// tooLate is the delay, in milliseconds, above which a stream is hardly live.
const tooLate = 5000

func (m machine) checkChannel(f *findings, c api.ChannelStatus) {
	source := c.Root
	rate := term.RateText(c.BitRate)
	if c.Unread { // nor does it know the rate
		rate = "private, and passed on unread"
	}
	about := fmt.Sprintf("%s, %s and %s here", rate, term.Plural(len(c.Children), "child", "children"), term.Counted(int64(c.ViewerCount), "player"))
	switch {
	case c.State == api.Live && source:
		f.fine("Channel %s is live: %s.", c.Name, about)
	case c.State == api.Live:
		f.fine("Channel %s is live: %s from the source, %s behind it, %s.", c.Name, term.Links(c.Depth), term.DelayText(c.DelayMs), about)
	default:
		says := words.Situation(c.Situation, source, c.Private, time.Now())
		f.todo(says.Next, "Channel %s: %s", c.Name, says.Text)
	}
	if c.DelayMs > tooLate {
		f.note("relay tree shows where the time is lost.", "Channel %s is %s behind its source.", c.Name, term.DelayText(c.DelayMs))
	}
	if c.Chunks.Lost > 0 {
		f.note("relay top, sorted by l, shows where they get lost.", "%s of channel %s did not get here since it was opened.", term.Counted(int64(c.Chunks.Lost), "chunk"), c.Name)
	}
	for _, codec := range []string{c.Codec.Video, c.Codec.Audio} {
		if outputs := without(c.Lacks, codec); len(outputs) > 0 {
			f.note("VLC, mpv and ffplay play the address that ends in .flv. For all other players, have the encoder send H.264 and AAC.",
				"Channel %s is sent in %s, which has no place in %s.", c.Name, codec, term.Spelt(outputs))
		}
	}
	switch c.Reach {
	case api.ReachOpen:
		f.fine("Others get through to this node: another node of channel %s has tried it at %s.", c.Name, c.ReachAddr)
	case api.ReachPunchable:
		f.note(words.OpenPort(reached, c.ReachAddr),
			"Others get through to this node if they are called: another node of channel %s has tried it at %s, and a router or a firewall has let nothing in, but it lets in who is called at the same moment.", c.Name, c.ReachAddr)
	case api.ReachClosed:
		f.todo("It plays all the same. "+words.OpenPort(reached, c.ReachAddr),
			"Nobody gets through to this node: another node of channel %s has tried it at %s, and a router or a firewall has let nothing in.", c.Name, c.ReachAddr)
	}
	for _, r := range c.Reached {
		if r.Addr != c.ReachAddr {
			overFamily(f, c, r)
		}
	}
	if c.Link == "" {
		f.note("Leave --no-relay out to pass the stream on.", "Nobody can get channel %s from this node.", c.Name)
	}
}

// reached is what a port is opened for.
const reached = "To be reached by everybody"

// overFamily says what somebody who was asked to dial back has found out.
func overFamily(f *findings, c api.ChannelStatus, r api.Reached) {
	next := words.OpenPort(reached, r.Addr)
	switch r.Reach {
	case api.ReachOpen:
		f.fine("Over %s others get through to this node: one that was asked has dialled %s.", r.Family, r.Addr)
	case api.ReachPunchable:
		f.note(next, "Over %s nobody can dial this node at %s; others get through if they are called.", r.Family, r.Addr)
	case api.ReachClosed:
		if c.Root {
			f.todo(next+" Where that cannot be done, use --via.", "Over %s nobody gets through to this source: one that was asked has dialled %s in vain.", r.Family, r.Addr)
			return
		}
		f.note(next, "Over %s nobody gets through to this node: one that was asked has dialled %s in vain.", r.Family, r.Addr)
	}
}

// without returns the outputs that lack a codec, in words.
func without(lacks map[string][]string, codec string) (outputs []string) {
	for _, name := range slices.Sorted(maps.Keys(lacks)) {
		if slices.Contains(lacks[name], codec) {
			outputs = append(outputs, strings.ToUpper(name))
		}
	}
	return outputs
}
