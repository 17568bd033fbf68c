package playback

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/relay/archive"
	"relay/relay/seal"
	"relay/relay/stream"
)

// keeping keeps what a source sends, as a node does, until the test ends.
func (s *source) keeping(t *testing.T, from *stream.Ring, unsealer func() *stream.Unsealer) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.TempDir(), s.id, archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, from) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		a.Close()
	})
	s.channel().Keeps(a, unsealer)
	return a
}

// film sends ten pictures a second, with a key frame each second, from a timestamp on.
func (s *source) film(from uint32, seconds int) {
	for i := range uint32(seconds * 10) {
		if ts := from + 100*i; i%10 == 0 {
			s.keyframe(ts, 300)
		} else {
			s.frame(ts, 200)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// filming does so beside the test, and closes the channel at the end.
func (s *source) filming(from uint32, seconds int) <-chan struct{} {
	done := make(chan struct{})
	go func() { defer close(done); s.film(from, seconds) }()
	return done
}

// taken reads what there is for a time, and returns the tags.
func taken(t *testing.T, f *feed, d time.Duration) []flv.Tag {
	t.Helper()
	var out []byte
	for end := time.After(d); ; {
		batch, wait, err := f.next()
		if err != nil {
			t.Fatal(err)
		}
		if wait == nil {
			if batch.Header {
				batch.Parts = batch.Parts[1:]
			}
			out = append(out, bytes.Join(batch.Parts, nil)...)
			continue
		}
		select {
		case <-wait:
		case <-end:
			var tags []flv.Tag
			for tag := range flv.Tags(out) {
				tags = append(tags, tag)
			}
			return tags
		}
	}
}

func (s *source) shifted(t *testing.T, at string) (*feed, *timeshift) {
	t.Helper()
	m, err := parseMoment(at)
	if err != nil {
		t.Fatal(err)
	}
	shift, err := s.channel().rewind(m)
	if err != nil || shift == nil {
		t.Fatalf("%v, %v", shift, err)
	}
	f := newFeed(s.ring, true)
	f.cursor = shift
	return f, shift
}

// sameTags fails if the tags are not those that the source has sent from an index on.
func (s *source) sameTags(tags []flv.Tag, from int) {
	s.t.Helper()
	if len(tags) > len(s.tags)-from {
		s.t.Fatalf("%d tags, %d were sent", len(tags), len(s.tags)-from)
	}
	for i, tag := range tags {
		if !bytes.Equal(tag, s.tags[from+i]) {
			s.t.Fatalf("tag %d is another", i)
		}
	}
}

func TestATimeshiftComesAtThePaceOfTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		s.keeping(t, s.ring, nil)
		s.film(0, 300)
		time.Sleep(time.Hour) // a pause that nobody sits through
		s.film(300_000, 30)
		f, shift := s.shifted(t, "start")
		defer shift.close()
		tags := taken(t, f, 0)
		s.sameTags(tags, 0)
		if n := len(tags); n < 100 || n > 102 {
			t.Errorf("%d tags come at once, of 10 a second and for 10 s", n)
		}
		more := taken(t, f, 100*time.Second)
		if n := len(more); n < 995 || n > 1005 {
			t.Errorf("%d tags come in 100 s", n)
		}
		tags = append(tags, more...)
		filming := s.filming(330_000, 290) // meanwhile it goes on
		tags = append(tags, taken(t, f, 300*time.Second)...)
		<-filming
		s.sameTags(tags, 0)
		if got, want := len(tags), 10*(110+300-2); got < want-25 || got > want+25 {
			t.Errorf("%d tags after a pause of the source, want %d", got, want)
		}
		// From three seconds ago there is nothing to wait for, and it goes on live.
		at := len(s.tags)
		near, shift := s.shifted(t, "-3s")
		defer shift.close()
		filming = s.filming(620_000, 20)
		tags = taken(t, near, 21*time.Second)
		<-filming
		first := at - 50
		for !bytes.Equal(tags[0], s.tags[first]) {
			first++
		}
		if first < at-42 || first > at-29 {
			t.Errorf("three seconds ago is %d tags before", at-first)
		}
		s.sameTags(tags, first)
		if missing := len(s.tags) - first - len(tags); missing > 0 {
			t.Errorf("%d tags behind what is live", missing)
		}
	})
}

