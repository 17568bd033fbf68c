package ingest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/message"

	"relay/ingest/ingesttest"
	"relay/ingest/rtmp"
)

const (
	testApp = "live"
	testKey = "s3cret"
)

// pipes is a listener whose connections are made by the test.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// rtmpFor runs a server whose publishers send to c, until stop.
func rtmpFor(t *testing.T, c *channel) (to pipes, stop func()) {
	t.Helper()
	to = make(pipes)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := &rtmp.Server{Listener: to, Publish: OverRTMP(func(ctx context.Context, app, key string) (*Session, error) {
		if app != testApp || key != testKey {
			return nil, ErrDenied
		}
		return c.Await(ctx)
	})}
	go func() { done <- s.Run(ctx) }()
	return to, func() {
		cancel()
		close(to)
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	}
}

// publisher is an encoder that sends over a pipe.
type publisher struct {
	*gortmplib.Client
	conn net.Conn
}

// publishTo connects and publishes. It returns the server's refusal.
func publishTo(t *testing.T, to pipes, key string) (*publisher, error) {
	t.Helper()
	p := &publisher{}
	p.Client = &gortmplib.Client{
		URL:     &url.URL{Scheme: "rtmp", Host: "host:1", Path: "/" + testApp, Fragment: key},
		Publish: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			to <- there
			// A pipe has no buffer, and both ends greet first.
			p.conn = &ingesttest.Buffered{Conn: here}
			return p.conn, nil
		},
	}
	return p, p.Initialize(t.Context())
}

func (p *publisher) picture(t *testing.T, ms int) {
	t.Helper()
	err := p.Write(&message.Video{
		ChunkStreamID: message.VideoChunkStreamID, MessageStreamID: 1 << 24, DTS: time.Duration(ms) * time.Millisecond,
		Codec: message.CodecH264, IsKeyFrame: true, Type: message.VideoTypeAU, AU: []byte{0, 0, 0, 1, 0x65},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnEncoderThatComesBackTakesOverFromItsSilentSelf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChannel(t)
		to, stop := rtmpFor(t, c)
		defer stop()
		first, err := publishTo(t, to, testKey)
		if err != nil {
			t.Fatal(err)
		}
		defer first.conn.Close()
		first.picture(t, 0)
		<-c.accepted
		synctest.Wait()
		sent := make(chan struct{})
		time.AfterFunc(takeoverAfter/2, func() { first.picture(t, 0); close(sent) })
		if _, err := publishTo(t, to, testKey); err == nil || !strings.Contains(err.Error(), "BadName") {
			t.Fatalf("while the first is sending: %v", err)
		}
		<-sent
		<-c.accepted
		time.Sleep(100 * time.Millisecond)
		asked := time.Now()
		second, err := publishTo(t, to, testKey)
		if err != nil {
			t.Fatalf("once the first is silent: %v", err)
		}
		if took := time.Since(asked); took < takeoverAfter-200*time.Millisecond || took > takeoverAfter {
			t.Errorf("it waited for %v, want 2 s after what the first has sent", took)
		}
		second.picture(t, 0)
		<-c.accepted

		// The first was not dead after all. It is cut, and does the second no harm.
		first.picture(t, 40)
		synctest.Wait()
		second.picture(t, 40)
		<-c.accepted
		synctest.Wait()
		if st := c.Status(); !st.Live || st.Tags != 4 || st.Sessions != 2 {
			t.Errorf("%+v", st)
		}
		second.conn.Close()
		synctest.Wait()
		if c.Status().Live {
			t.Error("the second's session is still open")
		}
	})
}

func TestTheNextEncoderGoesOnInTimeWhereTheOneBeforeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChannel(t)
		to, stop := rtmpFor(t, c)
		defer stop()
		var at [2]uint32
		for i, first := range []int{9000, 0} {
			p, err := publishTo(t, to, testKey)
			if err != nil {
				t.Fatal(err)
			}
			p.picture(t, first)
			at[i] = (<-c.accepted).Timestamp()
			p.conn.Close()
			synctest.Wait()
		}
		if at[0] != 9000 || at[1] <= at[0] {
			t.Errorf("timestamps %v", at)
		}
	})
}

// Whoever reads an encoder's connection says when there is nothing more: no timer has to.
func TestWhatAnEncoderHasSentIsOutBeforeItsConnectionIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChannel(t)
		to, stop := rtmpFor(t, c)
		defer stop()
		p, err := publishTo(t, to, testKey)
		if err != nil {
			t.Fatal(err)
		}
		defer p.conn.Close()
		p.picture(t, 0)
		if _, err := c.ring.Cursor().Next(t.Context()); err != nil { // somebody takes it
			t.Fatal(err)
		}
		for n := range 3 {
			synctest.Wait()
			before, at := c.ring.Stats(), time.Now()
			if err := p.Write(&message.Audio{
				ChunkStreamID: message.AudioChunkStreamID, MessageStreamID: 1 << 24, DTS: time.Duration(n) * time.Millisecond,
				Codec: message.CodecMPEG4Audio, AACType: message.AudioAACTypeAU, AU: []byte{1, 2, 3},
			}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if after := c.ring.Stats(); after.Received != before.Received+1 || !time.Now().Equal(at) {
				t.Errorf("%d chunks of one sound after %v", after.Received-before.Received, time.Since(at))
			}
		}
		if st := c.Status(); st.Tags != 4 {
			t.Errorf("%d tags, want 4", st.Tags)
		}
	})
}

func TestAPublisherIsToldWhyThereIsNoSession(t *testing.T) {
	failed := errors.New("the disk is full")
	for refused, want := range map[error]error{ErrBusy: rtmp.ErrBusy, ErrDenied: rtmp.ErrDenied, failed: failed} {
		sink, err := OverRTMP(func(context.Context, string, string) (*Session, error) { return nil, refused })(t.Context(), testApp, testKey)
		if sink != nil || !errors.Is(err, want) {
			t.Errorf("%v: %v, %v", refused, sink, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		to, stop := rtmpFor(t, newChannel(t))
		defer stop()
		if _, err := publishTo(t, to, "guess"); err == nil || !strings.Contains(err.Error(), "Denied") {
			t.Errorf("a wrong key: %v", err)
		}
	})
}
