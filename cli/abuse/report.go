package abuse

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"relay/cli/abuse/hostile"
	"relay/cli/fault"
	"relay/relay/oneline"
)

// report says in words what came of an attack, and keeps which bars were missed.
type report struct {
	out    io.Writer
	bar    Config
	missed []string
}

func (r *report) say(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

func (r *report) miss(format string, args ...any) {
	r.missed = append(r.missed, fmt.Sprintf(format, args...))
}

func (r *report) begin(a *attack) {
	r.say("Attacking %s, from %s.", a.target.Links, a.from)
}

// blind says that the inside of the node is not seen.
func (r *report) blind(err error) {
	r.say("What happens inside the node is not seen: %v.", err)
}

// table says what became of a table's inputs.
func (r *report) table(t hostile.Table, all []outcome, came newcomers, after vitals, before map[string]float64) {
	of := map[hostile.Want]int{}
	var slowest outcome
	wrong := 0
	for _, o := range all {
		if w := o.wrong(); w != "" {
			wrong++
			r.miss("%s, %q: %s", t.Port, o.input.Name, w)
			continue
		}
		of[o.input.Want]++
		if o.took > slowest.took {
			slowest = o
		}
	}
	r.say("\n%s: %d inputs: %s; %d went wrong. The slowest took %s (%s).", t.Port, len(all), counts(of), wrong, short(slowest.took), slowest.input.Name)
	r.counted(t.Port, refused(all), after, before)
	r.came(string(t.Port)+", hostile inputs", came)
}

func counts(of map[hostile.Want]int) string {
	var parts []string
	for _, w := range []hostile.Want{hostile.Answered, hostile.Served, hostile.Refused, hostile.Ended, hostile.Dropped, hostile.Ignored} {
		if of[w] > 0 {
			parts = append(parts, fmt.Sprintf("%d %v", of[w], w))
		}
	}
	return strings.Join(parts, ", ")
}

// counted says what the node has counted of its refusals.
func (r *report) counted(p hostile.Port, refusals int, after vitals, before map[string]float64) {
	if after.refused == nil || refusals == 0 {
		return
	}
	total, known := after.refusalsAt(p, before), false
	reasons := map[string]float64{}
	for series := range after.refused {
		known = known || counted(p, series)
	}
	for series, n := range after.refusals(before) {
		if counted(p, series) {
			reasons[reasonOf(series)] += n
		}
	}
	switch {
	case !known:
		r.say("  The node does not count what it refuses there.")
		r.miss("%s: the node counts no refusals", p)
	case total < float64(refusals):
		r.say("  The node counted %.0f of %d refusals: %s.", total, refusals, words(reasons))
		r.miss("%s: %.0f of %d refusals were counted", p, total, refusals)
	default:
		r.say("  The node counted %.0f refusals: %s.", total, words(reasons))
	}
}

// reasonOf is the reason in a series' labels, which is what the node said, as a person may read it.
func reasonOf(series string) string {
	_, reason, ok := strings.Cut(series, `reason="`)
	reason, _, _ = strings.Cut(reason, `"`)
	if !ok {
		return "no reason"
	}
	return oneline.Clean(reason, 40)
}

func words(of map[string]float64) string {
	if len(of) == 0 {
		return "none"
	}
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(cmp.Compare(of[b], of[a]), cmp.Compare(a, b)) })
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %.0f", n, of[n])
	}
	return strings.Join(names, ", ")
}

// came says how newcomers fared.
func (r *report) came(during string, n newcomers) {
	if len(n.waits)+len(n.failed) == 0 {
		return
	}
	text := fmt.Sprintf("  %d honest newcomers, the slowest played after %s", len(n.waits), short(n.slowest()))
	if len(n.failed) > 0 {
		text += fmt.Sprintf("; %d did not get in: %v", len(n.failed), n.failed[0])
		r.miss("%s: %d of %d newcomers did not get in", during, len(n.failed), len(n.waits)+len(n.failed))
	}
	if n.slowest() > r.bar.Newcomer {
		r.miss("%s: a newcomer played after %s, the most is %s", during, short(n.slowest()), r.bar.Newcomer)
	}
	r.say("%s.", text)
}

