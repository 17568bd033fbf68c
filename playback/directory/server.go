package directory

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"relay/playback"
	"relay/relay/budget"
	"relay/relay/hostnet"
	"relay/relay/refusal"
	"relay/relay/stream"
)

const (
	// DefaultPort is the TCP port of a directory.
	DefaultPort = 7148
	// maxConns bounds the connections, which last as long as a request: one more has another give way.
	maxConns = 512
	// announceGap is how long after an announcement of a channel the next one is taken.
	announceGap = time.Minute
	// returnGap is likewise for one that was taken off the list meanwhile: its source has been started again.
	returnGap = 5 * time.Second
	// newPerAddress is how many channels an address (an IPv6 /64 counts as one) may bring to the list in an hour, and
	// newPerPrefix its neighbourhood (/24, /48). Those that are on the list from there already do not count: each is announced
	// twice in TTL.
	newPerAddress = 10
	newPerPrefix  = 40
	// silentRate and silentBurst bound dial-backs to one address at which nobody has answered, as those of nodes are.
	silentRate  = 0.1
	silentBurst = 8
	// readRate and readBurst bound the lists that one address is given, each of pageBytes at most.
	readRate  = 2
	readBurst = 400
	// remembered bounds the addresses of each of these.
	remembered = 16 << 10
	// pageMost bounds the channels in one answer, and pageBytes about what they have in bytes: a slow line reads that
	// in playback.AnswerTimeout.
	pageMost  = 1000
	pageBytes = 1 << 20
)

// Config is what a [Server] needs. Probe is required.
type Config struct {
	Title   string // of the list; cleaned
	Probe   Probe
	Most    int              // channels; MaxEntries if 0
	Proxies playback.Proxies // that are believed
	Lists   *Moderation      // nil for all
	Mirrors []*url.URL       // of other directories, whose channels are listed here, too
	// MirroredAt are other directories that list the channels of this one. Those who announce here are told, and announce there
	// while this one is gone.
	MirroredAt []*url.URL
	// Mirror replaces how they are asked; nil for a client of its own.
	Mirror http.RoundTripper
	// Dial replaces net.Dialer in tests, and Near this machine's own networks.
	Dial Dial
	Near near
	// Trouble is told what goes wrong and when that is over, once each. It may be nil.
	Trouble func(Trouble)
	Log     *zap.Logger // none if nil
}

// Trouble is what goes wrong with something that a directory reads, or is over if Err is nil.
type Trouble struct {
	Mirror string // the address of another directory; or
	Files  bool   // of the moderation
	Err    error
}

// Server is one directory. Its routes:
//
//	POST /api/v1/announce   an announcement; its signature is in the header Relay-Signature
//	GET  /api/v1/channels   the list in JSON, signed bodies and all; see [Server.list]
//	GET  /api/v1/status     counts
//	GET  /index.txt         those that PeerCast programs can get, in their form
//	GET  /feed.atom         those that went live
//	GET  /                  a page for people
//	GET  /style.css         its looks
//	GET  /healthz           "ok"
type Server struct {
	cfg     Config
	book    *book
	refused refusal.Counts
	mux     *http.ServeMux
	probing chan struct{} // holds one for each announcement that is dialled back
	mirrors []*mirror
	// mirroredAt is that of Config, as text.
	mirroredAt []string

	mu       sync.Mutex
	address  budget.Budgets[netip.Prefix] // new channels
	prefix   budget.Budgets[netip.Prefix]
	silent   budget.Budgets[netip.Prefix] // dial-backs in vain
	reading  budget.Budgets[netip.Prefix]
	underway map[stream.ChannelID]bool // being dialled back
}

