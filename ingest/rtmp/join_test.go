package rtmp

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"

	"relay/ingest/flv"
	"relay/relay/relaytest"
)

// played are the tags that a player makes of messages.
func played(t testing.TB, b []byte) (tags []flv.Tag) {
	t.Helper()
	r := newChunkReader(bytes.NewReader(b), nil)
	r.size = playChunk
	for {
		m, err := r.read()
		if errors.Is(err, io.EOF) {
			return tags
		} else if err != nil {
			t.Fatal(err)
		}
		if err := new(tagger).tagsOf(m, func(tag flv.Tag) error { tags = append(tags, tag); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// stream is 4 s of media from a time on with all that is awkward: a key frame every second, tags of
// several chunks, other configurations at some key frame and in the middle, tags of no use.
func stream(r *rand.Rand, from uint32) (tags []flv.Tag) {
	long := func(n int, first string) string { return first + strings.Repeat(string(rune('a'+r.IntN(26))), n) }
	tags = []flv.Tag{flv.NewTag(flv.Script, 0, []byte(onMetaDataAMF+"\x03\x00\x00\x09")), video(0, avcConfig), audio(0, aacConfig)}
	for ts := from; ts-from < 4000; ts += 40 {
		switch {
		case (ts-from)%1000 == 0:
			tags = append(tags, video(ts, fmt.Sprintf("%s%d", avcConfig, (ts-from)/2000)))
			tags = append(tags, video(ts, long(playChunk+r.IntN(9), "\x17\x01\x00\x00\x50")))
		case r.IntN(9) == 0:
			tags = append(tags, video(ts, long(100, "\xa1hvc1\x00\x00\x50")))
		case r.IntN(20) == 0:
			tags = append(tags, video(ts, fmt.Sprintf("%s%d", avcConfig, ts)), flv.NewTag(flv.Script, ts, []byte("\x02\x00\x03cue")))
			tags = append(tags, video(ts, "\x57\x00"), video(ts, ""), flv.NewTag(15, ts, []byte("unheard")))
			fallthrough
		default:
			tags = append(tags, video(ts, long(1+r.IntN(1000), "\x27\x01\xff\xff\x50")))
		}
		tags = append(tags, audio(ts, "\xaf\x01"+long(5, "")), audio(ts+20, ""))
	}
	return tags
}

// TestAPlayerWhoJoinsGetsTheLatestPicturesAndThenWhatAllGet joins a stream behind each batch.
func TestAPlayerWhoJoinsGetsTheLatestPicturesAndThenWhatAllGet(t *testing.T) {
	begins := []uint32{longTimestamp - 3000, 5000, 1<<32 - 3000, 0}
	if relaytest.Raced {
		begins = begins[:1]
	}
	for seed, from := range begins {
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		var header, before flv.Header
		var all, since []flv.Tag
		c, joins, caught := NewContainer(), 0, 0
		tags := stream(r, from)
		for i, tag := range tags[:3] {
			header.Add(tag, flv.Classify(tag))
			if out, err := c.Join(true); err != nil || len(out) > 0 {
				t.Fatalf("before tag %d: %v, %v", i, out, err)
			}
		}
		began := false
		for rest := tags[3:]; len(rest) > 0; {
			n := 1 + r.IntN(4)
			for i := 1; i < min(n, len(rest)); i++ {
				if starts(rest[i:]) {
					n = i
				}
			}
			n = min(n, len(rest))
			batch := cut(r, rest[:n], 1+r.IntN(1<<r.IntN(18)))
			batch[0].Start = starts(rest)
			if !began {
				batch[0].Parts, batch[0].Header = slices.Concat(net.Buffers{header.Payload()}, batch[0].Parts), true
			}
			began = true
			for _, b := range batch {
				if _, err := c.Convert(b); err != nil {
					t.Fatal(err)
				}
				some := slices.Collect(flv.Tags(bytes.Join(partsBehindHeader(b), nil)))
				if b.Start {
					before, since = copied(header), nil
				}
				for _, tag := range some {
					if k := flv.Classify(tag); k.Config {
						header.Add(tag, k)
					}
					if flv.Type(tag[0]) != 15 {
						since, all = append(since, tag), append(all, tag)
					}
				}
				plain, err := c.Join(false)
				if err != nil {
					t.Fatal(err)
				}
				only := configs(header)
				checkTags(t, "without catching up", played(t, bytes.Join(plain, nil)), only)
				out, err := c.Join(true)
				if err != nil {
					t.Fatal(err)
				}
				want := squashed(before, since)
				if want == nil {
					want = only
				}
				caught += len(want)
				checkTags(t, fmt.Sprintf("from %d, after %d tags", from, len(all)), played(t, bytes.Join(out, nil)), want)
				joins++
			}
			rest = rest[n:]
		}
		if caught < 10*joins {
			t.Errorf("%d joins got %d tags", joins, caught)
		}
	}
}

// starts reports whether tags begin with those of a key chunk.
func starts(tags []flv.Tag) bool {
	return len(tags) > 1 && flv.Classify(tags[0]).Config && flv.Classify(tags[1]).Key
}

func partsBehindHeader(b flv.Batch) net.Buffers {
	if b.Header {
		return b.Parts[1:]
	}
	return b.Parts
}

// copied is another header with the same configurations.
func copied(h flv.Header) (c flv.Header) {
	for t := range flv.Tags(h.Payload()) {
		c.Add(t, flv.Classify(t))
	}
	return c
}

// configs are a header's tags, at time 0: at any other, ffmpeg takes metadata for a track of text.
func configs(h flv.Header) (tags []flv.Tag) {
	for t := range flv.Tags(h.Payload()) {
		tags = append(tags, flv.NewTag(t.Type(), 0, t.Body()))
	}
	return tags
}

// squashed is what a player needs to catch up with these tags, with a header in force before them.
func squashed(before flv.Header, tags []flv.Tag) (all []flv.Tag) {
	isPicture := func(t flv.Tag) bool { return t.Type() == flv.Video && !flv.Classify(t).Config }
	var times []uint32
	for _, t := range tags {
		if isPicture(t) {
			times = append(times, t.Timestamp())
		}
	}
	n, shown := len(times), 0
	if n == 0 {
		return nil
	}
	at := func(i int) uint32 { return flv.Squashed(times[0], times[n-1], min(i, n-1), n) }
	all = configs(before)
	for _, t := range tags {
		body := slices.Clone(t.Body())
		switch {
		case t.Type() == flv.Audio && !flv.Classify(t).Config:
			continue
		case len(body) >= 5 && body[0]&0x80 == 0 && body[1] == 1:
			clear(body[2:5])
		case len(body) >= 8 && body[0] == 0xa1:
			clear(body[5:8])
		}
		all = append(all, flv.NewTag(t.Type(), at(shown), body))
		if isPicture(t) {
			shown++
		}
	}
	return all
}

func checkTags(t *testing.T, what string, got, want []flv.Tag) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d tags, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("%s: tag %d is % x…, want % x…", what, i, got[i][:min(24, len(got[i]))], want[i][:min(24, len(want[i]))])
		}
	}
}

func TestWhatPlayersShareNeverChanges(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	c := NewContainer()
	var kept []net.Buffers
	var sums [][][32]byte
	sum := func(all net.Buffers) (s [][32]byte) {
		for _, b := range all {
			s = append(s, sha256.Sum256(b))
		}
		return s
	}
	keep := func(out net.Buffers, err error) {
		if err != nil {
			t.Fatal(err)
		}
		kept, sums = append(kept, out), append(sums, sum(out))
	}
	tags := stream(r, longTimestamp-3000)
	for i := range tags {
		b := cut(r, tags[i:i+1], 5000)[0]
		b.Start = starts(tags[i:])
		before := bytes.Join(b.Parts, nil)
		keep(c.Convert(b))
		keep(c.Join(true))
		keep(c.Join(false))
		if !bytes.Equal(before, bytes.Join(b.Parts, nil)) {
			t.Fatal("the tags have changed")
		}
	}
	for i, out := range kept {
		if !slices.Equal(sum(out), sums[i]) {
			t.Fatalf("what was returned as number %d has changed", i)
		}
	}
}

func TestWhatIsRecordedForPlayersIsBounded(t *testing.T) {
	for name, size := range map[string]int{"long tags": 1 << 20, "many tags": 10} {
		n := flv.MaxGOP>>20 + 2
		if size < 1000 {
			n = flv.MaxGOPTags + 2
		}
		c := NewContainer()
		first := flv.BatchOf(video(0, avcConfig), video(0, avcKey))
		first.Start = true
		c.Convert(first)
		body := "\x27\x01\x00\x00\x00" + strings.Repeat("x", size)
		was, dropped := 0, 0
		for i := 1; i < n; i++ {
			c.Convert(flv.BatchOf(video(uint32(i), body)))
			if c.since.Size() > flv.MaxGOP || c.since.Len() > flv.MaxGOPTags {
				t.Fatalf("%s: %d bytes in %d tags are recorded", name, c.since.Size(), c.since.Len())
			}
			if i%16 != 0 && i < n-20 { // joining costs as much as there is
				continue
			}
			if out, _ := c.Join(true); len(out) > 2 {
				was = i
			} else if dropped == 0 {
				dropped = i
			}
		}
		if was < n-4 || dropped < was {
			t.Errorf("%s: recorded up to %d of %d, dropped at %d", name, was, n, dropped)
		}
		c.Convert(first)
		if out, _ := c.Join(true); len(out) < 3 {
			t.Errorf("%s: nothing is recorded at the next place to start", name)
		}
	}
}

func TestPlayersWhoJoinShareBodiesAndMore(t *testing.T) {
	const pictures = 300
	c := group(pictures)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.Convert(flv.Batch{})
	out, _ := c.Join(true)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > pictures*300 {
		t.Errorf("a join makes %d bytes for %d pictures", got, pictures)
	}
	if again, _ := c.Join(true); &again[0] != &out[0] || testing.AllocsPerRun(10, func() { c.Join(true) }) != 0 {
		t.Error("those who join at once do not share it")
	}
}

// group is a container that has had a key frame and what follows, of 50 kB each.
func group(pictures int) *Container {
	c := NewContainer()
	body := strings.Repeat("x", 50_000)
	for i := range pictures {
		b := flv.BatchOf(video(uint32(i)*33, "\x27\x01\x00\x00\x50"+body))
		if i == 0 {
			b = flv.BatchOf(video(0, avcConfig), video(0, "\x17\x01\x00\x00\x50"+body))
			b.Start = true
		}
		c.Convert(b)
	}
	return c
}

func BenchmarkJoin(b *testing.B) {
	for _, seconds := range []int{1, 10} {
		b.Run(fmt.Sprintf("%ds", seconds), func(b *testing.B) {
			c := group(30 * seconds)
			b.ReportAllocs()
			for b.Loop() {
				c.Convert(flv.Batch{})
				c.Join(true)
			}
		})
	}
}

// BenchmarkConvert is a second of 12 Mb/s, a batch a tag.
func BenchmarkConvert(b *testing.B) {
	batch := flv.BatchOf(video(0, "\x27\x01\x00\x00\x50"+strings.Repeat("x", 50_000)))
	c := NewContainer()
	b.SetBytes(30 * 50_000)
	b.ReportAllocs()
	for b.Loop() {
		for range 30 {
			c.Convert(batch)
		}
	}
}
