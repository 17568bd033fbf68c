package rtmp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortmplib/pkg/amf0"
	"github.com/bluenviron/gortmplib/pkg/handshake"

	"relay/ingest/flv"
	"relay/relay/lobby"
	"relay/relay/relaytest"
)

const (
	playStart    = "NetStream.Play.Start"
	playReset    = "NetStream.Play.Reset"
	playNotFound = "NetStream.Play.StreamNotFound"
	playFailed   = "NetStream.Play.Failed"
	playStop     = "NetStream.Play.Stop"
)

// viewing is a Viewing that is a function.
type viewing func(ctx context.Context, conn net.Conn, head []byte, said func() []byte) error

func (v viewing) Play(ctx context.Context, conn net.Conn, head []byte, said func() []byte) error {
	return v(ctx, conn, head, said)
}

// fakeStream plays the media that a test gives it to every player.
type fakeStream struct {
	name    string // of its stream
	media   []flv.Batch
	hold    bool         // stay after the media until the player leaves
	refuse  error        // for every player
	playing atomic.Int32 // players that are played to
	played  chan error   // gets why each viewing ended
}

func newFakeStream(media ...flv.Batch) *fakeStream {
	return &fakeStream{name: "there", media: media, played: make(chan error, 100)}
}

func (s *fakeStream) Play(_ net.Addr, app, name string) (Viewing, error) {
	name, _, _ = strings.Cut(name, "?")
	switch {
	case s.refuse != nil:
		return nil, s.refuse
	case app != testApp && app != "" || name != s.name:
		return nil, ErrNoStream
	}
	s.playing.Add(1)
	return viewing(func(ctx context.Context, conn net.Conn, head []byte, said func() []byte) error {
		defer s.playing.Add(-1)
		err := s.view(ctx, conn, head)
		s.played <- err
		return err
	}), nil
}

