package remux

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/relay/relaytest"
)

// joinable is a container that readers can join.
type joinable interface {
	Convert(flv.Batch) (net.Buffers, error)
	Join(catchUp bool) (net.Buffers, error)
}

// joinables are those of them that these tests are about.
var joinables = map[string]struct {
	make func() joinable
	read func() parser
}{
	"MP4":     {func() joinable { return NewMP4() }, func() parser { return &mp4Parser{} }},
	"MPEG-TS": {func() joinable { return NewTS() }, func() parser { return newTSParser() }},
}

// parser is a reader of a container.
type parser interface {
	// next returns the frames in what comes next.
	next(t *testing.T, out []byte) []found
	// pictures is how the pictures are described now, "" if there are none.
	pictures() string
}

// found is one frame in a container.
type found struct {
	video    bool
	at       int64  // decoding time, in the track's rate
	show     int64  // how much later it is shown
	key      bool   // a reader may begin here
	describe string // how the pictures are described at the time
	data     []byte
}

// codecSets are streams of all codecs: what encoders send in the tests of ingest, and what those
// of the outputs are made of.
func codecSets(t *testing.T) map[string][]flv.Tag {
	_, demo := clip(t, "demo.flv")
	_, other := clip(t, "video.flv")
	_, sound := clip(t, "audio.flv")
	all := map[string][]flv.Tag{"sound alone": sound, "pictures alone": other}
	for _, e := range ingesttest.Encoders(demo, other) {
		all[e.Name] = e.Tags
	}
	samples := samples(t)
	for _, video := range []string{"h264", "av1", "vp9"} {
		for _, audio := range []string{"aac", "mp3", "opus"} {
			all[video+" with "+audio] = made(samples[video], samples[audio])
		}
	}
	var keyless []flv.Tag // but for places to start
	for ts := uint32(0); ts < 5000; ts += 40 {
		keyless = append(keyless, inter(ts), heardAt(ts))
	}
	all["no key frame"] = append([]flv.Tag{avc, asc}, keyless...)
	// Sound comes 1 s later, pauses, and comes in another codec.
	var late []flv.Tag
	for _, tag := range demo {
		if ts := tag.Timestamp(); tag.Type() == flv.Audio && (ts < 1000 || ts > 6000 && ts < 10_500) && !flv.Classify(tag).Config {
			continue
		} else if tag.Type() == flv.Audio && ts > 10_500 {
			tag = flv.NewTag(flv.Audio, ts, mp3Frame)
		}
		late = append(late, tag)
	}
	all["sound that comes and goes"] = late
	all["times that wrap"] = shifted(demo, 1<<32-5000)
	all["times of MPEG-TS that wrap"] = shifted(demo, 1<<33/90-1000-5000)
	return all
}

// shifted are tags with later timestamps.
func shifted(tags []flv.Tag, by uint32) (all []flv.Tag) {
	for _, tag := range tags {
		all = append(all, flv.NewTag(tag.Type(), tag.Timestamp()+by, tag.Body()))
	}
	return all
}

// made is a stream of 3 s of these frames over and over again.
func made(video, audio []flv.Tag) []flv.Tag {
	all := slices.Concat(video[:len(video)-1], audio[:len(audio)-1])
	for ts := uint32(0); ts < 3000; ts += 40 {
		for _, from := range [][]flv.Tag{video, audio} {
			frame := from[len(from)-1]
			body := slices.Concat(frame.Body(), fmt.Append(nil, ts)) // no two are the same
			if frame.Type() == flv.Audio || flv.Classify(frame).Codec == "h264" {
				body = frame.Body()
			}
			all = append(all, flv.NewTag(frame.Type(), ts, body))
		}
	}
	return all
}

