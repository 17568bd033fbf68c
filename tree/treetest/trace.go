package treetest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"relay/tree"
)

// drawTree shows each node with its children in brackets. Nodes without a parent begin a line.
func (c *conversation) drawTree() {
	var draw func(h *Host) string
	draw = func(h *Host) string {
		var below []string
		for _, ch := range c.sim.Hosts() {
			if ch.Alive() && ch.Parent() == h {
				below = append(below, draw(ch))
			}
		}
		if len(below) == 0 {
			return c.names[h.Index]
		}
		return c.names[h.Index] + "(" + strings.Join(below, " ") + ")"
	}
	for _, h := range c.sim.Hosts() {
		if h.Alive() && h.Parent() == nil {
			fmt.Fprintf(&c.out, "    %s\n", draw(h))
		}
	}
}

// showClocks shows by how much each node's estimate of the root's clock is ahead of it.
func (c *conversation) showClocks() {
	root := c.sim.hosts[0]
	is, _ := root.Node.RootClock(root.now())
	for _, h := range c.sim.Hosts() {
		if h == root || !h.Alive() || h.Node == nil {
			continue
		}
		text := "not known"
		if t, ok := h.Node.RootClock(h.now()); ok {
			text = fmt.Sprintf("%+.1f ms", float64(t-is)/float64(time.Millisecond))
		}
		fmt.Fprintf(&c.out, "    %s %s\n", c.names[h.Index], text)
	}
}

// said adds a line to the trace.
func (c *conversation) said(h *Host, a tree.Action) {
	me := c.names[h.Index]
	var text string
	switch a := a.(type) {
	case tree.Dial:
		text = me + " dials " + c.place(a.Place)
	case tree.Send:
		m := c.message(a.Msg)
		if m == "" {
			return
		}
		text = me + " -> " + c.peer(h, a.Link) + "  " + m
	case tree.Close:
		text = fmt.Sprintf("%s closes the link with %s: %v", me, c.peer(h, a.Link), c.end(a.End))
	case tree.Feed:
		text = me + " takes the stream from " + c.peer(h, a.Link)
	case tree.Serve:
		text = me + " serves " + c.peer(h, a.Link)
	case tree.Attached:
		text = fmt.Sprintf("%s is below %s, at depth %d", me, c.place(a.Parent), a.Depth)
		if a.Before.Reason != tree.ReasonNone {
			text += "; before: " + c.end(a.Before)
		}
	case tree.Orphaned:
		text = me + " is an orphan: " + c.end(a.End)
	case tree.Left:
		text = me + " is gone"
	}
	fmt.Fprintf(&c.out, "  %8.1f  %s\n", float64(c.sim.Elapsed())/float64(time.Millisecond), text)
}

func (c *conversation) end(e tree.End) string {
	return e.Reason.String() + ", by " + e.By.String()
}

// message is a message as the trace shows it, "" for one that it leaves out.
func (c *conversation) message(m tree.Message) string {
	switch m := m.(type) {
	case tree.Join:
		s := fmt.Sprintf("join: %d slots, %d s old", m.Slots, m.Age)
		if m.Standby {
			s += ", standby"
		}
		if m.Below > 0 {
			s += fmt.Sprintf(", %d below", m.Below)
		}
		if m.Within > 0 {
			s += fmt.Sprintf(", to depth %d at most", m.Within)
		}
		return s
	case tree.Welcome:
		s := fmt.Sprintf("welcome: step %d, %d from the root, path %s", m.Label.E, m.Label.H, c.places(m.Path))
		switch {
		case m.Lag == 1<<32-1:
			s += ", without a chunk"
		case m.Lag > 0:
			s += fmt.Sprintf(", %d ms late", m.Lag)
		}
		if len(m.Others) > 0 {
			s += ", others " + c.places(m.Others)
		}
		return s
	case tree.Refer:
		return fmt.Sprintf("refer: %s, to %s", m.Reason.String(), c.places(m.Places))
	case tree.Pull:
		return "pull"
	case tree.Path:
		return "path: " + c.places(m.Path)
	case tree.Backups:
		return "backups: " + c.places(m.Places)
	case tree.Bye:
		s := fmt.Sprintf("bye: %s", m.Reason.String())
		if len(m.Places) > 0 {
			s += ", to " + c.places(m.Places)
		}
		return s
	}
	return "" // heartbeats and reports
}

func (c *conversation) places(ps []tree.Place) string {
	if len(ps) == 0 {
		return "nobody"
	}
	names := make([]string, 0, len(ps))
	for _, p := range ps {
		names = append(names, c.place(p))
	}
	return strings.Join(names, " ")
}

func (c *conversation) place(p tree.Place) string {
	i := slices.IndexFunc(p.Addrs, func(a netip.AddrPort) bool { return c.sim.hostAt(a) != nil })
	if i < 0 {
		return "?"
	}
	return c.names[c.sim.hostAt(p.Addrs[i]).Index]
}

// peer is the node at the other end of a link.
func (c *conversation) peer(h *Host, l tree.Link) string {
	cn := h.conns[l]
	if cn == nil {
		if d := h.dials[l]; d != nil {
			return c.place(d.place)
		}
		return "nobody"
	}
	return c.names[cn.ends[1-cn.end(h, l)].Index]
}
