package ingest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// channel is an input with the ring behind it, and the tags that it noted.
type channel struct {
	*Input
	ring     *stream.Ring
	cursor   *stream.Cursor
	accepted chan flv.Tag
}

func newChannel(t *testing.T) *channel {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	c := &channel{ring: stream.NewRing(stream.Limits{}), accepted: make(chan flv.Tag, 10_000)}
	epoch := stream.Epoch{Ms: 1}
	w := stream.NewWriter(c.ring, key, epoch, time.Now())
	c.Input = NewInput(w, func(tag flv.Tag) { c.accepted <- slices.Clone(tag) })
	c.cursor = c.ring.Resume(stream.Position{Epoch: epoch}) // from the very first chunk
	t.Cleanup(c.ring.Close)
	return c
}

// open begins a session, which must not be refused.
func (c *channel) open(t *testing.T) *Session {
	t.Helper()
	s, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write writes tags, none of which may be refused.
func write(t *testing.T, s *Session, tags ...flv.Tag) {
	t.Helper()
	for _, tag := range tags {
		if err := s.Write(slices.Clone(tag)); err != nil {
			t.Fatal(err)
		}
	}
}

// stored returns what came into the ring since the last call.
func (c *channel) stored(t *testing.T) (items []stream.Item, payload []byte) {
	t.Helper()
	c.writer.Flush()
	for {
		it, wait, err := c.cursor.Poll()
		if err != nil {
			t.Fatal(err)
		}
		if wait != nil {
			return items, payload
		}
		items = append(items, it)
		payload = append(payload, it.Chunk.Payload()...)
	}
}

func video(ts uint32, body string) flv.Tag { return flv.NewTag(flv.Video, ts, []byte(body)) }
func audio(ts uint32, body string) flv.Tag { return flv.NewTag(flv.Audio, ts, []byte(body)) }

const (
	avcConfig = "\x17\x00\x00\x00\x00\x01\x64\x00\x1e\xff\xe1\x00\x04\x67\x64\x00\x1e\x01\x00\x02\x68\xee"
	avcKey    = "\x17\x01\x00\x00\x00\x00\x00\x00\x03key"
	avcInter  = "\x27\x01\x00\x00\x00\x00\x00\x00\x05inter"
	aacConfig = "\xaf\x00\x12\x10"
	aacFrame  = "\xaf\x01frame"
)

func TestTagsGoOutAsTheyCameIn(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	tags := []flv.Tag{
		flv.NewTag(flv.Script, 0, []byte("\x02\x00\x04what")),
		video(0, avcConfig), audio(0, aacConfig), video(40, avcKey), audio(23, aacFrame),
		flv.NewTag(15, 50, []byte("unheard of")), video(80, avcInter), video(80, "\x17\x02"), audio(90, "\xd0?"),
	}
	write(t, s, tags...)
	s.Close()
	_, got := c.stored(t)
	if want := bytes.Join(asBytes(tags), nil); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for i := range tags {
		if a := <-c.accepted; !bytes.Equal(a, tags[i]) {
			t.Errorf("tag %d was accepted as %q", i, a)
		}
	}
	if st := c.Status(); st.Tags != uint64(len(tags)) || st.Bytes != uint64(len(got)) || st.Live || st.LastTag.IsZero() {
		t.Errorf("%+v", st)
	}
}

func TestTagsThatNoDecoderCanUseAreLeftOutAndCounted(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	good := []flv.Tag{video(0, avcConfig), video(0, avcKey), audio(0, aacConfig), audio(20, aacFrame), video(40, avcInter)}
	write(t, s, video(0, ""), audio(0, ""), video(0, "\x17\x00\x00\x00\x00\x01"), // before anything that is good
		good[0], good[1], video(10, "\x17\x01\x00\x00\x00"), video(1<<31, "\x27\x01\x00\x00\x00\x00\x00\x00\x09cut"),
		good[2], video(15, "\x17\x00\x00\x00\x00\x01\x64\x00\x1e\xff\xe0\x00"), good[3], audio(30, "\xaf"), good[4])
	s.Close()
	_, got := c.stored(t)
	if want := bytes.Join(asBytes(good), nil); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	st := c.Status()
	want := flv.Flaws{flv.EmptyPicture: 2, flv.EmptySound: 1, flv.BadVideoConfig: 2, flv.CutPicture: 1, flv.CutSound: 1}
	if !maps.Equal(st.Dropped, want) || st.Tags != uint64(len(good)) {
		t.Errorf("%v dropped of %d, want %v", st.Dropped, st.Tags, want)
	}
	if st.KeyInterval != 0 || st.Info.VideoCodec != "h264" {
		t.Errorf("%+v", st)
	}
}

func TestStartCodesBecomeLengths(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	write(t, s, video(0, "\x17\x01\x00\x00\x00\x00\x00\x00\x01\x67\x64\x00\x1e\xac\x00\x00\x01\x68\xee\x00\x00\x01\x65ey"),
		video(40, "\x27\x01\x00\x00\x00\x00\x00\x00\x01\x41inter"))
	s.Close()
	_, got := c.stored(t)
	key := "\x17\x01\x00\x00\x00\x00\x00\x00\x05\x67\x64\x00\x1e\xac\x00\x00\x00\x02\x68\xee\x00\x00\x00\x03\x65ey"
	want := bytes.Join(asBytes([]flv.Tag{video(0, strings.Replace(avcConfig, "\x00\x04\x67\x64\x00\x1e", "\x00\x05\x67\x64\x00\x1e\xac", 1)), video(0, key), video(40, "\x27\x01\x00\x00\x00\x00\x00\x00\x06\x41inter")}), nil)
	if !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if st := c.Status(); st.Info.VideoCodec != "h264" || len(st.Dropped) > 0 {
		t.Errorf("%+v", st)
	}
}

func TestATagIsNotedBeforeAReaderCanHaveIt(t *testing.T) {
	ring := stream.NewRing(stream.Limits{})
	defer ring.Close()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	noted := 0
	m := NewInput(stream.NewWriter(ring, key, stream.Epoch{Ms: 1}, time.Now()), func(tag flv.Tag) {
		// Each picture ends a chunk, so the ring has one for each that went out.
		if out := ring.Head().Seq; out != uint64(noted) {
			t.Errorf("%d tags have gone out when tag %d is noted", out, noted+1)
		}
		noted++
	})
	s, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, video(0, avcConfig), video(0, avcKey), video(40, avcInter), video(80, avcInter))
	if noted != 4 {
		t.Errorf("%d tags were noted, want 4", noted)
	}
}

