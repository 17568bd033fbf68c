package playback

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"relay/playback/api"
	"relay/playback/remux"
	"relay/relay/refusal"
)

const (
	hlsPrefix   = "/hls/"
	hlsPlaylist = "index.m3u8"
	// hlsIdle is how long nobody has to ask for a channel's HLS before it ends: several
	// times what a player waits between two requests.
	hlsIdle = 30 * time.Second
	// hlsQuiet is how long no media may come before players get what there is, in a segment
	// that is shorter than others.
	hlsQuiet = 2 * time.Second
	// hlsSlack is how much later than it should a player may ask again, and hlsLook how often
	// the end is waited for.
	hlsSlack = time.Second
	hlsLook  = 50 * time.Millisecond
)

// hlsRun makes HLS of one channel, for all who ask, as long as somebody does.
type hlsRun struct {
	presence // all who ask are one viewer, who gets what is sent to them together
	out      *remux.HLS
	asking   atomic.Int64              // requests that are being answered, or wait for the first segment
	asked    atomic.Int64              // when the newest was, nanoseconds after since: the wall clock may be set meanwhile
	over     atomic.Pointer[time.Time] // when the playlist has ended; nil before
	refusal  atomic.Pointer[error]     // why there is no playlist: the stream turned out to be none for HLS
}

// idle is how long nobody has asked.
func (h *hlsRun) idle(now time.Time) time.Duration {
	if h.asking.Load() > 0 {
		return 0
	}
	return now.Sub(h.since) - time.Duration(h.asked.Load())
}

func (h *hlsRun) serve(w http.ResponseWriter, r *http.Request, c *Channel) {
	h.asking.Add(1)
	defer h.asking.Add(-1)
	defer func() { h.asked.Store(int64(time.Since(h.since))) }()
	h.out.Wait(r.Context())
	if err := h.refusal.Load(); err != nil {
		refuseHLS(w, r, c, *err)
		return
	}
	h.out.ServeHTTP(&counted{w, &h.bytes}, r)
}

func refuseHLS(w http.ResponseWriter, r *http.Request, c *Channel, why error) {
	http.Error(w, fmt.Sprintf("This stream cannot be had as HLS: %v. Open %s in VLC, mpv or ffplay.", why, address(r, c)), http.StatusUnsupportedMediaType)
}

// hlsOf is what a run is of: a channel, from the present on or from a moment before, in Unix
// milliseconds.
type hlsOf struct {
	channel *Channel
	at      int64 // 0 for the present
}

// hlsRuns are the runs of a server, one at most for each channel and moment.
type hlsRuns struct {
	finish chan struct{} // closed when no more media will come

	mu sync.Mutex
	of map[hlsOf]*hlsRun
}

func newHLSRuns() *hlsRuns {
	return &hlsRuns{finish: make(chan struct{}), of: make(map[hlsOf]*hlsRun)}
}

// find returns the run, nil if there is none, or if the channel has gone on since it ended.
func (r *hlsRuns) find(of hlsOf) *hlsRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current(of)
}

// current is find with mu held.
func (r *hlsRuns) current(of hlsOf) *hlsRun {
	run := r.of[of]
	if run != nil {
		if over := run.over.Load(); over != nil && of.channel.facts().Came.After(*over) {
			return nil
		}
	}
	return run
}

// awaited reports whether a player may still ask for the end of a channel.
func (r *hlsRuns) awaited(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.of {
		if run.idle(now) <= run.out.Interval()+hlsSlack {
			return true
		}
	}
	return false
}

// Finish ends all HLS: no more media will come. It returns when whoever plays it has had the time
// to fetch the end, or when ctx ends. It must be called once.
func (s *Server) Finish(ctx context.Context) {
	close(s.runs.finish)
	look := time.NewTicker(hlsLook)
	defer look.Stop()
	for s.runs.awaited(time.Now()) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// remove forgets a run, unless another has its place.
func (r *hlsRuns) remove(of hlsOf, run *hlsRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of[of] == run {
		delete(r.of, of)
	}
}

// hls answers what is below /hls/<channel>/, and below /hls/<channel>/<moment>/ for who has asked for the
// playlist with ?at=.
func (s *routes) hls(w http.ResponseWriter, r *http.Request) {
	name, file, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, hlsPrefix), "/")
	c, err := playable(s.config.Channels(), name)
	switch {
	case err != nil:
		notFound(w, err)
		return
	case (file == hlsPlaylist || file == HLSMaster) && r.URL.Query().Get("at") != "":
		s.rewindHLS(w, r, c, file)
		return
	}
	of := hlsOf{channel: c}
	if moment, rest, deeper := strings.Cut(file, "/"); deeper {
		if at, err := strconv.ParseInt(moment, 10, 64); err == nil && at > 0 && c.kept != nil {
			of.at, file = at, rest
		}
	}
	if !ok || !remux.IsHLSName(file) {
		http.Error(w, "The playlist is at "+base(r)+c.hlsPath()+".", http.StatusNotFound)
		return
	}
	if b, ok := c.beginning(); ok && s.runs.find(of) == nil {
		if err := remux.CheckHLS(b); err != nil {
			refuseHLS(w, r, c, err)
			return
		}
	}
	run, why, err := s.runOf(of, callerOf(r).addr)
	switch {
	case err != nil:
		s.notRewound(w, c, err)
	case run == nil:
		s.turnAway(w, r, c, why)
	default:
		run.serve(w, r, c)
	}
}

