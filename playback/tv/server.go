package tv

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/playback"
	"relay/playback/api"
	"relay/relay/refusal"
)

// DefaultPort is the TCP port on which TVs read what there is.
const DefaultPort = 7150

const (
	// maxConns bounds the connections: a household of TVs, some of which keep theirs.
	maxConns = 64
	// maxBody bounds a request's body, in bytes: what TVs send has 1 KiB.
	maxBody = 16 << 10
	// lookEvery is how often it is looked whether a channel is there that TVs cannot play.
	lookEvery = 5 * time.Second
)

// Why a request is refused, besides what [playback] refuses.
const (
	refusedBody    refusal.Reason = "body"      // it is longer than maxBody, or no SOAP
	refusedSearch  refusal.Reason = "malformed" // a packet of SSDP makes no sense
	refusedFrom    refusal.Reason = "elsewhere" // it comes from no subnet of this machine's: an answer there may hit somebody else
	refusedTooMany refusal.Reason = "too_often" // more than one address may ask, or all together
	refusedPace    refusal.Reason = "flood"     // more packets came than are looked at
)

// Refusals lists those that there may be.
var Refusals = []refusal.Reason{
	playback.RefusedNetwork, playback.RefusedHost, playback.RefusedSite, playback.RefusedMethod,
	refusedBody, refusedSearch, refusedFrom, refusedTooMany, refusedPace,
}

// Config is what a [Server] needs.
type Config struct {
	Name  string // that TVs show
	Node  string // the node's ID: the server is the same to TVs from run to run
	Agent string // as in relay/1.2.3
	// Channels returns what the node carries. It must be safe for concurrent use.
	Channels func() []api.Channel
	// Players is where the channels are played. If it is bound to one address, TVs are sent there.
	Players netip.AddrPort
	// Near says whether an address is of this machine's own networks. It must be safe for concurrent use.
	Near func(netip.Addr) bool
	// Unfit is told once of each channel that is live and that TVs cannot play. It may be nil.
	Unfit      func(api.Channel)
	SSDPPort   uint16   // 1900 if 0
	Interfaces []string // to tell on; all that are up if empty, but for loopback
	Log        *zap.Logger
}

// Server tells TVs of the channels of one node.
type Server struct {
	cfg     Config
	id      string // uuid:…
	agent   string
	refused refusal.Counts

	mu    sync.Mutex
	items string          // what the newest list had, to tell when it changes
	ver   uint32          // how often it has
	unfit map[string]bool // IDs of channels that were told
}

// New returns a server for one [Server.Run].
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Unfit == nil {
		c.Unfit = func(api.Channel) {}
	}
	c.SSDPPort = cmp.Or(c.SSDPPort, ssdpPort)
	sum := sha256.Sum256([]byte("relay's media server of " + c.Node))
	return &Server{
		cfg: c, id: "uuid:" + uuid(sum[:]), unfit: make(map[string]bool),
		agent: runtime.GOOS + "/1 UPnP/1.0 DLNADOC/1.50 " + c.Agent,
	}
}

// uuid is the first 16 bytes of b as text, as a version 8 (RFC 9562).
func uuid(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Refused counts what was refused.
func (s *Server) Refused() map[refusal.Reason]uint64 { return s.refused.All(Refusals...) }

// Run serves on ln, which it closes, and tells of it, until ctx ends. It fails if TVs cannot be told, or if ln fails.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	var told error
	wg.Go(func() {
		defer cancel()
		told = s.tell(ctx, uint16(ln.Addr().(*net.TCPAddr).Port))
	})
	wg.Go(func() {
		look := time.NewTicker(lookEvery)
		defer look.Stop()
		for s.list(); ; s.list() {
			select {
			case <-look.C:
			case <-ctx.Done():
				return
			}
		}
	})
	l := playback.Listener{Handler: s, Most: maxConns, Own: s.cfg.Near, Cut: s.refused.Add, Log: s.cfg.Log}
	err := l.Run(ctx, ln)
	cancel()
	wg.Wait()
	return errors.Join(told, err)
}

// ServeHTTP answers TVs in this machine's own networks, under an address of it, and no pages of browsers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who, _, _ := playback.Proxies(nil).Asks(r)
	refuse := func(why refusal.Reason, code int, text string) {
		s.refused.Add(why)
		http.Error(w, text, code)
	}
	h := w.Header()
	h.Set("Server", s.agent)
	h.Set("X-Content-Type-Options", "nosniff")
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case !s.cfg.Near(who):
		refuse(playback.RefusedNetwork, http.StatusForbidden, "Only TVs in this machine's own networks are answered.")
		return
	case r.Host != "" && !isAddr(r.Host):
		refuse(playback.RefusedHost, http.StatusForbidden, "TVs ask under this machine's IP address.")
		return
	case r.Header.Get("Origin") != "" || site != "" && site != "none" && site != "same-origin":
		refuse(playback.RefusedSite, http.StatusForbidden, "This is for TVs, and not for pages.")
		return
	}
	switch path := r.URL.Path; r.Method {
	case http.MethodGet, http.MethodHead:
		text := ""
		switch path {
		case pathDevice:
			text = s.describe(r)
		case pathDirectory:
			text = directorySCPD
		case pathConnections:
			text = connectionsSCPD
		default:
			http.NotFound(w, r)
			return
		}
		reply(w, http.StatusOK, text)
	case http.MethodPost:
		s.post(w, r, path, refuse)
	case "SUBSCRIBE":
		// The SID says nothing, as nothing is kept of it and nothing is sent.
		var b [16]byte
		rand.Read(b[:])
		sid := cmp.Or(r.Header.Get("SID"), "uuid:"+uuid(b[:]))
		h.Set("SID", sid[:min(len(sid), 64)])
		h.Set("TIMEOUT", "Second-1800")
	case "UNSUBSCRIBE":
	default:
		h.Set("Allow", "GET, HEAD, POST")
		refuse(playback.RefusedMethod, http.StatusMethodNotAllowed, "TVs do not ask like that.")
	}
}

func (s *Server) post(w http.ResponseWriter, r *http.Request, path string, refuse func(refusal.Reason, int, string)) {
	acts := map[string]action{pathDirectory: s.directory, pathConnections: connections}[path]
	if acts == nil {
		http.NotFound(w, r)
		return
	}
	var c call
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if r.ContentLength > maxBody || err != nil {
		refuse(refusedBody, http.StatusRequestEntityTooLarge, "A request has 16 KiB at most, and comes within 5 s.")
		return
	}
	if c, err = parseCall(body); err != nil {
		refuse(refusedBody, http.StatusBadRequest, "This is no request of a TV's.")
		return
	}
	w.Header().Set("EXT", "")
	out, fault := acts(r, c)
	if fault != nil {
		reply(w, http.StatusInternalServerError, fault.text())
		return
	}
	reply(w, http.StatusOK, answer(path, c.name, out))
}

func reply(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	w.WriteHeader(code)
	io.WriteString(w, text) // the Listener's timeout bounds it
}

// isAddr reports whether a Host header has an address: a name may be that of a page which has made it lead here.
func isAddr(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// local is this machine's address by which r came.
func local(r *http.Request) netip.Addr {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
