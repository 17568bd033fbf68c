package relay

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/archive"
	"relay/relay/stream"
)

func TestWhatIsLentOfWhatWasIsAShareOfTheUpload(t *testing.T) {
	for _, c := range []struct {
		bps, upload int
		far, near   rate.Limit // bytes a second
	}{
		{6_000_000, 0, 187_500, 3_000_000}, // a quarter of the stream's rate, as the upload is not known
		{6_000_000, 40_000_000, 625_000, 3_000_000},
		{6_000_000, 800_000, recallLeast, 3_000_000},
		{0, 0, recallLeast, recallLeast}, // nothing has come yet
	} {
		h := newHistory()
		h.archive = &archive.Archive{}
		h.lend(time.Second, c.bps, c.upload, nil)
		if h.far.Limit() != c.far || h.near.Limit() != c.near {
			t.Errorf("%d and %d bit/s: %v and %v bytes a second", c.bps, c.upload, h.far.Limit(), h.near.Limit())
		}
	}
}

// TestWhatWasWaitsForWhatIsLive has a child take its turn at the pace of the share, and then while another child
// is behind, while it is behind itself, and while its link has something to say.
func TestWhatWasWaitsForWhatIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory()
		h.archive = &archive.Archive{}
		h.lend(0, 6_000_000, 40_000_000, nil)
		d := &downlink{link: newLink(1, [32]byte{1}, nil, false), ring: stream.NewRing(stream.Limits{}), started: time.Now()}
		turn := func() time.Duration {
			t.Helper()
			began := time.Now()
			if !h.turn(d, 16<<10) {
				t.Fatal("its turn does not come")
			}
			return time.Since(began)
		}
		began := time.Now()
		for range 100 {
			turn()
		}
		if got := float64(100*16<<10-recallBurst) / time.Since(began).Seconds(); got > 640_000 || got < 600_000 {
			t.Errorf("%.0f bytes a second are lent", got)
		}
		time.Sleep(time.Second)
		behind := childLoad{Caught: true, Backlog: keptUp + 1}
		h.lend(d.now(), 6_000_000, 40_000_000, []childLoad{{Caught: true}, behind})
		if got := turn(); got < recallPause {
			t.Errorf("it waits %v after another child was behind", got)
		}
		for range recallQueue {
			d.send(closing{})
		}
		time.AfterFunc(3*time.Second, func() { <-d.out })
		if got := turn(); got < 3*time.Second {
			t.Errorf("it waits %v while its link has something to say", got)
		}
		d.cancel(stream.ErrClosed)
		if h.turn(d, 1) {
			t.Error("its turn comes when the link has ended")
		}
	})
}

// TestAQuestionForWhatWasCosts has a child ask again and again for what nobody has.
func TestAQuestionForWhatWasCosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := archive.Open(t.TempDir(), stream.ChannelID{1}, archive.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		h := newHistory()
		h.archive = a
		h.lend(0, 6_000_000, 40_000_000, nil)
		d := &downlink{link: newLink(1, [32]byte{1}, nil, false), ring: stream.NewRing(stream.Limits{}), started: time.Now()}
		began := time.Now()
		for range 1000 {
			if h.answer(d, archive.Span{Before: stream.Position{Seq: 9}}) {
				t.Fatal("there is something")
			}
		}
		if took := time.Since(began); took < 50*time.Second {
			t.Errorf("1,000 questions are answered in %v", took)
		}
	})
}
