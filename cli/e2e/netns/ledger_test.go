//go:build e2e && linux

package netns

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"sort"
	"testing"

	"relay/cli/e2e/internal/taglog"
	"relay/ingest/flv"
)

// tag is what is compared: type, timestamp in milliseconds, and the beginning of the
// body's SHA-256.
type tag struct {
	typ flv.Type
	ts  uint32
	sum uint64
}

// media is a tag without its timestamp, which a player may see moved.
type media struct {
	typ flv.Type
	sum uint64
}

func (g tag) media() media { return media{g.typ, g.sum} }

func tagOf(t flv.Tag) tag { return short(taglog.Of(t)) }

func short(g taglog.Tag) tag { return tag{g.Type, g.Ms, binary.BigEndian.Uint64(g.Sum[:])} }

// ledger is what the runs of a source have taken in, as their tag logs say.
type ledger struct{ runs []*run }

// run is one run of the source: one epoch.
type run struct {
	path string
	read int64 // bytes of the log that were read
	tags []tag
	at   map[tag]int     // the last place of each
	of   map[media][]int // the places of each body
	rest []byte          // a line that is being written
}

func (l *ledger) begin(path string) *run {
	r := &run{path: path, at: make(map[tag]int), of: make(map[media][]int)}
	l.runs = append(l.runs, r)
	return r
}

// follow reads what was written since.
func (r *run) follow(t *testing.T) {
	t.Helper()
	f, err := os.Open(r.path)
	if os.IsNotExist(err) {
		return // the source has not begun
	}
	must(t, err)
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, r.read, 1<<30))
	must(t, err)
	r.read += int64(len(b))
	b = append(r.rest, b...)
	for {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		if !ok {
			r.rest = b
			return
		}
		b = rest
		entry, err := taglog.Parse(string(line))
		must(t, err)
		r.add(short(entry))
	}
}

func (r *run) add(g tag) {
	r.at[g] = len(r.tags)
	r.of[g.media()] = append(r.of[g.media()], len(r.tags))
	r.tags = append(r.tags, g)
}

// after is the first place of a body behind another place.
func (r *run) after(m media, at int) (int, bool) {
	i := sort.SearchInts(r.of[m], at+1)
	if i == len(r.of[m]) {
		return 0, false
	}
	return r.of[m][i], true
}

// newest is the run that goes on, and how many tags it has.
func (l *ledger) newest() (epoch, tags int) {
	return len(l.runs) - 1, len(l.runs[len(l.runs)-1].tags)
}