func asBytes(tags []flv.Tag) [][]byte {
	b := make([][]byte, len(tags))
	for i, t := range tags {
		b[i] = t
	}
	return b
}

func TestTheHeaderOfAKeyFrameHasItsConfiguration(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	write(t, s, video(0, avcConfig), video(0, avcKey), video(40, avcConfig+"2"), video(40, avcKey))
	items, _ := c.stored(t)
	var configs []string
	for _, it := range items {
		if it.Chunk.Has(stream.Key) {
			for tag := range flv.Tags(it.Header.Payload()) {
				configs = append(configs, string(tag.Body()))
			}
		}
	}
	if want := []string{avcConfig, avcConfig + "2"}; !slices.Equal(configs, want) {
		t.Errorf("%q, want %q", configs, want)
	}
}

func TestChunksEndAtVideoAndBeginAtKeyFrames(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	tags := []flv.Tag{video(0, avcConfig), audio(0, aacFrame), video(0, avcKey), audio(20, aacFrame), audio(40, aacFrame), video(40, avcInter)}
	write(t, s, tags...)
	items, payload := c.stored(t)
	if want := bytes.Join(asBytes(tags), nil); !bytes.Equal(payload, want) {
		t.Fatalf("%x went out, want %x", payload, want)
	}
	var begins []flv.Tag
	for _, it := range items {
		in := slices.Collect(flv.Tags(it.Chunk.Payload()))
		if it.Chunk.Has(stream.Key) {
			begins = append(begins, in[0])
		}
		// Where a chunk of audio ends is up to the writer, which waits for no more than it has.
		for i, tag := range in {
			if tag.Type() == flv.Video && i < len(in)-1 {
				t.Errorf("the frame at %d is not the last of its chunk", tag.Timestamp())
			}
		}
	}
	// the first audio, when no frame has come; the key frame
	if want := []flv.Tag{tags[1], tags[2]}; !slices.EqualFunc(begins, want, func(a, b flv.Tag) bool { return bytes.Equal(a, b) }) {
		t.Errorf("one can start at %x, want %x", begins, want)
	}
}

