package playback

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"relay/playback/remux"
)

const (
	hlsPrefix = "/hls/"
	// hlsIdle is how long nobody has to ask for a channel's HLS before it ends: several
	// times what a player waits between two requests.
	hlsIdle = 30 * time.Second
)

// hlsRun makes HLS of one channel, for all who ask, as long as somebody does.
type hlsRun struct {
	presence // all who ask are one viewer, who gets what is sent to them together
	out      *remux.HLS
	asked    atomic.Int64 // when, Unix nanoseconds
}

// hlsRuns are the runs of a server, one at most for each channel.
type hlsRuns struct {
	mu sync.Mutex
	of map[*Channel]*hlsRun
}

func (r *hlsRuns) has(c *Channel) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[c] != nil
}

// hls answers what is below /hls/<channel>/.
func (s *routes) hls(w http.ResponseWriter, r *http.Request) {
	name, file, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, hlsPrefix), "/")
	c, err := find(s.config.Channels(), name)
	switch {
	case err != nil:
		notFound(w, err)
		return
	case !ok || file == "" || strings.Contains(file, "/"):
		http.Error(w, "The playlist is at "+base(r)+c.hlsPath()+".", http.StatusNotFound)
		return
	}
	if b, ok := c.beginning(); ok && !s.runs.has(c) {
		if err := remux.CheckHLS(b); err != nil {
			http.Error(w, fmt.Sprintf("This stream cannot be had as HLS: %v. Open %s in VLC, mpv or ffplay.", err, address(r, c)), http.StatusUnsupportedMediaType)
			return
		}
	}
	run, ok := s.hlsOf(c)
	if !ok {
		s.full(c, r.RemoteAddr)
		http.Error(w, tooMany, http.StatusServiceUnavailable)
		return
	}
	run.asked.Store(time.Now().UnixNano())
	run.out.ServeHTTP(&counted{w, &run.bytes}, r)
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

// hlsOf returns the channel's run, and begins it if nobody has asked for a while. It
// reports false if there are as many viewers as may be.
func (s *routes) hlsOf(c *Channel) (*hlsRun, bool) {
	s.runs.mu.Lock()
	defer s.runs.mu.Unlock()
	if run := s.runs.of[c]; run != nil {
		return run, true
	}
	if !s.admit() {
		return nil, false
	}
	run := &hlsRun{presence: presence{addr: "HLS", since: time.Now()}, out: remux.NewHLS()}
	run.asked.Store(time.Now().UnixNano())
	if s.runs.of == nil {
		s.runs.of = make(map[*Channel]*hlsRun)
	}
	s.runs.of[c] = run
	go func() { // ends with ctx, the channel, or when nobody has asked for a while; Server.Run waits for it
		defer s.release()
		c.join(&run.presence)
		why, err := run.fill(s.ctx, c)
		c.leave(&run.presence, why)
		s.runs.mu.Lock()
		delete(s.runs.of, c)
		s.runs.mu.Unlock()
		run.out.Close()
		s.config.Log.Info("HLS ended", zap.String("channel", c.id.Short()), zap.String("reason", why.text()), zap.Error(err))
	}()
	return run, true
}

// fill moves the channel's media into the run, and says why that has ended.
func (h *hlsRun) fill(ctx context.Context, c *Channel) (reason, error) {
	f := newFeed(c.ring, GOP)
	idle := time.NewTicker(time.Second)
	defer idle.Stop()
	for {
		batch, wait, err := f.next()
		if err != nil {
			return channelEnded, err
		}
		if len(batch.Parts) > 0 {
			h.gap(f.cursor)
			if err := h.out.Write(batch); err != nil {
				return notCarried, err
			}
			wait = ready
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nodeClosing, nil
		case now := <-idle.C:
			if now.Sub(time.Unix(0, h.asked.Load())) > hlsIdle {
				return nobodyAsks, nil
			}
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
func (c *Channel) hlsPath() string { return hlsPrefix + c.id.Short() + "/index.m3u8" }