// siege says what became of a siege.
func (r *report) siege(s siege, conns, cut int, came newcomers, took time.Duration, t third) {
	during := fmt.Sprintf("%s, %s", s.port, s.name)
	if s.flood != nil {
		r.say("\n%s: %d packets in %s.", during, conns, short(took))
	} else {
		r.say("\n%s, from %d addresses, for %s: %d came, %d were cut.", during, s.addresses, short(took), conns, cut)
	}
	if t.told > 0 {
		r.say("  Those who were named got %d bytes, %d answers and %d dials, for %d bytes that named them.", t.got, t.answers, t.dials, t.told)
		if t.got > t.told {
			r.miss("%s: somebody who was named got %d bytes for %d", during, t.got, t.told)
		}
	}
	if s.aims != nil && t.dials > 0 {
		r.miss("%s: somebody who was named was dialled %d times", during, t.dials)
	}
	r.came(during, came)
}

// vitals says whether the node lives, and what it has kept.
func (r *report) vitals(m *monitor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.before.rss == 0 {
		return
	}
	r.say("")
	if m.broken != nil {
		r.say("The node: %v.", m.broken)
		r.miss("the node: %v", m.broken)
		return
	}
	more := m.peak - m.before.rss
	r.say("The node neither crashed nor hung. It held %.1f MiB more at most, the stream left out.", more/(1<<20))
	if more > float64(r.bar.Memory) {
		r.miss("the node held %.1f MiB more, the most is %d", more/(1<<20), r.bar.Memory>>20)
	}
	r.say("Goroutines: %.0f before, %.0f after. Descriptors: %.0f before, %.0f after.", m.before.goroutines, m.last.goroutines, m.before.fds, m.last.fds)
	if m.last.goroutines > m.before.goroutines+slack {
		r.miss("%.0f goroutines are left over", m.last.goroutines-m.before.goroutines)
	}
	if m.last.fds > m.before.fds+slack {
		r.miss("%.0f descriptors are left over", m.last.fds-m.before.fds)
	}
	if lost := m.last.lost - m.before.lost; lost > 0 {
		r.miss("the node lost %.0f chunks", lost)
	}
}

// beside says what became of the stream beside the attack.
func (r *report) beside(a *attack, v *viewer) {
	tags, pause, err := v.seen()
	if err != nil {
		r.say("The stream beside it ended: %v.", err)
		r.miss("the stream beside it ended: %v", err)
		return
	}
	r.say("The stream beside it: %d tags, never without one for longer than %s.", len(tags), short(pause))
	if a.target.TagLog == "" {
		r.say("  Whether all came is not known: --tag-log of the source tells.")
		return
	}
	log, err := readLog(a.target.TagLog)
	if err == nil {
		var lost int
		if lost, err = missing(tags, log); err == nil && lost > 0 {
			err = fmt.Errorf("%d tags are missing", lost)
		}
	}
	if err != nil {
		r.say("  %v.", err)
		r.miss("the stream beside it: %v", err)
		return
	}
	r.say("  Each tag that the source took in since its first is among them, once.")
}

// conclude says which bars were missed, which makes it an error.
func (r *report) conclude() error {
	if len(r.missed) == 0 {
		r.say("\nAll bars were held.")
		return nil
	}
	r.say("\nMissed:")
	for _, m := range r.missed {
		r.say("  %s", oneline.Clean(m, 400))
	}
	return fault.Fail("please report what a stranger should not be able to do: SECURITY.md says how", "%d bars were missed", len(r.missed))
}

func short(d time.Duration) string { return d.Round(time.Millisecond).String() }