func (s *fakeStream) view(ctx context.Context, conn net.Conn, head []byte) error {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := conn.Write(head); err != nil {
		return err
	}
	c := NewContainer()
	for _, tags := range s.media {
		out, err := c.Convert(tags)
		if err != nil {
			return err
		}
		if _, err := out.WriteTo(conn); err != nil {
			return err
		}
	}
	if s.hold {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	return nil
}

// servePlayers runs a server that plays s and takes no encoder.
func servePlayers(t *testing.T, s *fakeStream) string {
	t.Helper()
	t.Cleanup(func() { // after the server's end
		if n := s.playing.Load(); n != 0 {
			t.Errorf("%d players are still played to", n)
		}
	})
	return run(t, &Server{Play: s.Play})
}

// asks asks to play and returns the first answer's code and text.
func (e *encoder) asks(t *testing.T, app, name string) (code, text string) {
	t.Helper()
	e.say(t, "connect", amf0.Object{{Key: "app", Value: app}})
	e.say(t, "createStream", nil)
	e.say(t, "getStreamLength", nil, name)
	e.say(t, "play", nil, name, -2000.0)
	code, text, on := e.onStatus(t)
	if on != 1 {
		t.Errorf("a status on message stream %#x", on)
	}
	return code, text
}

// playing connects a player to a server that plays to it.
func playing(t *testing.T, addr string) *encoder {
	t.Helper()
	e := dial(t, addr)
	if code, _ := e.asks(t, testApp, "there"); code != playReset {
		t.Fatal(code)
	}
	return e
}

// watches takes what is played until the server says that the stream has ended.
func (e *encoder) watches(t *testing.T) []flv.Tag {
	t.Helper()
	var tags []flv.Tag
	for {
		m, err := e.next()
		if err != nil {
			t.Fatalf("after %d tags: %v", len(tags), err)
		}
		if isCommand(m) {
			cmd, err := parseCommand(m)
			if err != nil {
				t.Fatal(err)
			}
			if code, _ := cmd.object(1).GetString("code"); code == playStop {
				return tags
			}
			continue
		}
		if m.stream != 1 {
			t.Errorf("media on message stream %#x", m.stream)
		}
		if err := new(tagger).tagsOf(m, func(tag flv.Tag) error { tags = append(tags, tag); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// awkwardTags are tags with all that is awkward to put into chunks.
func awkwardTags(r *rand.Rand) (tags []flv.Tag) {
	body := func(n int, first string) string {
		b := []byte(first)
		for len(b) < n {
			b = append(b, byte(r.Uint32()))
		}
		return string(b)
	}
	return []flv.Tag{
		flv.NewTag(flv.Script, 0, []byte(onMetaDataAMF+"\x03\x00\x00\x09")),
		video(0, avcConfig), audio(0, aacConfig),
		video(longTimestamp-40, body(3*playChunk, "\x17\x01\x00\x00\x00")), // ends with a chunk
		audio(longTimestamp-40, body(300, "\xaf\x01")),
		video(longTimestamp, body(3*playChunk+1, "\x27\x01\x00\x00\x00")),
		audio(longTimestamp-1, body(300, "\xaf\x01")), // goes back
		video(1<<32-1, body(200_000, "\x90hvc1")),
		audio(longTimestamp+1, body(playChunk+5, "\xd0mp4a")),
		video(20, body(100, "\x27\x01\x00\x00\x00")), // wrapped
		audio(30, ""),
	}
}

// cut makes batches of tags, in any pieces: in each of them some tags, in pieces of
// at most most bytes.
func cut(r *rand.Rand, tags []flv.Tag, most int) (all []flv.Batch) {
	for len(tags) > 0 {
		n := min(1+r.IntN(4), len(tags))
		b := flv.BatchOf(tags[:n]...)
		rest := bytes.Join(b.Parts, nil)
		b.Parts = nil
		for len(rest) > 0 {
			n := min(1+r.IntN(most), len(rest))
			b.Parts = append(b.Parts, rest[:n:n])
			rest = rest[n:]
		}
		all = append(all, b)
		tags = tags[n:]
	}
	return all
}

func TestAPlayerGetsEveryTagAsItIs(t *testing.T) {
	seeds := uint64(20)
	if relaytest.Raced {
		seeds = 4
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 0))
		tags := awkwardTags(r)
		// The stream begins with a header, as a reader's does.
		var h flv.Header
		h.Add(tags[1], flv.Classify(tags[1]))
		header := h.Payload()
		want := slices.Concat([]flv.Tag{video(0, avcConfig)}, tags)
		unheard := flv.NewTag(15, 7, []byte("RTMP has no message for it"))
		media := cut(r, append(tags, unheard), 1+r.IntN(1<<r.IntN(18)))
		media[0].Parts, media[0].Header = slices.Concat(net.Buffers{header}, media[0].Parts), true
		before := make([][]byte, len(media))
		for i, b := range media {
			before[i] = bytes.Join(b.Parts, nil)
		}
		s := newFakeStream()
		for _, b := range media { // what is written forgets its parts
			s.media = append(s.media, flv.Batch{Parts: slices.Clone(b.Parts), Header: b.Header, Lens: b.Lens})
		}
		e := playing(t, servePlayers(t, s))
		got := e.watches(t)
		if !slices.EqualFunc(got, want, func(a, b flv.Tag) bool { return bytes.Equal(a, b) }) {
			t.Errorf("seed %d: %d tags, not the %d that were played", seed, len(got), len(want))
		}
		for i, b := range media {
			if !bytes.Equal(bytes.Join(b.Parts, nil), before[i]) {
				t.Fatal("what all players share was changed")
			}
		}
		e.gone(t)
	}
}

// messages are what a new container makes of tags.
func messages(tags flv.Batch) net.Buffers {
	out, err := NewContainer().Convert(tags)
	if err != nil {
		panic(err) // it never fails
	}
	return out
}

// What gortmplib's reader skips, others read.
func TestChunksOnTheWire(t *testing.T) {
	tag := video(longTimestamp, strings.Repeat("x", playChunk+2))
	got := bytes.Join(messages(flv.BatchOf(tag)), nil)
	want := slices.Concat([]byte("\x06\xff\xff\xff\x01\x00\x02\x09\x01\x00\x00\x00\x00\xff\xff\xff"), tag.Body()[:playChunk],
		[]byte("\xc6\x00\xff\xff\xff"), tag.Body()[playChunk:])
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d: %x…", len(got), len(want), got[:40])
	}
	got = bytes.Join(messages(flv.BatchOf(audio(longTimestamp-1, aacFrame))), nil)
	if want := "\x04\xff\xff\xfe\x00\x00\x07\x08\x01\x00\x00\x00" + aacFrame; string(got) != want {
		t.Errorf("%x, want %x", got, want)
	}
}

func TestBodiesArePlayedUncopied(t *testing.T) {
	tag := video(0, avcKey)
	out := messages(flv.BatchOf(tag))
	if &out[1][0] != &tag.Body()[0] {
		t.Error("the body was copied")
	}
}

func TestAPlayerIsToldInOrder(t *testing.T) {
	e := dial(t, servePlayers(t, newFakeStream(flv.BatchOf(video(0, avcKey)))))
	if code, _ := e.asks(t, "", "there?start=gop"); code != playReset {
		t.Fatal(code)
	}
	if code := e.answer(t); code != playStart {
		t.Fatal(code)
	}
	if m, err := e.next(); err != nil || m.typ != msgVideo {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, want := range []string{"NetStream.Play.UnpublishNotify", playStop} {
		if code := e.answer(t); code != want {
			t.Errorf("%s, want %s", code, want)
		}
	}
	e.gone(t)
}

func TestAPlayerIsTurnedAwayInWords(t *testing.T) {
	s := newFakeStream()
	addr := servePlayers(t, s)
	for name, c := range map[string]struct{ app, name, code, text string }{
		"another name":  {testApp, "gone", playNotFound, ErrNoStream.Error()},
		"another app":   {"other", "there", playNotFound, ErrNoStream.Error()},
		"no name":       {testApp, "", playNotFound, ErrNoStream.Error()},
		"nothing":       {"", "", playNotFound, ErrNoStream.Error()},
		"a long name":   {testApp, strings.Repeat("there", 1000), playNotFound, ErrNoStream.Error()},
		"control codes": {testApp, "\x1b[2Jthere\n", playNotFound, ErrNoStream.Error()},
	} {
		e := dial(t, addr)
		if code, text := e.asks(t, c.app, c.name); code != c.code || text != c.text {
			t.Errorf("%s: %s, %q", name, code, text)
		}
		e.gone(t)
	}
	full := newFakeStream()
	full.refuse = errors.New("full")
	e := dial(t, servePlayers(t, full))
	if code, text := e.asks(t, testApp, "there"); code != playFailed || text != "full" {
		t.Errorf("when full: %s, %q", code, text)
	}
	e.gone(t)
}

func TestAnEncoderIsTurnedAwayWhereNothingIsTaken(t *testing.T) {
	e := dial(t, servePlayers(t, newFakeStream()))
	if got := e.publish(t, testApp, testKey); got != statusDenied {
		t.Error(got)
	}
	e.gone(t)
}

func TestAPlayerThatLeavesIsNoticed(t *testing.T) {
	for how, leave := range map[string]func(e *encoder){
		"closes":       func(e *encoder) { e.Close() },
		"deleteStream": func(e *encoder) { e.say(t, "deleteStream", nil, 1.0) },
		"closeStream":  func(e *encoder) { e.say(t, "closeStream", nil) },
		"talks on and on": func(e *encoder) {
			for e.send(0, command{"pause", 0, []any{nil, strings.Repeat("x", 4000)}}) == nil {
			}
		},
		"asks on and on": func(e *encoder) {
			for e.send(0, command{"what", 1, []any{nil}}) == nil {
			}
		},
		"breaks RTMP": func(e *encoder) { e.control(msgSetChunkSize, []byte{0}) },
	} {
		s := newFakeStream(flv.BatchOf(video(0, avcKey)))
		s.hold = true
		e := playing(t, servePlayers(t, s))
		leave(e)
		select {
		case err := <-s.played:
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: the viewing ended by %v", how, err)
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("%s: it is still played to", how)
		}
	}
}

func TestAPlayersQuestionsAreAnsweredBetweenTheMedia(t *testing.T) {
	addr := serveViewing(t, func(ctx context.Context, conn net.Conn, head []byte, said func() []byte) error {
		if _, err := conn.Write(head); err != nil {
			return err
		}
		c := NewContainer()
		for {
			out, err := c.Convert(flv.BatchOf(video(0, avcKey)))
			if err != nil {
				return err
			}
			if b := said(); len(b) > 0 {
				out = append(net.Buffers{b}, out...)
			}
			if _, err := out.WriteTo(conn); err != nil {
				return err
			}
		}
	})
	e := playing(t, addr)
	if err := e.event(eventPingRequest, 77); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := e.r.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.typ == msgUserControl && string(m.body) == "\x00\x07\x00\x00\x00\x4d" {
			return
		}
	}
}

// serveViewing is servePlayers with a viewing of the test's own.
func serveViewing(t *testing.T, v viewing) string {
	t.Helper()
	return run(t, &Server{Play: func(net.Addr, string, string) (Viewing, error) { return v, nil }})
}

func TestManyPlayersWatchAtOnce(t *testing.T) {
	const players = 50
	s := newFakeStream(flv.BatchOf(video(0, avcKey)))
	s.hold = true
	addr := servePlayers(t, s)
	for range players { // more than there may be strangers
		e := playing(t, addr)
		if code := e.answer(t); code != playStart {
			t.Fatal(code)
		}
		if m, err := e.next(); err != nil || m.typ != msgVideo {
			t.Fatalf("%+v, %v", m, err)
		}
	}
	if n := s.playing.Load(); n != players {
		t.Errorf("%d players are played to, want %d", n, players)
	}
}

func TestAPullPlaysWhatAServerPlays(t *testing.T) {
	want := awkwardTags(rand.New(rand.NewPCG(1, 1)))
	conn, err := net.Dial("tcp", servePlayers(t, newFakeStream(flv.BatchOf(want...))))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	target := Target{addr: "there", tcURL: "rtmp://there/live", app: testApp, stream: "there"}
	var got []flv.Tag
	if err := target.fetch(conn, func(tag flv.Tag) error { got = append(got, slices.Clone(tag)); return nil }); !errors.Is(err, errEnded) {
		t.Errorf("it ended by %v", err)
	}
	if !slices.EqualFunc(got, want, func(a, b flv.Tag) bool { return bytes.Equal(a, b) }) {
		t.Errorf("%d tags, want %d", len(got), len(want))
	}
}

// FuzzChunker has any tags played in any pieces: what comes out must be RTMP, and the
// same for all pieces.
func FuzzChunker(f *testing.F) {
	tags := awkwardTags(rand.New(rand.NewPCG(1, 1)))
	f.Add([]byte(slices.Concat(tags[:3]...))[:80], 7)
	f.Add([]byte(slices.Concat(tags[:3]...)), 7)
	f.Add([]byte("FLV"), 1)
	f.Add([]byte(audio(longTimestamp, aacFrame)), 3)
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		var in flv.Batch
		for tag := range flv.Tags(b) {
			in.Lens = append(in.Lens, len(tag))
			in.Parts = append(in.Parts, tag)
		}
		want := bytes.Join(messages(in), nil)
		in.Parts = slices.Collect(slices.Chunk(bytes.Join(in.Parts, nil), max(1, piece)))
		got := bytes.Join(messages(in), nil)
		if !bytes.Equal(got, want) {
			t.Errorf("%x in pieces of %d, %x in one", got, piece, want)
		}
		r := newChunkReader(bytes.NewReader(want), nil)
		r.size = playChunk
		for {
			m, err := r.read()
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return
			}
			if err != nil && !strings.Contains(err.Error(), "the most is") {
				t.Fatal(fmt.Errorf("no RTMP: %w", err))
			}
			if err != nil {
				return
			}
			if m.stream != 1 {
				t.Errorf("%+v", m)
			}
		}
	})
}