// NewServer returns a server for one [Server.Run].
func NewServer(cfg Config) *Server {
	if cfg.Most <= 0 {
		cfg.Most = MaxEntries
	}
	if cfg.Lists == nil {
		cfg.Lists = &Moderation{}
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	if cfg.Near == nil {
		cfg.Near = &hostnet.Subnets{}
	}
	if cfg.Trouble == nil {
		cfg.Trouble = func(Trouble) {}
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	const hour = 3600.0
	s := &Server{
		cfg: cfg, book: newBook(cfg.Most), probing: make(chan struct{}, probesAtOnce), underway: make(map[stream.ChannelID]bool),
		address: budget.Budgets[netip.Prefix]{Rate: newPerAddress / hour, Burst: newPerAddress, Most: remembered},
		prefix:  budget.Budgets[netip.Prefix]{Rate: newPerPrefix / hour, Burst: newPerPrefix, Most: remembered},
		silent:  budget.Budgets[netip.Prefix]{Rate: silentRate, Burst: silentBurst, Most: remembered},
		reading: budget.Budgets[netip.Prefix]{Rate: readRate, Burst: readBurst, Most: remembered},
	}
	for _, u := range cfg.Mirrors {
		s.mirrors = append(s.mirrors, newMirror(s, u))
	}
	for _, u := range cfg.MirroredAt {
		s.mirroredAt = append(s.mirroredAt, u.Redacted())
	}
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("POST "+announcePath, s.announce)
	s.mux.HandleFunc("GET "+channelsPath, s.list)
	s.mux.HandleFunc("GET "+statusPath, s.status)
	s.mux.HandleFunc("GET "+indexPath, s.index)
	s.mux.HandleFunc("GET /feed.atom", s.feed)
	s.mux.HandleFunc("GET /style.css", style)
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok") })
	s.mux.HandleFunc("GET /{$}", s.page)
	return s
}

// Where a directory has what programs ask for, below its address.
const (
	announcePath = "/api/v1/announce"
	channelsPath = "/api/v1/channels"
	indexPath    = "/index.txt"
	statusPath   = "/api/v1/status"
)

// Run serves on ln, which it closes, until ctx ends, and then returns nil; before that it returns only if ln fails.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var tending sync.WaitGroup
	defer tending.Wait()
	defer cancel()
	tending.Go(func() { s.Tend(ctx) })
	l := playback.Listener{
		Handler: s, Most: maxConns, Cut: s.refused.Add, Log: s.cfg.Log,
		Own: func(a netip.Addr) bool { return s.cfg.Near.Near(time.Now(), a) },
	}
	return l.Run(ctx, ln)
}

// Tend follows mirrors and files, and forgets what is over, until ctx ends. Run does it.
func (s *Server) Tend(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, m := range s.mirrors {
		all.Go(func() { m.follow(ctx) })
	}
	failing := false
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for swept := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-look.C:
			changed, err := s.cfg.Lists.Load()
			if failing != (err != nil) {
				failing = err != nil
				s.cfg.Trouble(Trouble{Files: true, Err: err})
			}
			if changed || now.Sub(swept) >= sweepEvery {
				swept = now
				s.book.tidy(now, s.cfg.Lists.Lists)
			}
		}
	}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if r.Method != http.MethodGet && r.Method != http.MethodHead && (r.Method != http.MethodPost || r.URL.Path != announcePath) {
		s.refused.Add(RefusedMethod)
		h.Set("Allow", "GET, HEAD")
		text(w, http.StatusMethodNotAllowed, "Only GET and HEAD are answered here, and a POST of an announcement at "+announcePath+".")
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Counts returns how often something was refused, by reason.
func (s *Server) Counts() map[refusal.Reason]uint64 { return s.refused.All(Refusals...) }

// asker is who asks.
type asker struct {
	addr netip.Addr // zero if a proxy asks that is not trusted
	here bool       // a program on this machine
	base string     // the directory's address as it has it, without a slash at its end
}

func (s *Server) asker(r *http.Request) (a asker) {
	a.addr, a.here, a.base = s.cfg.Proxies.Asks(r)
	return a
}

// mayRead bounds what one address reads, and answers who may not.
func (s *Server) mayRead(w http.ResponseWriter, r *http.Request) bool {
	who := s.asker(r)
	if who.here {
		return true
	}
	one, _ := hostnet.Counted(who.addr)
	s.mu.Lock()
	ok := s.reading.Spend(time.Now(), one)
	s.mu.Unlock()
	if !ok {
		s.refused.Add(RefusedReading)
		w.Header().Set("Retry-After", "1")
		text(w, http.StatusTooManyRequests, "Your address asks for more than this directory gives one. Ask again in a few seconds.")
	}
	return ok
}

func text(w http.ResponseWriter, code int, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(s + "\n")) // whoever asks has gone
}

