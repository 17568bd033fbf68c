package listed

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"relay/playback/directory"
	"relay/relay/refusal"
)

// A source is told in words of each reason for which it may not be listed, and of those that a later version has.
func TestEachReasonHasItsSentence(t *testing.T) {
	at := &url.URL{Scheme: "https", Host: "dir.example"}
	notForSources := []refusal.Reason{directory.RefusedMethod, directory.RefusedReading, directory.RefusedReplayed}
	seen := map[string]bool{}
	for _, why := range append([]refusal.Reason{"of_tomorrow"}, directory.Refusals...) {
		w := Not(at, &directory.RefusedError{Why: why, Now: time.Unix(1796001012, 0)})
		if !strings.Contains(w.Text, "dir.example") || w.Hint == "" || strings.Contains(w.Text, "%!") || strings.Contains(w.Text, string(why)+":") {
			t.Errorf("%s: %+v", why, w)
		}
		known := false
		for _, n := range notForSources {
			known = known || n == why
		}
		if seen[w.Text] && !known {
			t.Errorf("%s is told as another one is: %s", why, w.Text)
		}
		seen[w.Text] = true
	}
	if w := Not(at, &directory.RefusedError{Why: directory.RefusedClock, Now: time.Unix(1796001012, 0)}); !strings.Contains(w.Text, "2026-11-30 01:10:12 UTC") {
		t.Error(w.Text)
	}
	for _, err := range []error{directory.ErrNoDirectory, directory.ErrElsewhere, directory.ErrUnending, &directory.StatusError{Code: 502}, context.DeadlineExceeded, errors.New("something")} {
		if w := Not(at, err); !strings.Contains(w.Text, "dir.example") || strings.Contains(w.Text, "context") {
			t.Errorf("%v: %+v", err, w)
		}
	}
}
