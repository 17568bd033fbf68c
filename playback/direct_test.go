package playback

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/naming"
	"relay/relay/stream"
)

var home = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}

func TestADirectPlayerIsAViewerLikeOthers(t *testing.T) {
	s := newSource(t, stream.Limits{})
	s.group(0)
	ch := NewChannel(s.id, s.ring, nil)
	srv := NewServer(Config{Channels: list(ch)})
	view, err := srv.Direct(home, s.id.Short()+"?start=gop", flvForm)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- view.Play(t.Context(), ours, []byte("head"), nil) }()
	want := append([]byte("head"), s.sinceKey(0)...)
	if got := readN(t, theirs, len(want)); !bytes.Equal(got, want) {
		t.Error("it did not get its head and then the media")
	}
	if v := ch.Status("").Viewers; len(v) != 1 || v[0].Addr != home.String() {
		t.Errorf("the status shows %+v", v)
	}
	s.ring.Close()
	if err := <-done; err != nil {
		t.Errorf("at the channel's end: %v", err)
	}
	if n := ch.Viewers(); n != 0 {
		t.Errorf("%d viewers are left", n)
	}
	if sent := ch.sent(); sent != uint64(len(want)) {
		t.Errorf("%d bytes are counted, want %d", sent, len(want))
	}
	if _, err := ours.Write([]byte("x")); errors.Is(err, io.ErrClosedPipe) {
		t.Error("its connection was closed") // what comes last is for others to say
	}
}

func TestADirectPlayerIsTurnedAwayInWords(t *testing.T) {
	s := newSource(t, stream.Limits{})
	ch := NewChannel(s.id, s.ring, nil)
	srv := NewServer(Config{
		Channels: list(ch), MaxViewers: 2,
		Near: func(a netip.Addr) bool { return a.IsLoopback() },
	})
	name := s.id.Short()
	far := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 4000}
	for what, c := range map[string]struct {
		from net.Addr
		name string
		want error
	}{
		"another channel":   {home, "aaaaaaaa", ErrNoChannel},
		"too short":         {home, name[:naming.ShortestID-1], ErrNoChannel},
		"nothing":           {home, "", ErrNoChannel},
		"another start":     {home, name + "?start=tomorrow", errStart},
		"from elsewhere":    {far, name, errFar},
		"from nowhere":      {&net.UnixAddr{Name: "x"}, name, errFar},
		"the whole path":    {home, "live/" + name, ErrNoChannel},
		"an address of IP6": {&net.TCPAddr{IP: net.IPv6loopback, Port: 1}, "none", ErrNoChannel},
	} {
		if _, err := srv.Direct(c.from, c.name, flvForm); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	if n := srv.refused.All()[RefusedNetwork]; n != 2 {
		t.Errorf("%d were counted as from elsewhere", n)
	}
	var taken []*Admission
	for _, wish := range []string{"", ".flv?start=key&other=%zz"} {
		v, err := srv.Direct(home, name+wish, flvForm)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, v)
	}
	if _, err := srv.Direct(home, name, flvForm); !errors.Is(err, errFull) || srv.refused.All()[RefusedFull] != 1 {
		t.Errorf("one too many: %v", err)
	}
	ours, theirs := net.Pipe()
	theirs.Close()
	if err := taken[0].Play(t.Context(), ours, []byte("head"), nil); err == nil {
		t.Error("a player that has left is no error")
	}
	v, err := srv.Direct(home, name, flvForm)
	if err != nil {
		t.Errorf("when one has left: %v", err)
	}
	for _, v := range []*Admission{v, taken[1]} {
		v.Play(t.Context(), ours, []byte("head"), nil)
	}
}

func TestADirectPlayerEndsInTime(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(cancel context.CancelCauseFunc)
		want   reason
		within time.Duration
	}{
		"takes nothing":   {func(context.CancelCauseFunc) {}, viewerStuck, stuckAfter},
		"has left":        {func(cancel context.CancelCauseFunc) { cancel(net.ErrClosed) }, viewerLeft, 0},
		"the node closes": {func(cancel context.CancelCauseFunc) { cancel(nil) }, nodeClosing, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t, stream.Limits{})
				s.group(0)
				srv := NewServer(Config{Channels: list(NewChannel(s.id, s.ring, nil))})
				view, err := srv.Direct(home, s.id.Short(), flvForm)
				if err != nil {
					t.Fatal(err)
				}
				ours, theirs := net.Pipe()
				defer theirs.Close()
				defer ours.Close()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				start, done := time.Now(), make(chan error, 1)
				go func() { done <- view.Play(ctx, ours, []byte("head"), nil) }()
				readN(t, theirs, len("head"))
				synctest.Wait()
				c.end(cancel)
				if err := <-done; err == nil || err.Error() != c.want.text() {
					t.Errorf("it ended by %v, want %s", err, c.want)
				}
				if d := time.Since(start); d > c.within {
					t.Errorf("it ended after %v", d)
				}
			})
		})
	}
}

// Somebody else reads the connection of a player that is silent for long.
func TestADirectPlayersConnectionIsNotReadHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(t, stream.Limits{})
		srv := NewServer(Config{Channels: list(NewChannel(s.id, s.ring, nil))})
		view, err := srv.Direct(home, s.id.Short(), flvForm)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- view.Play(ctx, ours, nil, nil) }()
		read := make(chan error, 1)
		go func() {
			_, err := ours.Read(make([]byte, 1))
			read <- err
		}()
		time.Sleep(time.Hour)
		theirs.Write([]byte("x"))
		if err := <-read; err != nil {
			t.Errorf("its reader gets %v", err)
		}
		cancel()
		<-done
	})
}
