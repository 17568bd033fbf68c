package treetest

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"relay/tree"
)

// Converse plays a script and returns it with what the nodes said to each other. Lines
// that begin with blanks are such a trace, and are replaced; empty lines and those that
// begin with # are kept. The other lines are commands; a node's name is one word:
//
//	root NAME SLOTS                      add the source
//	node NAME SLOTS [age D] knows NAME…  add a node, and the places that its invite names
//	run D                                let time pass; D is as in 150ms or 2s
//	kill NAME                            end the process: its connections are closed
//	off NAME                             end the machine: nobody is told
//	freeze NAME D                        stop the process for D
//	cut NAME NAME D                      let nothing through from the first to the second
//	leave NAME                           end in good order
//	restart NAME                         end the process, and start one that knows nothing
//	capacity NAME SLOTS                  how many children it can carry from now on
//	late NAME D                          its newest chunk is D behind the root's
//	hint NAME of NAME depth N free N     gossip tells it of a node
//	tree                                 show who is below whom
//
// In the trace are the time in ms, and the messages but for heartbeats and reports, which
// come all the time. Any two nodes are 5 ms apart.
func Converse(script []byte) ([]byte, error) {
	c := &conversation{sim: New(Config{}), hosts: make(map[string]*Host), late: make(map[*Host]time.Duration)}
	c.sim.OnAction = c.said
	for n, line := range strings.Split(strings.TrimRight(string(script), "\n"), "\n") {
		if strings.HasPrefix(line, " ") {
			continue
		}
		fmt.Fprintln(&c.out, line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := c.command(strings.Fields(line)); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n+1, line, err)
		}
	}
	return c.out.Bytes(), nil
}

// conversation is one script that is played.
type conversation struct {
	sim   *Sim
	hosts map[string]*Host
	names []string // by Host.Index
	late  map[*Host]time.Duration
	out   bytes.Buffer
}

// lateEvery is how often a node that is late hears of it from its data path.
const lateEvery = 100 * time.Millisecond

func (c *conversation) command(f []string) error {
	switch {
	case f[0] == "run" && len(f) == 2:
		d, err := time.ParseDuration(f[1])
		if err != nil {
			return err
		}
		return c.sim.Run(d)
	case f[0] == "tree" && len(f) == 1:
		c.drawTree()
		return nil
	case f[0] == "root" && len(f) == 3, f[0] == "node" && len(f) >= 5:
		return c.add(f)
	case len(f) < 2:
		return fmt.Errorf("no such command")
	}
	h := c.hosts[f[1]]
	if h == nil {
		return fmt.Errorf("there is no node %s", f[1])
	}
	return c.happen(h, f)
}

// add carries out root and node.
func (c *conversation) add(f []string) error {
	slots, err := strconv.Atoi(f[2])
	if err != nil {
		return err
	}
	c.names = append(c.names, f[1])
	if f[0] == "root" {
		c.hosts[f[1]] = c.sim.AddRoot(slots)
		return nil
	}
	rest, age := f[3:], time.Duration(0)
	if rest[0] == "age" && len(rest) > 2 {
		if age, err = time.ParseDuration(rest[1]); err != nil {
			return err
		}
		rest = rest[2:]
	}
	if rest[0] != "knows" {
		return fmt.Errorf("whom does %s know?", f[1])
	}
	var seeds []*Host
	for _, name := range rest[1:] {
		if c.hosts[name] == nil {
			return fmt.Errorf("there is no node %s", name)
		}
		seeds = append(seeds, c.hosts[name])
	}
	if age > 0 {
		c.hosts[f[1]] = c.sim.AddAged(slots, age, seeds...)
	} else {
		c.hosts[f[1]] = c.sim.Add(slots, seeds...)
	}
	return nil
}

// happen carries out what befalls a node.
func (c *conversation) happen(h *Host, f []string) error {
	switch f[0] + strconv.Itoa(len(f)-2) {
	case "kill0":
		h.Kill()
	case "off0":
		h.PowerOff()
	case "leave0":
		h.Leave()
	case "restart0":
		h.Restart()
	case "capacity1":
		n, err := strconv.Atoi(f[2])
		if err != nil {
			return err
		}
		h.Slots = n
		h.tell(tree.Capacity{Slots: n, Far: n})
	case "freeze1", "late1", "cut2":
		d, err := time.ParseDuration(f[len(f)-1])
		if err != nil {
			return err
		}
		switch f[0] {
		case "freeze":
			h.Freeze(d)
		case "cut":
			if c.hosts[f[2]] == nil {
				return fmt.Errorf("there is no node %s", f[2])
			}
			c.sim.Cut(h, c.hosts[f[2]], d)
		case "late":
			_, known := c.late[h]
			c.late[h] = d
			if !known {
				c.tellLag(h)
			}
		}
	case "hint6": // hint NAME of NAME depth N free N
		depth, err := strconv.Atoi(f[5])
		free, err2 := strconv.Atoi(f[7])
		of := c.hosts[f[3]]
		if err != nil || err2 != nil || of == nil {
			return fmt.Errorf("as in hint C of B depth 1 free 2")
		}
		h.tell(tree.Candidates{Of: []tree.Candidate{{Place: of.Place, Depth: depth, Free: free, Slots: of.Slots}}})
	default:
		return fmt.Errorf("no such command")
	}
	return nil
}

// tellLag tells the node over and over how late it is.
func (c *conversation) tellLag(h *Host) {
	h.tell(tree.Progress{Lag: c.late[h]})
	c.sim.After(lateEvery, func() { c.tellLag(h) })
}

// drawTree shows each node behind its parent, and what has none.
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

// message is what is said, "" for what is said all the time.
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
