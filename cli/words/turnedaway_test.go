package words

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"relay/ingest/rtmp"
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
	if w, ok := TurnedAway(errors.New("handshake: EOF"), server); ok {
		t.Errorf("a port scan: %+v", w)
	}
}
