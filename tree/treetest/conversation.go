package treetest

import (
	"bytes"
	"fmt"
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
//	withhold NAME                        it forwards no chunks from now on
//	liar NAME D                          add a node whose labels are D ahead of the root
//	delay NAME NAME D                    a message from the first to the second takes D
//	hint NAME of NAME depth N free N     gossip tells it of a node
//	tree                                 show who is below whom
//	clocks                               show by how much each is wrong about the root's clock
//
// In the trace are the time in ms, and the messages but for heartbeats and reports, which
// come all the time. Any two nodes are 5 ms apart.
func Converse(script []byte) ([]byte, error) {
	c := &conversation{sim: New(Config{}), hosts: make(map[string]*Host), data: newPretence()}
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
	data  pretence
	out   bytes.Buffer
}

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
	case f[0] == "clocks" && len(f) == 1, f[0] == "liar" && len(f) == 3:
		if hs := c.sim.hosts; len(hs) == 0 || !hs[0].Root {
			return fmt.Errorf("the source has to be the first node")
		}
		if f[0] == "liar" {
			return c.addLiar(f)
		}
		c.showClocks()
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

// addLiar carries out liar.
func (c *conversation) addLiar(f []string) error {
	ahead, err := time.ParseDuration(f[2])
	if err != nil {
		return err
	}
	c.names = append(c.names, f[1])
	c.hosts[f[1]] = addBoaster(c.sim, ahead)
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
	case "withhold0":
		c.data.withhold(c.sim, h)
	case "freeze1", "late1", "cut2", "delay2":
		d, err := time.ParseDuration(f[len(f)-1])
		if err != nil {
			return err
		}
		return c.happenFor(h, f, d)
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

// happenFor carries out what has a time in it.
func (c *conversation) happenFor(h *Host, f []string, d time.Duration) error {
	switch f[0] {
	case "freeze":
		h.Freeze(d)
		return nil
	case "late":
		c.data.late(c.sim, h, d)
		return nil
	}
	other := c.hosts[f[2]]
	if other == nil {
		return fmt.Errorf("there is no node %s", f[2])
	}
	if f[0] == "cut" {
		c.sim.Cut(h, other, d)
	} else {
		c.sim.SetDelay(h, other, d)
	}
	return nil
}
