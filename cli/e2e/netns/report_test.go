//go:build e2e && linux

package netns

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// calmMachine is how long the machine may hold this process up in an episode that is to measure
// relay's speed. It is also how much longer than usual the source itself may pause.
const calmMachine = 50 * time.Millisecond

// disturbed reports whether the machine had something else to do meanwhile.
func (e *episode) disturbed() bool {
	return e.stall > calmMachine || e.fault.name != "restart" && e.encode > e.normal+calmMachine
}

// report prints a summary of the episodes of each fault, and then the same for those during
// which the machine did nothing else.
func report(w io.Writer, faults []fault, all map[string][]*episode) {
	fmt.Fprint(w, `Times in ms. "without data": the longest time between two tags at each player, from the
fault until it is mended (in brackets less the usual time between two tags). "late": by how
much a tag came later than usual behind the source's own player. "below": players below the
victim; "others": those that had nothing to do with it. "fed again": by somebody
else, how many and when the last of an episode was. "moves": how often a node got another
parent, at most. "mended": when the fault is over, and until all are fed again. "before": the
longest time without data of anyone, in the quiet before the fault.

`)
	table(w, faults, all)
	calm := make(map[string][]*episode)
	for name, es := range all {
		calm[name] = slices.DeleteFunc(slices.Clone(es), (*episode).disturbed)
	}
	fmt.Fprintf(w, "\nEpisodes during which the machine held neither the test nor the source up for more than %v:\n\n", calmMachine)
	table(w, faults, calm)
}

func table(w io.Writer, faults []fault, all map[string][]*episode) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\t\tbelow:\twithout data\t\t\tlate\t\t\t\t\tfed again\t\t\tmoves\tothers: without data\t\t\tcut off:\tmended: without data\tall fed\t\tbefore\tmachine\t")
	fmt.Fprintln(tw, "fault\tn\tplayers\tp50\tp99\tmax\tp50\tp99\tmax\tlost\trepeated\tplayers\tp50\tmax\tmax\tmax\tlost\trepeated\tlost\tmax\tp50\tmax\tmax\tmax\t")
	for _, f := range faults {
		es := all[f.name]
		if len(es) == 0 {
			continue
		}
		var below, rest, cut tally
		var fed, back []time.Duration
		var quiet, stall time.Duration
		moved := 0
		for _, e := range es {
			var last time.Duration
			for _, n := range e.below {
				below.add(e.seen[n], e.normal)
				last = max(last, e.moved[n])
			}
			if len(e.moved) > 0 {
				fed = append(fed, last)
			}
			moved += len(e.moved)
			for _, n := range e.rest {
				rest.add(e.seen[n], e.normal)
			}
			for _, n := range e.cut {
				cut.add(e.seen[n], e.normal)
			}
			back = append(back, e.back)
			quiet, stall = max(quiet, e.quiet), max(stall, e.stall)
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%d\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t\n", f.name, len(es), len(below.pauses),
			below.at(0.5), below.at(0.99), below.at(1), ms(quantile(below.late, 0.5)), ms(quantile(below.late, 0.99)), ms(quantile(below.late, 1)),
			below.lost, below.repeated, moved, ms(quantile(fed, 0.5)), ms(quantile(fed, 1)), max(below.moves, rest.moves),
			ms(quantile(rest.pauses, 1)), rest.lost, rest.repeated, cut.lost, ms(max(below.after, rest.after)), ms(quantile(back, 0.5)), ms(quantile(back, 1)), ms(quiet), ms(stall))
	}
	tw.Flush()
}

// tally sums up what players saw.
type tally struct {
	pauses, beyond, late []time.Duration
	after                time.Duration
	lost, repeated       int
	moves                int // at most, of a node in an episode
}

func (y *tally) add(s sight, normal time.Duration) {
	y.pauses = append(y.pauses, s.pause)
	y.beyond = append(y.beyond, max(0, s.pause-normal))
	y.late = append(y.late, s.late)
	y.after = max(y.after, s.after)
	y.lost += s.lost + s.missed
	y.moves = max(y.moves, s.moves)
	y.repeated += s.repeated
}

func (y *tally) at(q float64) string {
	return fmt.Sprintf("%s (%s)", ms(quantile(y.pauses, q)), ms(quantile(y.beyond, q)))
}

// quantile returns the least time that a share q of the times does not exceed, 0 if there are
// none.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[max(0, min(len(d)-1, int(q*float64(len(d))+0.999999)-1))]
}

func ms(d time.Duration) string { return fmt.Sprint(d.Round(time.Millisecond).Milliseconds()) }
