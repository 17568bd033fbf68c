package admin

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"relay/playback"
)

// FreshFor is how long media may not have come for a channel to count as live: longer
// than any encoder pauses, shorter than viewers stay.
const FreshFor = 5 * time.Second

func fresh(now, came time.Time) bool { return !came.IsZero() && now.Sub(came) < FreshFor }

// Health is a channel as readiness looks at it.
type Health struct {
	Channel string         // the ID's short form
	State   playback.State // as the status shows it
	Source  bool           // this node is the channel's source
	Came    time.Time      // the newest chunk; zero if there was none
}

// ready answers 200 if a channel has had media within FreshFor, else 503 with the
// reason for each. ?channel=ID asks about one, ?all=1 wants media in all.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	q := r.URL.Query()
	ok, text := readiness(time.Now(), s.config.Health(), strings.ToLower(q.Get("channel")), q.Get("all") != "")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	io.WriteString(w, text)
}

// readiness says in words how the channels do: those whose name begins like that.
func readiness(now time.Time, channels []Health, name string, all bool) (ok bool, text string) {
	var b strings.Builder
	live, asked := 0, 0
	for _, h := range channels {
		if !strings.HasPrefix(name, h.Channel) && !strings.HasPrefix(h.Channel, name) {
			continue
		}
		asked++
		if fresh(now, h.Came) {
			live++
			fmt.Fprintf(&b, "channel %s: live\n", h.Channel)
			continue
		}
		fmt.Fprintf(&b, "channel %s: %s\n", h.Channel, h.trouble(now))
	}
	switch {
	case asked == 0 && name != "":
		return false, "not ready: there is no such channel here\n"
	case asked == 0:
		return false, "not ready: no channel is open here\n"
	case live == 0, all && live < asked:
		return false, "not ready\n" + b.String()
	}
	return true, "ready\n" + b.String()
}

// trouble says why no media come.
func (h Health) trouble(now time.Time) string {
	lost := h.State == playback.Reconnecting || h.State == playback.Ended
	switch {
	case h.Came.IsZero() && h.Source:
		return "no media yet, no encoder has sent any"
	case h.Came.IsZero():
		return "no media yet, none came from the other nodes"
	case h.Source:
		return fmt.Sprintf("no media for %.0f s, the encoder has stopped or is stuck", now.Sub(h.Came).Seconds())
	case lost:
		return fmt.Sprintf("no media for %.0f s, the parent or the source's encoder is lost", now.Sub(h.Came).Seconds())
	}
	return fmt.Sprintf("no media for %.0f s", now.Sub(h.Came).Seconds())
}