func TestAudioAloneMayBeStartedAnywhere(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	write(t, s, audio(0, aacConfig), audio(0, aacFrame), audio(23, aacFrame), video(30, avcKey), audio(46, aacFrame))
	items, _ := c.stored(t)
	keys := 0
	for _, it := range items {
		if it.Chunk.Has(stream.Key) {
			keys++
		}
	}
	if keys != 3 {
		t.Errorf("%d places to start at, want two audio frames and the key frame", keys)
	}
}

func TestOneSessionAtATime(t *testing.T) {
	c := newChannel(t)
	first := c.open(t)
	if _, err := c.Open(); !errors.Is(err, ErrBusy) {
		t.Fatalf("second session: %v", err)
	}
	first.Close()
	second := c.open(t)
	first.Close() // again: must not end the second
	if err := first.Write(audio(0, aacFrame)); !errors.Is(err, ErrEnded) {
		t.Errorf("tag after the end: %v", err)
	}
	write(t, second, audio(0, aacFrame))
	if st := c.Status(); !st.Live || st.Sessions != 2 {
		t.Errorf("%+v", st)
	}
}

func TestAnEncoderWaitsForTheOneBeforeToShowThatItIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		then func(first *Session) // after a second
		want error
		took time.Duration // within askAgain
	}{
		"it sends":         {func(first *Session) { first.Write(audio(0, aacFrame)) }, ErrBusy, time.Second},
		"it closes":        {func(first *Session) { first.Close() }, nil, time.Second},
		"it says no more":  {func(*Session) {}, nil, takeoverAfter},
		"the waiting ends": {nil, context.Canceled, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ch := newChannel(t)
			first := ch.open(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(time.Second, func() {
				if c.then == nil {
					cancel()
				} else {
					c.then(first)
				}
			})
			asked := time.Now()
			second, err := ch.Await(ctx)
			if !errors.Is(err, c.want) || (err == nil) != (second != nil) {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(asked); took < c.took || took > c.took+askAgain {
				t.Errorf("%s: it waited for %v, want %v", name, took, c.took)
			}
		})
	}
}

func TestOfTwoEncodersThatRaceOneIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := newChannel(t)
		ch.open(t) // and is cut
		results := make(chan error, 2)
		for range 2 {
			go func() {
				s, err := ch.Await(t.Context())
				if err == nil {
					err = s.Write(audio(0, aacFrame))
				}
				results <- err
			}()
		}
		errs := []error{<-results, <-results}
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), ErrBusy) {
			t.Errorf("%v", errs)
		}
		if st := ch.Status(); st.Sessions != 2 || st.Tags != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestANewEncoderContinuesTheTimestampsWithItsOwnConfigurations(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	write(t, s, video(0, avcConfig), audio(0, aacConfig), video(5000, avcKey), audio(5020, aacFrame))
	s.Close()
	before := c.ring.Header().Gen()
	s = c.open(t)
	write(t, s, audio(0, aacConfig), audio(0, aacFrame), audio(23, aacFrame))
	if gen := c.ring.Header().Gen(); gen <= before {
		t.Errorf("header generation %d after %d", gen, before)
	}
	for tag := range flv.Tags(c.ring.Header().Payload()) {
		if tag.Type() != flv.Audio {
			t.Errorf("header still has %q", tag.Body())
		}
	}
	_, payload := c.stored(t)
	var got []uint32
	for tag := range flv.Tags(payload) {
		got = append(got, tag.Timestamp())
	}
	if want := []uint32{0, 0, 5000, 5020, 5020, 5053, 5076}; !slices.Equal(got, want) {
		t.Errorf("%d, want %d", got, want)
	}
}

