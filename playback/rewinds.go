package playback

import (
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"relay/relay/quota"
	"relay/relay/refusal"
)

// What was costs more than what comes: it is read from the disk, and verified anew, for each who asks. In
// milliseconds of a core, about, at 6 Mb/s:
const (
	rewindCost = 40 // the ten seconds that a viewer gets at once
	peekCost   = 2  // a picture
)

// What strangers may have of that, each of them and all, a second and at once. The page asks for a few pictures and one
// beginning a second while somebody looks for something. This machine's own networks are not bounded.
const (
	rewindRate, rewindBurst       = 80, 2000
	rewindRateAll, rewindBurstAll = 250, 5000
)

// rewinds bounds what those who ask for what was may cost. It is safe for concurrent use.
type rewinds struct {
	each quota.Addrs
	all  *rate.Limiter
}

func newRewinds() rewinds {
	return rewinds{quota.Addrs{Rate: rewindRate, Burst: rewindBurst}, rate.NewLimiter(rewindRateAll, rewindBurstAll)}
}

// mayRewind reports whether who asks for what was may cost so much, and counts that if so.
func (s *Server) mayRewind(who netip.Addr, cost int) bool {
	now := time.Now()
	return s.own(who) || s.rewinds.each.Allow(now, who, cost) && s.rewinds.all.AllowN(now, cost)
}

// turnAway answers whoever is not let in.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, c *Channel, why refusal.Reason) {
	s.full(c, r.RemoteAddr, why)
	if why == RefusedRewind {
		w.Header().Set("Retry-After", "5") // seconds
		http.Error(w, tooOften, http.StatusTooManyRequests)
		return
	}
	http.Error(w, tooMany, http.StatusServiceUnavailable)
}
