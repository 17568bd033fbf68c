//go:build e2e && linux

package netns

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"relay/ingest/flv"
)

const (
	// windowLen is how many bytes that stand together are looked for. The windows lie side by side, so that
	// any 31 bytes of a tag hold one.
	windowLen = 16
	// variedBytes is how many different ones a window has at least: filling and runs of one byte are
	// anywhere.
	variedBytes = 8
)

type window = [windowLen]byte

// needles is what must not be seen: pieces of media, and texts.
type needles struct {
	windows map[window]bool
	begins  [1 << 21]byte     // a bit for the first three bytes of each window: most of what is searched stops there
	texts   map[string][]byte // by what they are
}

func begin(w []byte) (at int, bit byte) {
	n := int(w[0])<<16 | int(w[1])<<8 | int(w[2])
	return n >> 3, 1 << (n & 7)
}

// needlesOf takes windows of the payload of each tag of a file, up to a timestamp in ms. What a
// public channel's header has, and the program itself, is left out.
func needlesOf(t *testing.T, file string, upTo uint32) *needles {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	n := &needles{windows: make(map[window]bool), texts: make(map[string][]byte)}
	known, err := os.ReadFile(relayBin)
	must(t, err)
	for r := flv.NewReader(f); ; {
		tag, err := r.Next()
		if errors.Is(err, io.EOF) || err == nil && tag.Timestamp() > upTo {
			break
		}
		must(t, err)
		if tag.Type() == flv.Script || flv.Classify(tag).Config {
			known = append(known, tag.Body()...)
			continue
		}
		for b := tag.Body(); len(b) >= windowLen; b = b[windowLen:] {
			if varied(b[:windowLen]) {
				n.windows[window(b)] = true
			}
		}
	}
	for w := range n.windows {
		at, bit := begin(w[:])
		n.begins[at] |= bit
	}
	n.each(known, func(w window) { delete(n.windows, w) })
	if len(n.windows) < 1000 {
		t.Fatalf("%s has %d windows: too few to look for", file, len(n.windows))
	}
	return n
}

func varied(b []byte) bool {
	sorted := slices.Sorted(slices.Values(b))
	return len(slices.Compact(sorted)) >= variedBytes
}

// each calls f for each window, wherever it stands in b.
func (n *needles) each(b []byte, f func(window)) {
	for at := 0; at+windowLen <= len(b); at++ {
		if i, bit := begin(b[at:]); n.begins[i]&bit == 0 {
			continue
		}
		if w := window(b[at:]); n.windows[w] {
			f(w)
		}
	}
}

// in counts the different windows in b, and names the texts in it.
func (n *needles) in(b []byte) (windows int, texts []string) {
	seen := make(map[window]bool)
	n.each(b, func(w window) { seen[w] = true })
	for name, text := range n.texts {
		if bytes.Contains(b, text) {
			texts = append(texts, name)
		}
	}
	slices.Sort(texts)
	return len(seen), texts
}

// absent fails if any needle is in b, but for texts that may be there.
func (n *needles) absent(t *testing.T, where string, b []byte, may ...string) {
	t.Helper()
	windows, texts := n.in(b)
	texts = slices.DeleteFunc(texts, func(name string) bool { return slices.Contains(may, name) })
	if windows > 0 || len(texts) > 0 {
		t.Errorf("in %s, %d bytes, are %d of %d windows of the media, and of the texts %q", where, len(b), windows, len(n.windows), texts)
	}
}

// memory is what a process has in memory that it can write.
func (p *process) memory(t *testing.T) []byte {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.cmd.Process.Pid))
	must(t, err)
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", p.cmd.Process.Pid))
	must(t, err)
	defer mem.Close()
	var all []byte
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") || to-from > 256<<20 {
			continue
		}
		b := make([]byte, to-from)
		n, _ := mem.ReadAt(b, from) // parts of it may be gone
		all = append(all, b[:n]...)
	}
	if len(all) == 0 {
		t.Fatalf("nothing of the memory of %s was read", p.name)
	}
	return all
}
