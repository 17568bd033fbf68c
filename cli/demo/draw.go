package demo

import (
	"fmt"
	"time"

	"relay/cli/term"
	"relay/relay"
	"relay/tree"
)

// draw returns a line for each attached node, as a tree, and a line of figures about all.
func draw(nodes []node) (lines []string, sum string) {
	stats := make([]relay.Status, len(nodes))
	below := make(map[tree.ID][]int)
	var deepest int
	var slowest time.Duration
	var lost uint64
	for i, n := range nodes {
		stats[i], _ = n.channel.Status()
		if p := stats[i].Tree.Parent; !p.ID.IsZero() {
			below[p.ID] = append(below[p.ID], i)
		}
		deepest = max(deepest, stats[i].Tree.Depth)
		slowest = max(slowest, stats[i].Delay)
		lost += stats[i].Ring.Lost
	}
	var draw func(i int, first, rest string)
	draw = func(i int, first, rest string) {
		n, s := nodes[i], stats[i]
		line := fmt.Sprintf("  %-17s %s", first+n.name, n.station.URL(n.channel))
		if i > 0 {
			line += fmt.Sprintf("   %3d ms behind", s.Delay.Milliseconds())
		}
		lines = append(lines, line)
		kids := below[s.Tree.ID]
		for k, j := range kids {
			if k == len(kids)-1 {
				draw(j, rest+"└─ ", rest+"   ")
			} else {
				draw(j, rest+"├─ ", rest+"│  ")
			}
		}
	}
	draw(0, "", "")
	root := stats[0]
	return lines, fmt.Sprintf("%s, %d chunks sent, deepest node %s from the source, slowest %d ms behind it, %d chunks lost; Ctrl-C ends all",
		term.RateText(root.Ring.BitRate), root.Ring.Received, term.Links(deepest), slowest.Milliseconds(), lost)
}
