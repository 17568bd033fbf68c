//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"relay/cli/e2e/internal/taglog"
	"relay/ingest/flv"
)

// tag is what the tests compare: type, timestamp and the body's SHA-256. A tag from a tag log
// has no kind.
type tag struct {
	typ  flv.Type
	ts   uint32
	sum  [sha256.Size]byte
	kind flv.Kind
}

func (a tag) String() string { return fmt.Sprintf("{type %d, %d ms, %x…}", a.typ, a.ts, a.sum[:4]) }

// same reports whether the bodies are the same.
func (a tag) same(b tag) bool { return a.typ == b.typ && a.sum == b.sum }

func tagOf(t flv.Tag) tag {
	return tag{t.Type(), t.Timestamp(), sha256.Sum256(t.Body()), flv.Classify(t)}
}

// readTags reads FLV until its end. One that is being written may end within a tag.
func readTags(r io.Reader) ([]tag, error) {
	fr := flv.NewReader(r)
	var tags []tag
	for {
		t, err := fr.Next()
		if err == io.EOF {
			return tags, nil
		}
		if err != nil {
			return tags, err
		}
		tags = append(tags, tagOf(t))
	}
}

// recording reads a file that must be whole.
func recording(t *testing.T, path string) []tag {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tags, err := readTags(f)
	if err != nil {
		t.Fatalf("%s after %d tags: %v", path, len(tags), err)
	}
	return tags
}

// logged reads what a source has taken in so far. A line that is being written is
// left out.
func logged(t *testing.T, path string) []tag {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	var tags []tag
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		g, err := taglog.Parse(s.Text())
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag{typ: g.Type, ts: g.Ms, sum: g.Sum})
	}
	return tags
}

// lastTag returns the last tag of a recording, found by its back pointer. The result is garbage
// while a tag is being written.
func lastTag(path string) (tag, error) {
	f, err := os.Open(path)
	if err != nil {
		return tag{}, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return tag{}, err
	}
	var back [flv.TagTrailerLen]byte
	if _, err := f.ReadAt(back[:], size-flv.TagTrailerLen); err != nil {
		return tag{}, err
	}
	n := int64(back[0])<<24 | int64(back[1])<<16 | int64(back[2])<<8 | int64(back[3])
	if n < flv.TagHeaderLen || n > size-flv.FileHeaderLen-flv.TagTrailerLen {
		return tag{}, errors.New("it does not end with a tag")
	}
	b := make(flv.Tag, n+flv.TagTrailerLen)
	if _, err := f.ReadAt(b, size-int64(len(b))); err != nil {
		return tag{}, err
	}
	if int64(flv.BodyLen(b)) != n-flv.TagHeaderLen {
		return tag{}, errors.New("it does not end with a tag")
	}
	return tagOf(b), nil
}

// reached waits until a recording ends with the last of want.
func reached(t *testing.T, path string, want []tag) {
	t.Helper()
	last := want[len(want)-1]
	eventually(t, path+" has the last tag", func() error {
		got, err := lastTag(path)
		if err == nil && (!got.same(last) || got.ts != last.ts) {
			err = fmt.Errorf("it ends with %v, the source with %v", got, last)
		}
		return err
	})
}

// split divides a viewer's tags into those of the header and those of the stream.
func split(tags []tag) (header, media []tag) {
	for i, g := range tags {
		if !g.kind.Config {
			return tags[:i], tags[i:]
		}
	}
	return tags, nil
}

// stretch is a part of a stream that a viewer got whole: want[from:to].
type stretch struct{ from, to int }

// runs matches what a viewer got with what the source took in, and returns the parts between
// gaps. It fails the test for a tag that was not sent, was out of order or came twice, and for
// a part that does not begin where a decoder can start. Configurations may precede each part.
func runs(t *testing.T, who string, got, want []tag) []stretch {
	t.Helper()
	header, media := split(got)
	for _, h := range header {
		if !contains(want, h) {
			t.Errorf("%s: header tag %v is none of the source's", who, h)
		}
	}
	var parts []stretch
	at := -1 // in want, of the tag before
	for i := 0; i < len(media); i++ {
		g := media[i]
		if len(parts) > 0 && at+1 < len(want) && g.same(want[at+1]) {
			at++
			parts[len(parts)-1].to = at + 1
			continue
		}
		begin := i
		for i < len(media) && media[i].kind.Config && contains(want, media[i]) {
			i++
		}
		if i == len(media) {
			t.Errorf("%s: it ends in configurations after a gap", who)
			return parts
		}
		g = media[i]
		next := at + 1
		for next < len(want) && !g.same(want[next]) {
			next++
		}
		if next == len(want) {
			t.Errorf("%s: tag %d of %d, %v, does not come after %d of %d in what the source took in: %s",
				who, begin, len(media), g, at, len(want), around(want, at, g))
			return parts
		}
		if !starts(g, want[:next], header, media[begin:i]) {
			t.Errorf("%s: after a gap, tag %d, %v, is nowhere to start", who, i, g)
		}
		at = next
		parts = append(parts, stretch{at, at + 1})
	}
	return parts
}

