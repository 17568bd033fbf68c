package playback

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"relay/playback/api"
)

const (
	textType = "text/plain; charset=utf-8"
	tooOften = "So much of what was has been asked for from your address, or from all, that this node has enough for the moment. Try again in some seconds."
	tooMany  = "This node has as many viewers as it may. Try again later, or raise its limit."
)

// notFound answers a request for a channel with the error of playable.
func notFound(w http.ResponseWriter, err error) {
	if err == errUnread {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	http.Error(w, err.Error()+" / lists the channels.", http.StatusNotFound)
}

// routes answers the requests of one run of a server; ctx ends with that run. Paths are
// told apart by their suffix, which [http.ServeMux] cannot do.
type routes struct {
	*Server
	ctx context.Context
}

func (s *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.page(w, r) {
		return
	}
	path := r.URL.Path
	name, serve := s.media(strings.TrimPrefix(path, "/"))
	switch {
	case path == "/":
		s.list(w, r)
	case path == "/healthz":
		w.Header().Set("Content-Type", textType)
		io.WriteString(w, "ok\n")
	case path == "/api/status" || path == "/api/tree":
		http.Error(w, "It is at "+apiPrefix+strings.TrimPrefix(path, "/api/")+" now.", http.StatusNotFound)
	case strings.HasPrefix(path, apiPrefix):
		s.v1(w, r)
	case strings.HasPrefix(path, hlsPrefix):
		s.hls(w, r)
	case serve != nil:
		c, err := playable(s.config.Channels(), name)
		if err != nil {
			notFound(w, err)
			return
		}
		serve(w, r, c)
	default:
		http.Error(w, "There is no such page. There are /, /<channel>.flv, .mp4, .ts, .m3u and .jpg, /hls/<channel>/index.m3u8, /api/v1/channels, /api/v1/share, /api/v1/tree, /api/v1/events and /healthz.", http.StatusNotFound)
	}
}

// media takes the suffix off a path and returns what serves a channel in that form,
// nil if there is no such form.
func (s *routes) media(path string) (name string, serve func(http.ResponseWriter, *http.Request, *Channel)) {
	if name, ok := strings.CutSuffix(path, m3uSuffix); ok {
		return name, s.m3u
	}
	if name, ok := strings.CutSuffix(path, thumbnailSuffix); ok {
		return name, s.thumbnail
	}
	name, f := formatOf(path)
	if f == nil {
		return path, nil
	}
	return name, func(w http.ResponseWriter, r *http.Request, c *Channel) { s.stream(w, r, c, f) }
}

func (s *routes) list(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", textType)
	channels := s.config.Channels()
	if len(channels) == 0 {
		io.WriteString(w, "No channel is open here.\n")
		return
	}
	var play, pass strings.Builder
	for _, c := range channels {
		state := api.StateOf(c.facts(), time.Now())
		if c.unread {
			fmt.Fprintf(&pass, "  %s  %s\n", c.id.Short(), state)
			continue
		}
		fmt.Fprintf(&play, "  %s  %s\n", address(r, c), state)
	}
	if play.Len() > 0 {
		io.WriteString(w, "Open one of these in a player:\n\n"+play.String())
	}
	if pass.Len() > 0 {
		io.WriteString(w, "Private, and passed on without being read; nothing here plays them:\n\n"+pass.String())
	}
}

// address returns where a player finds c, under the host that r names.
func address(r *http.Request, c *Channel) string { return base(r) + c.path() }

// base returns the listener's address as the client of r has it, without a slash at its end.
func base(r *http.Request) string { return callerOf(r).base }

// stream answers with the media of c. Their length is not known, and the answer ends with
// the connection, so ranges are not served.
func (s *routes) stream(w http.ResponseWriter, r *http.Request, c *Channel, f *format) {
	start, err := ParseStart(startFor(r, f))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	when, err := parseMoment(r.URL.Query().Get("at"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if b, ok := c.beginning(); ok {
		if err := f.check(b); err != nil {
			http.Error(w, "This stream cannot be had as "+f.suffix+": "+err.Error()+". Open "+address(r, c)+" in VLC, mpv or ffplay.", http.StatusUnsupportedMediaType)
			return
		}
	}
	tv := asTV(r, f)
	if tv && r.Header.Get("TimeSeekRange.dlna.org") != "" {
		http.Error(w, "This is live: there is nothing to seek in.", http.StatusNotAcceptable)
		return
	}
	if r.Method == http.MethodHead {
		w.Header().Set("Content-Type", mimeFor(f, tv))
		w.Header().Set("Connection", "close")
		w.Header().Set("Accept-Ranges", "none")
		if tv {
			for _, h := range tvHeaders {
				w.Header()[h[0]] = []string{h[1]} // TVs are said to want the letters as they are
			}
		}
		return
	}
	who := callerOf(r).addr
	switch {
	case when.present():
	case c.kept == nil:
		s.notRewound(w, c, errNotKept)
		return
	case r.URL.Query().Has("peek"):
		s.peek(w, r, c, f, when)
		return
	case !s.mayRewind(who, rewindCost):
		s.turnAway(w, r, c, RefusedRewind)
		return
	}
	leave, why := s.places.take(who, s.own(who))
	if leave == nil {
		s.turnAway(w, r, c, why)
		return
	}
	shift, err := c.rewind(when)
	if err != nil {
		leave()
		s.notRewound(w, c, err)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		leave()
		shift.close()
		http.Error(w, "This connection cannot carry media.", http.StatusInternalServerError)
		return
	}
	conn = bare(conn)
	addr := conn.RemoteAddr().String()
	if who.IsValid() && who != peerOf(r) {
		addr = who.String() // the proxy says for whom it asks
	}
	if shift != nil {
		w.Header().Set(beginsAt, strconv.FormatInt(shift.begins.UnixMilli(), 10))
	}
	v := &viewer{presence: presence{addr: addr, since: time.Now()}, start: start, form: f.Form, shift: shift}
	// In a goroutine of its own, since this one would keep net/http's buffers and its grown
	// stack. It ends with the viewer or with ctx, and Run waits for it.
	go s.hijacked(conn, c, v, streamHead(w, r, f), leave)
}

func (s *routes) hijacked(conn net.Conn, c *Channel, v *viewer, head []byte, leave func()) {
	defer leave()
	defer conn.Close()
	s.play(s.ctx, conn, c, v, head)
}

// notRewound answers who asked for a moment that there is not.
func (s *routes) notRewound(w http.ResponseWriter, c *Channel, err error) {
	if err == errNotKept {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	s.config.Log.Error("cannot read what is kept", zap.String("channel", c.id.Short()), zap.Error(err))
	http.Error(w, errDisk.Error(), http.StatusInternalServerError)
}

// play plays to a viewer who was admitted, and returns why it has ended.
func (s *Server) play(ctx context.Context, conn net.Conn, c *Channel, v *viewer, head []byte) reason {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer)
	}
	defer v.shift.close()
	c.join(&v.presence)
	v.batch = s.config.Batch
	why := v.play(ctx, conn, c, head)
	c.leave(&v.presence, why)
	if why == viewerStuck {
		s.refused.Add(RefusedStuck)
	}
	s.config.Log.Info("viewer gone",
		zap.String("channel", c.id.Short()),
		zap.String("addr", v.addr),
		zap.String("reason", why.text()),
		zap.Uint64("bytes", v.bytes.Load()),
		zap.Uint64("missed", v.missed.Load()),
		zap.Uint64("moves", v.moves.Load()))
	return why
}

// beginsAt tells a viewer who does not begin at present when the source made what comes first, in Unix
// milliseconds.
const beginsAt = "X-Begins-At"

// streamHead returns the head of the answer to r, in r's version of HTTP, with what w says of other
// sites and of where it begins.
func streamHead(w http.ResponseWriter, r *http.Request, f *format) []byte {
	proto := "HTTP/1.1"
	if !r.ProtoAtLeast(1, 1) {
		proto = "HTTP/1.0"
	}
	sites := ""
	for _, name := range []string{"Vary", allowOrigin, beginsAt} {
		if v := w.Header().Get(name); v != "" {
			sites += name + ": " + v + "\r\n"
		}
	}
	if asTV(r, f) {
		for _, h := range tvHeaders {
			sites += h[0] + ": " + h[1] + "\r\n"
		}
	}
	return fmt.Appendf(nil, "%s 200 OK\r\nContent-Type: %s\r\nCache-Control: no-store\r\nConnection: close\r\n"+
		"Accept-Ranges: none\r\nX-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n%sDate: %s\r\n\r\n",
		proto, mimeFor(f, asTV(r, f)), sites, time.Now().UTC().Format(http.TimeFormat))
}