func TestStatusShowsTheStream(t *testing.T) {
	c := newChannel(t)
	s := c.open(t)
	write(t, s, video(0, avcConfig), audio(0, aacConfig), video(0, avcKey), video(1000, avcInter), video(2000, avcKey))
	st := c.Status()
	if st.Info.VideoCodec != "h264" || st.Info.AudioCodec != "aac" || st.KeyInterval != 2*time.Second {
		t.Errorf("%+v", st)
	}
}

func TestThatItIsUnlistedGoesIntoTheMetadata(t *testing.T) {
	meta := flv.NewTag(flv.Script, 3, []byte("\x02\x00\x0aonMetaData\x03\x00\x01x\x05\x00\x00\x09"))
	for _, title := range []string{"", "Finals"} {
		c := newChannel(t)
		c.SetTitle(title)
		c.SetUnlisted()
		s := c.open(t)
		write(t, s, meta, video(0, avcConfig), video(0, avcKey))
		s.Close()
		s = c.open(t) // one that sends no metadata
		write(t, s, video(0, avcConfig), video(0, avcKey))
		s.Close()
		items, _ := c.stored(t)
		if len(items) == 0 {
			t.Fatal("nothing went out")
		}
		for _, it := range items {
			if got := flv.Describe(it.Header.Payload()); !got.Unlisted || got.Title != title {
				t.Errorf("a header says %+v", got)
			}
		}
	}
}

func TestATitleGoesIntoTheMetadata(t *testing.T) {
	meta := flv.NewTag(flv.Script, 3, []byte("\x02\x00\x0aonMetaData\x03\x00\x01x\x05\x00\x00\x09"))
	c := newChannel(t)
	c.SetTitle(" Finals\n")
	s := c.open(t)
	write(t, s, meta, video(0, avcConfig), video(0, avcKey), meta, video(40, avcInter))
	s.Close()
	// The second encoder sends no metadata.
	s = c.open(t)
	write(t, s, video(0, avcConfig), video(0, avcKey), video(40, avcInter))
	s.Close()

	titled := "\x02\x00\x0aonMetaData\x03\x00\x01x\x05\x00\x05title\x02\x00\x06Finals\x00\x00\x09"
	made := string(flv.SetTitle(nil, "Finals"))
	want := []string{titled, avcConfig, avcKey, titled, avcInter, made, avcConfig, avcKey, avcInter}
	items, payload := c.stored(t)
	var got []string
	var tags []byte
	for tag := range flv.Tags(payload) {
		got = append(got, string(tag.Body()))
		tags = append(tags, tag...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	var accepted []byte
	for range want {
		accepted = append(accepted, <-c.accepted...)
	}
	if !bytes.Equal(accepted, tags) {
		t.Errorf("%q was accepted, %q went out", accepted, tags)
	}
	for _, it := range items {
		if got := flv.Describe(it.Header.Payload()).Title; got != "Finals" {
			t.Errorf("a header has the title %q", got)
		}
	}
	if got := c.Status().Info.Title; got != "Finals" {
		t.Errorf("the status has the title %q", got)
	}
}

// TestWhatListsShowGoesIntoTheMetadata has encoders say something else, and nothing.
func TestWhatListsShowGoesIntoTheMetadata(t *testing.T) {
	said := flv.NewTag(flv.Script, 3, flv.SetTexts(nil, flv.Texts{Genre: "Sport", Comment: "by the encoder"}))
	c := newChannel(t)
	c.SetTexts(flv.Texts{Genre: " Chess\n", Description: "Table 3"})
	for _, meta := range []flv.Tag{said, nil} {
		s := c.open(t)
		if meta != nil {
			write(t, s, meta)
		}
		write(t, s, video(0, avcConfig), video(0, avcKey))
		s.Close()
	}
	items, _ := c.stored(t)
	got := map[flv.Texts]bool{}
	for _, it := range items {
		got[flv.DescribeTexts(it.Header.Payload())] = true
	}
	for _, want := range []flv.Texts{{Genre: "Chess", Description: "Table 3", Comment: "by the encoder"}, {Genre: "Chess", Description: "Table 3"}} {
		if !got[want] {
			t.Errorf("the headers say %+v, want %+v, too", got, want)
		}
	}
}
