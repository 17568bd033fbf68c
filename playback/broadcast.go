package playback

import (
	"net/http"
	"strings"

	"relay/playback/api"
	"relay/playback/web"
	"relay/relay/refusal"
)

// BroadcastPath is where the page is that films and sends, where the node broadcasts.
const BroadcastPath = "/broadcast"

// Broadcaster takes what a page of this node films. It is asked by browsers on this machine alone, for pages of
// this node alone.
type Broadcaster interface {
	// Token is what a page has to give.
	Token() string
	// WebRTC reports whether pages may send over it whose browser does not encode for pages.
	WebRTC() bool
	// Refused counts the pages that it has not taken, by reason.
	Refused() map[refusal.Reason]uint64
	// ServeHTTP answers a request for a WebSocket. It ends with the request's context.
	http.Handler
}

// broadcastPage answers for [BroadcastPath].
func (s *routes) broadcastPage(w http.ResponseWriter, r *http.Request) {
	if s.broadcasts(w, r) {
		web.ServeBroadcast(w, r)
	}
}

// broadcast tells a page the token, and takes what it films.
func (s *routes) broadcast(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.broadcasts(w, r):
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		leave, _ := s.places.take(callerOf(r).addr, true)
		if leave == nil {
			http.Error(w, tooMany, http.StatusServiceUnavailable)
			return
		}
		defer leave()                                         // Run waits for it
		s.config.Broadcast.ServeHTTP(w, r.WithContext(s.ctx)) // the connection outlives the request
	default:
		writeJSON(w, api.Broadcast{Token: s.config.Broadcast.Token(), WebRTC: s.config.Broadcast.WebRTC()})
	}
}

// broadcasts reports whether who asks may broadcast here, and answers if not.
func (s *routes) broadcasts(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case s.config.Broadcast == nil:
		http.Error(w, "This node broadcasts nothing from a browser. “relay source” without an input does, and prints the address.", http.StatusNotFound)
	case !callerOf(r).here:
		http.Error(w, "Only a browser on the machine of the source broadcasts from here: open this page there, at http://127.0.0.1 and the port of this address.", http.StatusForbidden)
	default:
		return true
	}
	return false
}