// batches makes of a stream's tags what a channel's readers get: batches of some tags in some pieces,
// some without any. A batch begins where a reader may: with a key frame, or every second if there is
// none for so long.
func batches(rnd *rand.Rand, tags []flv.Tag) (all []flv.Batch) {
	var line flv.Timeline
	var part []flv.Tag
	start, since, pictures := false, uint32(0), false
	flush := func() {
		if len(part) > 0 || rnd.IntN(10) == 0 {
			some := pieces(rnd, part, 1<<16)
			if len(some) > 0 {
				some[0].Start = start
			} else {
				some = []flv.Batch{{}}
			}
			all = append(all, some...)
		}
		part, start = nil, false
	}
	for i, tag := range tags {
		k, ts := flv.Classify(tag), line.Map(tag.Timestamp())
		if k.Config || tag.Type() == flv.Script {
			ts = line.Place(tag.Timestamp())
		}
		pictures = pictures || tag.Type() == flv.Video && !k.Config
		if k.Key || i == 0 || !k.Config && (tag.Type() == flv.Video || !pictures) && int32(ts-since) > 1500 {
			flush()
			start, since = true, ts
		}
		part = append(part, flv.NewTag(tag.Type(), ts, tag.Body()))
		if rnd.IntN(4) == 0 {
			flush()
		}
	}
	flush()
	return all
}

// head is what there was for a reader who joined behind a batch.
type head struct {
	sent           []found // of that batch
	want           []found // the pictures that the reader needs to catch up, as all got them
	pictures       string
	catchUp, plain []byte
}

// everyBatch is the stream that is joined behind each batch. The others are behind some of them.
const everyBatch = "as it should be"

func TestAReaderWhoJoinsGetsTheLatestPicturesAndThenWhatAllGet(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for container, c := range joinables {
		joins, pictures := 0, 0
		for name, tags := range codecSets(t) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			shared := c.make()
			all := batches(rnd, tags)
			var outs [][]byte
			var heads []head
			reader, want := c.read(), []found(nil)
			for i, b := range all {
				out, err := shared.Convert(b)
				if err != nil {
					t.Logf("%s: %s: %v", container, name, err)
					break
				}
				outs = append(outs, joined(out))
				if b.Start {
					want = nil
				}
				frames := reader.next(t, outs[i])
				for _, f := range frames {
					if len(want) > 0 && want[0].describe != f.describe {
						want = nil
					}
					if f.video && (len(want) > 0 || f.key) {
						want = append(want, f)
					}
				}
				h := head{sent: frames, want: slices.Clone(want), pictures: reader.pictures()}
				if h.pictures == "" {
					h.want = nil
				}
				catchUp, err := shared.Join(true)
				if err != nil {
					t.Fatal(err)
				}
				plain, err := shared.Join(false)
				if err != nil {
					t.Fatal(err)
				}
				h.catchUp, h.plain = joined(catchUp), joined(plain)
				heads = append(heads, h)
			}
			const most = 12 // batches that are read behind a join
			begun := false
			for i, h := range heads {
				begun = begun || len(outs[i]) > 0
				if (len(h.plain) > 0) != begun {
					t.Fatalf("%s: %s: described in %d bytes behind batch %d", container, name, len(h.plain), i)
				} else if !begun || (name != everyBatch || relaytest.Raced) && rnd.IntN(len(heads)) > 8 {
					continue
				}
				at := fmt.Sprintf("%s: %s, joined behind batch %d of %d", container, name, i, len(all))
				plain := c.read()
				if got := plain.next(t, h.plain); len(got) > 0 || plain.pictures() != h.pictures {
					t.Fatalf("%s: %d frames without catching up, and pictures as %s, want %s", at, len(got), plain.pictures(), h.pictures)
				}
				reader := c.read()
				got := reader.next(t, h.catchUp)
				checkSquashed(t, at, got, h.want)
				if reader.pictures() != h.pictures {
					t.Fatalf("%s: pictures are described as %s, want %s", at, reader.pictures(), h.pictures)
				}
				first := true
				for j := i + 1; j < min(i+1+most, len(heads)); j++ {
					after := reader.next(t, outs[j])
					if !slices.EqualFunc(after, heads[j].sent, sameFrame) {
						t.Fatalf("%s: %d frames in batch %d, %d are sent", at, len(after), j, len(heads[j].sent))
					}
					for _, f := range after {
						if f.video && first && len(got) > 0 && ahead(f.at, got[len(got)-1].at) <= 0 {
							t.Fatalf("%s: the picture at %d comes behind one at %d", at, f.at, got[len(got)-1].at)
						}
						first = first && !f.video
					}
				}
				joins, pictures = joins+1, pictures+len(got)
			}
			if t.Failed() {
				return
			}
		}
		t.Logf("%s: %d joins with %d pictures", container, joins, pictures)
		if pictures < joins {
			t.Errorf("%s: %d joins had %d pictures", container, joins, pictures)
		}
	}
}

