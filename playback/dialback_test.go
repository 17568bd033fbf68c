package playback

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"relay/playback/api"
	"relay/relay/stream"
)

// Others are asked to dial this machine on its own user's word alone.
func TestOnlyThisMachineHasItselfDialled(t *testing.T) {
	src := newSource(t, stream.Limits{})
	asked := 0
	var err error
	s := NewServer(Config{
		Channels: list(NewChannel(src.id, src.ring, func() api.Facts { return api.Facts{} })),
		DialBack: func(context.Context, stream.ChannelID) ([]api.DialBack, error) {
			asked++
			return []api.DialBack{{By: "198.51.100.1:7144"}}, err
		},
	})
	const path = "/api/v1/dialback"
	if w := answer(t, s, "198.51.100.9:1", path); w.Code != http.StatusForbidden || asked != 0 {
		t.Errorf("a stranger gets %d %s, and others were asked %d times", w.Code, w.Body, asked)
	}
	if w := answer(t, s, "127.0.0.1:1", path); w.Code != http.StatusOK || asked != 1 || !strings.Contains(w.Body.String(), `"by": "198.51.100.1:7144"`) {
		t.Errorf("this machine gets %d %s", w.Code, w.Body)
	}
	err = errors.New("it takes no links")
	if w := answer(t, s, "127.0.0.1:1", path); !strings.Contains(w.Body.String(), `"problem": "it takes no links`) {
		t.Errorf("a problem is told as %s", w.Body)
	}
}
