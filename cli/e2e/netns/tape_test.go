//go:build e2e && linux

package netns

import (
	"fmt"
	"time"

	"relay/ingest/flv"
)

// tape compares what a player gets with what the source took in.
type tape struct {
	begun bool
	epoch int    // run of the source
	at    int    // the newest tag's place in it
	shift uint32 // what is added to the run's timestamps here

	came []arrival // since forget
	faults
}

// arrival is a tag that came: its place in the ledger, and when.
type arrival struct {
	epoch, at int
	when      time.Time
}

// faults counts what went wrong since forget.
type faults struct {
	lost     int // tags between two that came
	repeated int // tags that had come already
	alien    int // tags that the source never had
	cut      int // tags at the end of a run that were lost in a restart
	missed   int // tags at the beginning of a run, from its first on
	notes    []string
}

// any reports whether there was something wrong.
func (f *faults) any() bool { return f.lost+f.repeated+f.alien+f.cut+f.missed > 0 }

// maxNotes bounds what is told about one player.
const maxNotes = 6

func (f *faults) say(when time.Time, format string, args ...any) {
	if len(f.notes) < maxNotes {
		f.notes = append(f.notes, when.Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// forget clears what came, but keeps the place in the stream. It also keeps the last arrival,
// since a pause may begin with it.
func (p *tape) forget() {
	if n := len(p.came); n > 0 {
		p.came = append([]arrival(nil), p.came[n-1])
	}
	p.faults = faults{}
}

// add takes the next tag. The ledger must have what the source had written when it
// came.
func (p *tape) add(l *ledger, n note) {
	if p.begun {
		p.match(l, n)
	} else {
		p.join(l, n)
	}
	p.came = append(p.came, arrival{p.epoch, p.at, n.when})
}

func (p *tape) match(l *ledger, n note) {
	r := l.runs[p.epoch]
	want := n.tag
	want.ts -= p.shift
	if next := p.at + 1; next < len(r.tags) && (r.tags[next] == want || n.config && r.tags[next].media() == n.media()) {
		p.at = next
		return
	}
	if n.config {
		return // in front of what follows a gap or begins a run
	}
	i, ok := r.at[want]
	if !ok { // a long gap is closed up at a player
		i, ok = r.after(n.media(), p.at)
	}
	switch {
	case ok && i <= p.at:
		p.repeated++
		p.say(n.when, "tag %d of run %d again, after %d", i, p.epoch, p.at)
		return
	case ok:
		p.lost += i - p.at - 1
		p.say(n.when, "tags %d to %d of run %d are missing", p.at+1, i-1, p.epoch)
		p.at, p.shift = i, n.ts-r.tags[i].ts
		return
	}
	for e := p.epoch + 1; e < len(l.runs); e++ {
		if i, ok := l.runs[e].after(n.media(), -1); ok {
			first := l.runs[e].first()
			p.cut += len(r.tags) - p.at - 1
			p.missed += max(0, i-first) // there may be sound before the first frame
			p.say(n.when, "run %d goes on at tag %d, its first is %d; the run before ended at %d of %d", e, i, first, p.at, len(r.tags))
			p.epoch, p.at, p.shift = e, i, n.ts-l.runs[e].tags[i].ts
			return
		}
	}
	p.alien++
	p.say(n.when, "type %d at %d ms is none of the source's", n.typ, n.ts)
}

// join finds where a player begins.
func (p *tape) join(l *ledger, n note) {
	if n.config {
		return
	}
	for e := len(l.runs) - 1; e >= 0; e-- {
		i, ok := l.runs[e].at[n.tag]
		if !ok {
			i, ok = l.runs[e].after(n.media(), -1)
		}
		if ok {
			p.begun, p.epoch, p.at, p.shift = true, e, i, n.ts-l.runs[e].tags[i].ts
			return
		}
	}
	p.alien++
	p.say(n.when, "it begins with type %d at %d ms, which is none of the source's", n.typ, n.ts)
}

// first is the first frame of a run: its first video tag is the decoder's
// configuration.
func (r *run) first() int {
	videos := 0
	for i, g := range r.tags {
		if g.typ == flv.Video {
			if videos++; videos == 2 {
				return i
			}
		}
	}
	return 0
}

// pause returns the longest time without a tag between two moments.
func (p *tape) pause(from, to time.Time) time.Duration {
	var most time.Duration
	last := from
	for _, c := range p.came {
		if c.when.Before(from) {
			last = c.when
			continue
		}
		if c.when.After(to) {
			break
		}
		most = max(most, c.when.Sub(last))
		last = c.when
	}
	return max(most, to.Sub(last))
}

// lags returns how long after another player the tags came between two moments.
func (p *tape) lags(other *tape, from, to time.Time) []time.Duration {
	type place struct{ epoch, at int }
	there := make(map[place]time.Time, len(other.came))
	for _, c := range other.came {
		there[place{c.epoch, c.at}] = c.when
	}
	var all []time.Duration
	for _, c := range p.came {
		if t, ok := there[place{c.epoch, c.at}]; ok && c.when.After(from) && c.when.Before(to) {
			all = append(all, c.when.Sub(t))
		}
	}
	return all
}