// ahead is how much later a time is than another, in 33 bits that may have wrapped.
func ahead(a, b int64) int64 {
	if d := a - b; d > -1<<32 {
		return d
	}
	return a - b + 1<<33
}

// checkSquashed checks what a reader who joins gets in front of what all get: want, squashed.
func checkSquashed(t *testing.T, at string, got, want []found) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d frames, want %d", at, len(got), len(want))
	}
	for i, f := range got {
		last := len(want) - 1
		first := want[last].at - ahead(want[last].at, want[0].at)
		squashed := max(first+int64(i), want[last].at-int64(last-i)*squashStep)
		if f.at != squashed && f.at != squashed+1<<33 || !f.video || f.show != 0 {
			t.Fatalf("%s: picture %d is decoded at %d and shown %d later, want it at %d", at, i, f.at, f.show, squashed)
		}
		if !bytes.HasSuffix(want[i].data, f.data) && !bytes.HasSuffix(f.data, want[i].data) {
			t.Fatalf("%s: picture %d is not the one that was sent", at, i)
		}
		if i == 0 && !f.key {
			t.Fatalf("%s: nobody can begin at the first picture", at)
		}
	}
}

func sameFrame(a, b found) bool {
	return a.video == b.video && a.at == b.at && a.show == b.show && bytes.Equal(a.data, b.data)
}

// TestWhatReadersShareNeverChanges keeps all that there ever was.
func TestWhatReadersShareNeverChanges(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	sum := func(all net.Buffers) (sums [][32]byte) {
		for _, b := range all {
			sums = append(sums, sha256.Sum256(b))
		}
		return sums
	}
	for container, c := range joinables {
		shared := c.make()
		var kept []net.Buffers
		var sums [][][32]byte
		keep := func(out net.Buffers, err error) {
			if err != nil {
				t.Fatal(err)
			}
			kept, sums = append(kept, out), append(sums, sum(out))
		}
		for _, b := range batches(rand.New(rand.NewPCG(1, 1)), tags) {
			keep(shared.Convert(b))
			keep(shared.Join(true))
			keep(shared.Join(false))
		}
		for i, out := range kept {
			if !slices.Equal(sum(out), sums[i]) {
				t.Fatalf("%s: what was returned as number %d has changed", container, i)
			}
		}
	}
}

// TestWhatIsRecordedIsBounded has streams that nobody can begin at again.
func TestWhatIsRecordedIsBounded(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	config := firstConfig(tags)
	for container, c := range joinables {
		for name, size := range map[string]int{"long pictures": 1 << 20, "many pictures": 10} {
			shared := c.make()
			n := maxRecorded>>20 + 2
			if size < 1000 {
				n = maxRecordedPictures + 2
			}
			first := flv.BatchOf(config, picture264(0x17, 0, size))
			first.Start = true
			if _, err := shared.Convert(first); err != nil {
				t.Fatal(err)
			}
			was, dropped := 0, 0
			for i := 1; i < n; i++ {
				if _, err := shared.Convert(flv.BatchOf(picture264(0x27, uint32(i)*4, size))); err != nil {
					t.Fatal(err)
				}
				if i%64 != 0 && i < n-8 {
					continue
				}
				out, err := shared.Join(true)
				if err != nil {
					t.Fatal(err)
				}
				plain, _ := shared.Join(false)
				switch got := len(joined(out)); {
				case got > maxRecorded+maxRecorded/8:
					t.Fatalf("%s: %s: %d bytes are recorded", container, name, got)
				case got > len(joined(plain)):
					was = i
				case dropped == 0:
					dropped = i
				}
			}
			if was < n-4 || dropped < was || dropped == 0 {
				t.Errorf("%s: %s: recorded up to %d of %d, dropped at %d", container, name, was, n, dropped)
			}
			again := flv.BatchOf(picture264(0x17, uint32(n)*4, size))
			again.Start = true
			if _, err := shared.Convert(again); err != nil {
				t.Fatal(err)
			}
			out, _ := shared.Join(true)
			if got := c.read().next(t, joined(out)); len(got) != 1 {
				t.Errorf("%s: %s: %d pictures are recorded at the next place to start", container, name, len(got))
			}
		}
	}
}