// TestATimeshiftThatTakesNothingMissesNothing has a viewer that is near the present stop reading for so long
// that the ring has left it behind.
func TestATimeshiftThatTakesNothingMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		s.keeping(t, s.ring, nil)
		s.film(0, 20)
		f, shift := s.shifted(t, "start")
		defer shift.close()
		tags := taken(t, f, 20*time.Second)
		if len(tags) != 200 || shift.past != nil {
			t.Fatalf("%d tags, and it reads the disk still: %v", len(tags), shift.past != nil)
		}
		s.film(20_000, 200)
		tags = append(tags, taken(t, f, 190*time.Second)...)
		time.Sleep(time.Second)
		s.sameTags(tags, 0)
		if len(tags) != len(s.tags) {
			t.Errorf("%d tags of %d", len(tags), len(s.tags))
		}
		if missed, moves := shift.Gap(); missed != 0 || moves != 0 {
			t.Errorf("missed %d, moved %d times", missed, moves)
		}
	})
}

func TestWhatIsKeptOfAPrivateChannelIsSealedAndPlays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		content := seal.New().Content(seal.Channel(s.id))
		carried := stream.NewRing(stream.Limits{})
		s.writer = stream.NewSealedWriter(carried, s.key, content, stream.NextEpoch(s.writer.Epoch(), time.Now(), 3), time.Now())
		s.header("private")
		opener := stream.NewOpener(content, carried, s.ring)
		opened := make(chan struct{})
		go func() { defer close(opened); opener.Run(func(err error) { t.Error(err) }) }()
		defer func() { carried.Close(); <-opened }()
		s.keeping(t, carried, func() *stream.Unsealer { return stream.NewUnsealer(content) })
		s.film(0, 120)
		f, shift := s.shifted(t, "start")
		defer shift.close()
		tags := taken(t, f, 120*time.Second)
		s.sameTags(tags, 0)
		if len(tags) != len(s.tags) {
			t.Errorf("%d tags of %d", len(tags), len(s.tags))
		}
	})
}

