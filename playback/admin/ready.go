package admin

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"relay/playback/api"
)

// ready answers 200 if a channel has had media within [api.FreshFor], else 503 with each
// channel's reason. ?channel=ID asks about one, ?all=1 asks for media in all.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	q := r.URL.Query()
	ok, text := readiness(time.Now(), s.config.Channels(), strings.ToLower(q.Get("channel")), q.Get("all") != "")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	io.WriteString(w, text)
}

// readiness says in words how those channels are doing whose name begins with name. A
// channel that has just lost its parent or its encoder is ready as long as its media are
// fresh, though it is not live.
func readiness(now time.Time, channels []api.ChannelStatus, name string, all bool) (ok bool, text string) {
	var b strings.Builder
	fresh, asked := 0, 0
	for _, c := range channels {
		if !strings.HasPrefix(name, c.Name) && !strings.HasPrefix(c.Name, name) {
			continue
		}
		asked++
		text := trouble(c, now)
		if api.Fresh(c.Came, now) {
			fresh++
			text = string(c.State)
		}
		fmt.Fprintf(&b, "channel %s: %s\n", c.Name, text)
	}
	switch {
	case asked == 0 && name != "":
		return false, "not ready: there is no such channel here\n"
	case asked == 0:
		return false, "not ready: no channel is open here\n"
	case fresh == 0, all && fresh < asked:
		return false, "not ready\n" + b.String()
	}
	return true, "ready\n" + b.String()
}

// why is what each situation says of media that do not come.
var why = map[api.SituationName]string{
	api.Looking:      "no node of the channel has answered",
	api.Full:         "the nodes of the channel have no room",
	api.Unknown:      "a node that was asked does not carry the channel, or knows another secret",
	api.Recording:    "what is offered is not live",
	api.Refused:      "the nodes of the channel let this one not in",
	api.Waits:        "no encoder has sent any",
	api.Starting:     "the first are on their way",
	api.OnAir:        "the newest that came were old",
	api.Paused:       "the encoder has stopped",
	api.Stuck:        "the encoder is connected and sends nothing",
	api.Reconnects:   "the parent is lost",
	api.SourceAway:   "the source has gone",
	api.Over:         "the broadcast has ended",
	api.Disconnected: "this machine has no network",
	api.ClosedHere:   "the channel is closed here",
}

// trouble says why no media are coming.
func trouble(c api.ChannelStatus, now time.Time) string {
	silent := now.Sub(c.Came).Seconds()
	switch {
	case c.Came.IsZero():
		return "no media yet, " + why[c.Situation.Name]
	}
	return fmt.Sprintf("no media for %.0f s, %s", silent, why[c.Situation.Name])
}