// TestPicturesOfAnotherKindAreNotCaughtUpWith: the reader who joins is told of the present one only.
func TestPicturesOfAnotherKindAreNotCaughtUpWith(t *testing.T) {
	_, demo := clip(t, "demo.flv")
	_, other := clip(t, "video.flv")
	before := []flv.Tag{firstConfig(demo), picture264(0x17, 0, 10), picture264(0x27, 40, 10)}
	after := []flv.Tag{firstConfig(other), picture264(0x17, 80, 20), picture264(0x27, 120, 30)}
	for container, c := range joinables {
		for name, all := range map[string][]flv.Batch{
			"two batches": {flv.BatchOf(before...), flv.BatchOf(after...)},
			"one batch":   {flv.BatchOf(slices.Concat(before, after)...)},
		} {
			all[0].Start = true
			shared := c.make()
			for _, b := range all {
				if _, err := shared.Convert(b); err != nil {
					t.Fatal(err)
				}
			}
			out, err := shared.Join(true)
			if err != nil {
				t.Fatal(err)
			}
			got := c.read().next(t, joined(out))
			if len(got) != 2 || !got[0].key || got[1].at != got[0].at+squashStep {
				t.Errorf("%s, %s: %d pictures: %+v", container, name, len(got), got)
			}
		}
	}
}

// picture264 is a picture of H.264 of one NAL unit of n bytes; head is its frame type and codec.
func picture264(head byte, ts uint32, n int) flv.Tag {
	unit := slices.Repeat([]byte{0x41}, n)
	if head == 0x17 {
		unit[0] = 0x65
	}
	return flv.NewTag(flv.Video, ts, slices.Concat([]byte{head, 1, 0, 0, 80, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, unit))
}

// TestJoiningCostsFewBytesOfItsOwn counts what is neither the container's nor the frames'.
func TestJoiningCostsFewBytesOfItsOwn(t *testing.T) {
	const pictures, size = 300, 50_000 // 10 s of 30 Hz, 12 Mb/s
	_, tags := clip(t, "demo.flv")
	for container, c := range joinables {
		shared := c.make()
		convertGOP(t, shared, firstConfig(tags), pictures, size)
		const most = pictures * 400 // bytes
		if got := allocated(func() {
			shared.Convert(flv.Batch{}) // or the join before would do
			if _, err := shared.Join(true); err != nil {
				t.Fatal(err)
			}
		}); got > most {
			t.Errorf("%s: a join makes %d bytes, want %d at most", container, got, most)
		}
		first, _ := shared.Join(true)
		again, _ := shared.Join(true)
		if &first[0] != &again[0] || testing.AllocsPerRun(10, func() { shared.Join(true) }) != 0 {
			t.Errorf("%s: those who join at once do not share it", container)
		}
	}
}

// allocated is how many bytes f allocates each time.
func allocated(f func()) uint64 {
	const times = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / times
}

// convertGOP gives a container a group of pictures.
func convertGOP(t testing.TB, shared joinable, config flv.Tag, pictures, size int) {
	t.Helper()
	for i := range pictures {
		b := flv.BatchOf(picture264(0x27, uint32(i)*33, size))
		if i == 0 {
			b = flv.BatchOf(config, picture264(0x17, 0, size))
			b.Start = true
		}
		if _, err := shared.Convert(b); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkJoin(b *testing.B) {
	_, tags := clip(b, "demo.flv")
	for _, container := range []string{"MP4", "MPEG-TS"} {
		for _, seconds := range []int{1, 10} {
			c, ok := joinables[container]
			if !ok {
				continue
			}
			b.Run(fmt.Sprintf("%s/%ds", strings.ReplaceAll(container, "-", ""), seconds), func(b *testing.B) {
				shared := c.make()
				convertGOP(b, shared, firstConfig(tags), 30*seconds, 50_000)
				b.ReportAllocs()
				for b.Loop() {
					shared.Convert(flv.Batch{})
					if _, err := shared.Join(true); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