// around says where else in want a tag occurs.
func around(want []tag, at int, g tag) string {
	for i, w := range want {
		if w.same(g) {
			return fmt.Sprintf("it is number %d there, after %d", i, at)
		}
	}
	return "it is not there at all"
}

// starts reports whether a decoder that has the configurations can start at g, which the source
// took in after some others. Sound before the first picture of a run is a start, too: it belongs
// to the stream.
func starts(g tag, before []tag, configs ...[]tag) bool {
	if g.kind.Key || g.typ != flv.Audio || len(before) == 0 {
		return g.kind.Key || g.typ == flv.Audio
	}
	all := slices.Concat(configs...)
	return contains(all, before[len(before)-1]) || !slices.ContainsFunc(all, func(c tag) bool { return c.typ == flv.Video })
}

func contains(tags []tag, g tag) bool {
	for _, w := range tags {
		if w.same(g) {
			return true
		}
	}
	return false
}

// complete checks that a viewer got a header and then the source's tags from some tag to the
// last, each with its timestamp, in order and exactly once. It returns where the viewer began.
func complete(t *testing.T, who string, got, want []tag) int {
	t.Helper()
	header, media := split(got)
	if len(media) == 0 {
		t.Errorf("%s got no media", who)
		return 0
	}
	parts := runs(t, who, got, want)
	if len(parts) == 0 {
		return 0
	}
	if len(parts) > 1 {
		t.Errorf("%s has %d gaps: %v of %d", who, len(parts)-1, parts, len(want))
		return parts[0].from
	}
	first := parts[0].from
	if n := len(want) - first; len(media) != n {
		t.Errorf("%s got %d tags, from its first on there are %d", who, len(media), n)
		return first
	}
	for i, g := range media {
		if w := want[first+i]; g.ts != w.ts {
			t.Errorf("%s: tag %d has timestamp %d, at the source %d", who, i, g.ts, w.ts)
			return first
		}
	}
	if len(header) == 0 {
		t.Errorf("%s got no header", who)
	}
	for _, h := range header {
		if h.ts != 0 {
			t.Errorf("%s: header tag %v is not at 0 ms", who, h)
		}
	}
	return first
}

// interleave bounds how far out of order ffmpeg writes audio and video, in milliseconds: the
// last audio comes after the tag that ends the video.
const interleave = 100

// monotonic checks that timestamps never go back: not at all among the tags of a
// type, and over all tags no further than the encoder itself interleaves them.
func monotonic(t *testing.T, who string, tags []tag) {
	t.Helper()
	var newest uint32
	last := make(map[flv.Type]uint32)
	for i, g := range tags {
		if g.ts < last[g.typ] || g.ts+interleave < newest {
			t.Errorf("%s: tag %d, %v, comes after one of its type at %d and one of any at %d", who, i, g, last[g.typ], newest)
			return
		}
		last[g.typ] = g.ts
		newest = max(newest, g.ts)
	}
}

// paced checks that media that came in one stretch has the source's timestamps, all moved by
// the same amount. Encoders give configurations any timestamp, so those may differ.
func paced(t *testing.T, who string, media, want []tag, p stretch) {
	t.Helper()
	shift := media[0].ts - want[p.from].ts
	for i, w := range want[p.from:p.to] {
		if g := media[i]; g.ts-w.ts != shift && !g.kind.Config && g.typ != flv.Script {
			t.Errorf("%s: tag %d of a stretch is moved by %d ms, the first by %d", who, i, int32(g.ts-w.ts), int32(shift))
			return
		}
	}
}

func count(tags []tag, typ flv.Type) int {
	n := 0
	for _, g := range tags {
		if g.typ == typ && !g.kind.Config {
			n++
		}
	}
	return n
}

// summary describes tags in one line.
func summary(tags []tag) string {
	var parts []string
	for _, k := range []struct {
		name string
		typ  flv.Type
	}{{"video", flv.Video}, {"audio", flv.Audio}, {"script", flv.Script}} {
		n := 0
		for _, g := range tags {
			if g.typ == k.typ {
				n++
			}
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, k.name))
	}
	return strings.Join(parts, ", ")
}

// sameNumber returns an error if got does not have as many tags as want.
func sameNumber(got, want []tag) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d tags, not %d", len(got), len(want))
	}
	return nil
}
