package playback

import (
	"net/http"
	"strings"

	"relay/playback/web"
	"relay/relay/naming"
	"relay/relay/stream"
)

// page answers requests for the page's parts, and browsers that ask for the page itself,
// under / or under a channel's name. It reports whether it answered.
func (s *routes) page(w http.ResponseWriter, r *http.Request) bool {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, web.Prefix):
		web.ServePart(w, r)
	case path == embedPath:
		s.embed(w, r)
	case path == BroadcastPath:
		s.broadcastPage(w, r)
	case (path == "/" || channelName(strings.TrimPrefix(path, "/"))) && web.Wants(r):
		web.ServePage(w, r) // it says so itself if there is no such channel
	default:
		return false
	}
	return true
}

// channelName reports whether name could be a channel's ID or the start of one.
func channelName(name string) bool {
	return len(name) >= naming.ShortestID && name != "healthz" && "/"+name != embedPath && "/"+name != BroadcastPath && strings.Trim(name, stream.ChannelIDChars) == ""
}