// A player says little, but for as long as it watches.
func TestAPlayerMaySaySomethingEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, conn := net.Pipe()
		defer peer.Close()
		g := newGuard(conn, nil)
		g.trustPlayer()
		read := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, g)
			read <- err
		}()
		time.Sleep(24 * time.Hour) // silent, as while the channel waits
		for range 60 {
			if _, err := peer.Write(make([]byte, playerBytes)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(playerTime)
		}
		start := time.Now()
		go peer.Write(make([]byte, 2*playerBytes)) // ends when it is not read
		if err := <-read; !errors.Is(err, errSaidTooMuch) || time.Since(start) > 0 {
			t.Errorf("one that says twice as much ends by %v after %v", err, time.Since(start))
		}
	})
}

// FuzzPlayer has anything said in the place of a player, up to play and after it.
func FuzzPlayer(f *testing.F) {
	var b bytes.Buffer
	c := newConnection(&b)
	for _, cmd := range []command{
		{"connect", 1, []any{amf0.Object{{Key: "app", Value: testApp}}}},
		{"createStream", 2, []any{nil}},
		{"play", 3, []any{nil, "there?start=gop", -2000.0}},
	} {
		if err := c.send(0, cmd); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes())
	if err := errors.Join(c.event(eventPingRequest, 7), c.event(3, 1), c.send(mediaStream, command{"pause", 0, []any{nil, true}}),
		c.send(0, command{"deleteStream", 0, []any{nil, 1.0}})); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		peer, conn := net.Pipe()
		s := newFakeStream(flv.BatchOf(video(0, avcKey)))
		s.hold = true
		srv := &Server{Play: s.Play}
		ended := make(chan struct{})
		go func() {
			srv.serve(t.Context(), conn, lobby.New(1, nil).Enter(conn))
			close(ended)
		}()
		go func() {
			defer peer.Close()
			if _, _, err := handshake.DoClient(peer, false, false); err != nil {
				return
			}
			go io.Copy(io.Discard, peer) // ends with peer
			peer.Write(b)
		}()
		<-ended
		if n := s.playing.Load(); n != 0 {
			t.Errorf("%d places are not given back", n)
		}
	})
}