func TestMoments(t *testing.T) {
	for in, want := range map[string]moment{
		"":                          {},
		"live":                      {},
		"Start":                     {start: true},
		"-10m":                      {ago: 10 * time.Minute},
		"-1h30m":                    {ago: 90 * time.Minute},
		"-90":                       {ago: 90 * time.Second},
		"1796001012":                {at: time.Unix(1796001012, 0)},
		"1796001012.5":              {at: time.UnixMilli(1796001012500)},
		"2026-11-30T20:15:00Z":      {at: time.Date(2026, 11, 30, 20, 15, 0, 0, time.UTC)},
		"2026-11-30T20:15:00 02:00": {at: time.Date(2026, 11, 30, 18, 15, 0, 0, time.UTC)},
	} {
		if got, err := parseMoment(in); err != nil || got.start != want.start || got.ago != want.ago || !got.at.Equal(want.at) {
			t.Errorf("%q is %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"-", "--5m", "10m", "-10 minutes", "yesterday", "-1e400", "1e300", "NaN", "-NaN", "-Inf", "+5", "20:15", strings.Repeat("9", 1000)} {
		got, err := parseMoment(in)
		if err == nil {
			t.Errorf("%.20q is %+v", in, got)
		} else if len(err.Error()) > 250 {
			t.Errorf("%.20q: %d bytes of words", in, len(err.Error()))
		}
	}
}

func TestWhoAsksForWhatIsNotKeptIsTold(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.keyframe(0, 100)
	addr := serve(t, Config{Channels: list(s.channel())})
	short := s.id.Short()
	for path, want := range map[string]int{
		"/" + short + ".flv?at=-10m":               http.StatusNotFound,
		"/hls/" + short + "/index.m3u8?at=start":   http.StatusNotFound,
		"/hls/" + short + "/1796001012/index.m3u8": http.StatusNotFound,
		"/" + short + ".mp4?at=yesterday":          http.StatusBadRequest,
		"/" + short + ".m3u?at=start":              http.StatusNotFound,
		"/" + short + ".m3u?at=10m":                http.StatusBadRequest,
		"/hls/" + short + "/index.m3u8?at=10m":     http.StatusBadRequest,
	} {
		resp, _ := ask(t, addr, get(path))
		if text := body(t, resp); resp.StatusCode != want || want == http.StatusNotFound && !strings.Contains(path, "1012/") && !strings.Contains(text, "without --keep") {
			t.Errorf("%s: %s %q", path, resp.Status, text)
		}
	}
	s.shown.kept = &kept{}
	resp, _ := ask(t, addr, get("/"+short+".m3u?at=2026-11-30T20:15:00%2B02:00"))
	if text := body(t, resp); !strings.Contains(text, ".ts?at=2026-11-30T20%3A15%3A00%2B02%3A00\n") {
		t.Errorf("the playlist is %q", text)
	}
	s.shown.kept = nil
	if _, err := NewServer(Config{Channels: list(s.channel())}).Direct(home, short+"?at=-5m", flvForm); err != errNotKept {
		t.Errorf("over RTMP: %v", err)
	}
}

// TestPlayersOverOtherProtocolsBeginInThePast plays from the start over a connection of its own, as RTMP, RTSP and SRT do.
func TestPlayersOverOtherProtocolsBeginInThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		s.keeping(t, s.ring, nil)
		s.film(0, 300)
		time.Sleep(time.Hour)
		view, err := NewServer(Config{Channels: list(s.channel())}).Direct(home, s.id.Short()+"?at=start", flvForm)
		if err != nil {
			t.Fatal(err)
		}
		want := s.sinceKey(0)[:20_000] // and the header before it
		ours, theirs := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- view.Play(t.Context(), ours, []byte("head"), nil) }()
		if got := readN(t, theirs, len("head")+len(want)); !bytes.Equal(got[len("head"):], want) {
			t.Error("it does not begin where what is kept does")
		}
		theirs.Close()
		<-done
	})
}

// TestHLSFromThePastSaysWhenItWas asks for HLS from the start, an hour after that.
func TestHLSFromThePastSaysWhenItWas(t *testing.T) {
	tags := demoClip(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		s.keeping(t, s.ring, nil)
		routes := &routes{NewServer(Config{Channels: list(s.channel())}), t.Context()}
		began := time.Now()
		s.clip(tags, 0, func(ts uint32) { time.Sleep(time.Until(began.Add(time.Duration(ts) * time.Millisecond))) })
		time.Sleep(time.Hour)
		path := fmt.Sprintf("%s%s/%d/index.m3u8", hlsPrefix, s.id.Short(), began.UnixMilli())
		var w *httptest.ResponseRecorder
		for range 2 { // the second time there are more segments
			w = httptest.NewRecorder()
			routes.hls(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
			time.Sleep(10 * time.Second)
		}
		dates := regexp.MustCompile("DATE-TIME:(.*)").FindAllStringSubmatch(w.Body.String(), -1)
		if len(dates) < 3 {
			t.Fatalf("the playlist is\n%s", w.Body)
		}
		for i, d := range dates { // the clip is of 8 s, and has a key frame every 2 s
			at, err := time.Parse(time.RFC3339, d[1])
			if off := at.Sub(began); err != nil || off%(2*time.Second) > 50*time.Millisecond || int(off/(2*time.Second)) != 3-len(dates)+i+1 {
				t.Errorf("segment %d of %d is of %s, the first picture of %s", i, len(dates), d[1], began.UTC())
			}
		}
		time.Sleep(2 * hlsIdle)
	})
}
