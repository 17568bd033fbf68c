package words

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"relay/ingest/rtmp"
	"relay/ingest/whip"
)

// Each refusal names the thing, where it is set, and the next step, once for all of its kind.
func TestWhoeverCanChangeItIsToldWhyAnEncoderIsTurnedAway(t *testing.T) {
	const server = "rtmp://127.0.0.1:1935/live"
	codes := make(map[string]bool)
	for _, why := range []error{rtmp.ErrDenied, rtmp.ErrBusy, rtmp.ErrTLS, rtmp.ErrHTTP} {
		w, ok := TurnedAway(errors.Join(fmt.Errorf("publish: %w", why), nil), server)
		if !ok || codes[w.Code] || !strings.Contains(w.Text, "turned away") || !strings.Contains(w.Hint, "OBS") {
			t.Errorf("%v: %t, %+v", why, ok, w)
		}
		codes[w.Code] = true
	}
	for why, told := range map[error]string{rtmp.ErrDenied: rtmp.ToldDenied, rtmp.ErrBusy: rtmp.ToldBusy} {
		if w, _ := TurnedAway(why, server); !strings.HasSuffix(w.Text, fmt.Sprintf("It was told: %q", told)) {
			t.Errorf("%v: it is not said what the encoder was told: %s", why, w.Text)
		}
	}
	const over = "http://127.0.0.1:7149/whip"
	for _, why := range []error{whip.ErrDenied, whip.ErrBusy, &whip.CodecError{Offered: "VP8"}, fmt.Errorf("run: %w", whip.ErrUnreached)} {
		w, ok := TurnedAway(why, over)
		if !ok || w.Hint == "" || strings.Contains(w.Hint, "rtmp") {
			t.Errorf("%v: %t, %+v", why, ok, w)
		}
	}
	if w, ok := TurnedAway(whip.ErrOffer, over); ok {
		t.Errorf("garbage with the key: %+v", w)
	}
	if w, ok := TurnedAway(errors.New("handshake: EOF"), server); ok {
		t.Errorf("a port scan: %+v", w)
	}
}

func TestThatAnEncoderIsTurnedAwayIsSaidOnceUntilOneIsLetIn(t *testing.T) {
	var turned Turned
	for i, c := range []struct {
		why      error
		sessions uint64
		fresh    bool
	}{
		{rtmp.ErrDenied, 0, true},
		{rtmp.ErrDenied, 0, false},
		{errors.New("a port scan"), 0, false},
		{rtmp.ErrBusy, 1, true}, // one has been let in
		{rtmp.ErrBusy, 1, false},
		{rtmp.ErrDenied, 1, true},
		{rtmp.ErrBusy, 1, false},
		{rtmp.ErrBusy, 2, true},
	} {
		if _, fresh := turned.Look(c.why, "rtmp://127.0.0.1:1935/live", c.sessions); fresh != c.fresh {
			t.Errorf("%d: %v in session %d: %t", i, c.why, c.sessions, fresh)
		}
	}
}