// rewindHLS sends who asks for the playlist from a moment on to where it is. Whole seconds are one
// moment, for all who ask for it.
func (s *routes) rewindHLS(w http.ResponseWriter, r *http.Request, c *Channel, to string) {
	when, err := parseMoment(r.URL.Query().Get("at"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if c.kept == nil {
		s.notRewound(w, c, errNotKept)
		return
	}
	if at, ok := c.momentOf(when); ok {
		to = strconv.FormatInt(max(1, at.Truncate(time.Second).UnixMilli()), 10) + "/" + to
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, base(r)+hlsPrefix+c.id.Short()+"/"+to, http.StatusFound)
}

// counted adds up what is written of responses.
type counted struct {
	http.ResponseWriter
	bytes *atomic.Uint64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.bytes.Add(uint64(n))
	return n, err
}

// Unwrap is for [http.ResponseController].
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// runOf returns the run, and begins it if nobody has asked for a while. It says why who asks is
// turned away.
func (s *routes) runOf(of hlsOf, who netip.Addr) (*hlsRun, refusal.Reason, error) {
	s.runs.mu.Lock()
	defer s.runs.mu.Unlock()
	if run := s.runs.current(of); run != nil {
		return run, "", nil
	}
	own := true // it is for all who ask
	switch {
	case of.at == 0:
		who = netip.Addr{}
	case !s.mayRewind(who, rewindCost):
		return nil, RefusedRewind, nil
	default:
		own = s.own(who)
	}
	leave, why := s.places.take(who, own)
	if leave == nil {
		return nil, why, nil
	}
	c, f := of.channel, newFeed(of.channel.ring, true)
	var shift *timeshift
	if of.at != 0 {
		var err error
		if shift, err = c.rewind(moment{at: time.UnixMilli(of.at)}); err != nil {
			leave()
			return nil, "", err
		}
		if shift != nil {
			f.cursor = shift
		}
	}
	run := &hlsRun{presence: presence{addr: "HLS", since: time.Now()}, out: remux.NewHLS()}
	s.runs.of[of] = run
	go func() { // ends with ctx, or when nobody has asked for a while; Server.Run waits for it
		defer leave()
		defer run.out.Close()
		defer s.runs.remove(of, run)
		c.join(&run.presence)
		why, err := run.fill(s.ctx, c, f, s.runs.finish)
		shift.close()
		c.leave(&run.presence, why)
		s.config.Log.Info("HLS ended", zap.String("channel", c.id.Short()), zap.String("reason", why.text()), zap.Error(err))
		if why == notCarried && run.out.Interval() == 0 {
			run.refusal.Store(&err)
		}
		if err := run.out.End(); err != nil {
			s.config.Log.Info("HLS lacks its end", zap.String("channel", c.id.Short()), zap.Error(err))
		}
		over := time.Now()
		run.over.Store(&over)
		run.linger(s.ctx)
	}()
	return run, "", nil
}

// fill moves the channel's media from a feed into the run, and says why that has ended: at the latest when
// finish is closed and there are no more.
func (h *hlsRun) fill(ctx context.Context, c *Channel, f *feed, finish <-chan struct{}) (reason, error) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	came := time.Now()
	for {
		last := closed(finish) // what comes with it is in the ring already
		batch, wait, err := f.next()
		if err != nil {
			return channelEnded, err
		}
		if len(batch.Parts) > 0 {
			h.gap(f.cursor)
			came = time.Now()
			if _, past := f.cursor.(*timeshift); past {
				h.out.Date(f.made)
			}
			if err := h.out.Write(batch); err != nil {
				return notCarried, err
			}
			wait = ready
		} else if last {
			return channelEnded, nil
		}
		select {
		case <-wait:
		case <-finish:
		case <-ctx.Done():
			return nodeClosing, nil
		case now := <-look.C:
			if h.idle(now) > hlsIdle {
				return nobodyAsks, nil
			}
			if now.Sub(came) < hlsQuiet {
				continue
			}
			if err := h.out.Cut(); err != nil {
				return notCarried, err
			}
			if h.out.Interval() > 0 && c.state(now) == api.Ended { // an end without a beginning is of no use to a player
				return channelEnded, nil
			}
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// linger keeps what there is, until nobody has asked for it for a while.
func (h *hlsRun) linger(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for h.idle(time.Now()) <= hlsIdle {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// ready is closed.
var ready = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// hlsPath is where the channel's playlist is.
func (c *Channel) hlsPath() string { return hlsPrefix + c.id.Short() + "/" + hlsPlaylist }

// HLSMaster is the file that names the playlist and says what is in it, for players that want to know before they load it.
const HLSMaster = remux.HLSMaster