// answerJSON writes v.
func answerJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // whoever asks has gone
}

// Listed is one channel in a list, as programs get it.
type Listed struct {
	Body    string `json:"body"` // what is signed, byte for byte
	Sig     []byte `json:"sig"`
	Checked Places `json:"checked,omitempty"` // where this directory has reached the channel
}

// Places are addresses as JSON has them.
type Places []netip.AddrPort

// Page is a part of a list, as programs get it.
type Page struct {
	Title    string   `json:"title,omitempty"`
	Now      int64    `json:"now"`   // Unix ms by the directory's clock
	Total    int      `json:"total"` // how many there are, of those that were asked for
	Next     string   `json:"next"`  // what to ask for by after= or page=; "" if this is the end
	Channels []Listed `json:"channels"`
}

// list answers with a part of the list.
//
//	(nothing)     all, in the order of their IDs, with those that went off the list of late; after=ID goes on
//	since=MS      of these, those that came to this directory after that moment by its clock
//	order=crowd   those that are listed, live ones first, then by how many listen; page=N goes on
//	q=WORDS       of these, those with all the words in their texts or their ID
//	most=N        so many at most
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	if !s.mayRead(w, r) {
		return
	}
	q, now := r.URL.Query(), time.Now()
	most := pageMost
	if n, err := strconv.Atoi(q.Get("most")); err == nil && n > 0 {
		most = min(n, pageMost)
	}
	sh := s.book.shelf(now)
	p := Page{Title: s.cfg.Title, Now: now.UnixMilli(), Channels: []Listed{}}
	if q.Get("order") == "crowd" || q.Get("q") != "" {
		found := sh.search(q.Get("q"))
		p.Total = len(found)
		from := pageOf(q.Get("page")) * most
		for i := from; i < len(found) && i < from+most; i++ {
			p.Channels = append(p.Channels, listed(found[i]))
		}
		if from+most < len(found) {
			p.Next = strconv.Itoa(from/most + 1)
		}
		answerJSON(w, http.StatusOK, p)
		return
	}
	rest, size := sh.byID, 0
	p.Total = len(rest)
	if id, err := stream.ParseChannelID(q.Get("after")); err == nil {
		rest = sh.after(id)
	}
	since, _ := strconv.ParseInt(q.Get("since"), 10, 64)
	p.Now = sh.at.UnixMilli() // what came after that is not on the shelf
	for i, e := range rest {
		if e.Taken.UnixMilli() < since || !now.Before(e.Until()) {
			continue
		}
		if len(p.Channels) == most || size >= pageBytes {
			p.Next = rest[i-1].ID.String()
			break
		}
		p.Channels = append(p.Channels, listed(e))
		size += len(e.Body) + 128
	}
	answerJSON(w, http.StatusOK, p)
}

// maxPage bounds what page= may say.
const maxPage = 1 << 20

// pageOf reads the number of a page, from 0 on.
func pageOf(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxPage {
		return 0
	}
	return n
}

func listed(e *Entry) Listed { return Listed{e.Body, e.Sig[:], e.Checked} }

// Status is how a directory is doing.
type Status struct {
	Title     string                    `json:"title,omitempty"`
	Channels  int                       `json:"channels"`
	Listeners int                       `json:"listeners"`
	Mirrors   []MirrorStatus            `json:"mirrors"`
	Refused   map[refusal.Reason]uint64 `json:"refused"`
}

// Status returns how the directory is doing.
func (s *Server) Status() Status {
	sh := s.book.shelf(time.Now())
	st := Status{Title: s.cfg.Title, Channels: len(sh.byCrowd), Listeners: sh.listeners, Refused: s.Counts(), Mirrors: []MirrorStatus{}}
	for _, m := range s.mirrors {
		st.Mirrors = append(st.Mirrors, m.status())
	}
	return st
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	if s.mayRead(w, r) {
		answerJSON(w, http.StatusOK, s.Status())
	}
}
