package directory

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"relay/relay/hostnet"
	"relay/relay/refusal"
)

const (
	// signatureHeader has the signature of the body of a POST, in base64 (RFC 4648 §4). A page of another site cannot
	// have a browser send it without asking first, which nobody answers.
	signatureHeader = "Relay-Signature"
	// paddingHeader makes up the bytes that a request lacks to pay for the dial-back; what it says does not matter.
	paddingHeader = "Relay-Padding"
	// RequestBytes is what a request has at least, of the body and the headers' values: what two places that do not
	// answer are sent at most (relay.MostUnanswered). As for QUIC (RFC 9000 §8.1), nobody is sent more than came for it.
	RequestBytes = 4 << 10
)

// Answer is what an announcement gets.
type Answer struct {
	Title   string         `json:"title,omitempty"`   // of the directory
	Checked Places         `json:"checked,omitempty"` // where it has reached the channel
	Error   refusal.Reason `json:"error,omitempty"`   // why it is not listed
	Text    string         `json:"text,omitempty"`    // the same for people
	Now     int64          `json:"now"`               // Unix ms by the directory's clock
	WaitS   int            `json:"wait_s,omitempty"`  // when to try again, if that may help
	Mirrors []string       `json:"mirrors,omitempty"` // other directories that list what is listed here
}

// no is why an announcement is not taken.
type no struct {
	why  refusal.Reason
	code int
	text string
	wait time.Duration
}

// announce takes an announcement, or says why not. What costs little is looked at first.
func (s *Server) announce(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	e, no := s.take(w, r, now)
	a := Answer{Title: s.cfg.Title, Now: now.UnixMilli()}
	if no == nil {
		a.Checked, a.Mirrors = e.Checked, s.mirroredAt
		answerJSON(w, http.StatusOK, a)
		return
	}
	s.refused.Add(no.why)
	a.Error, a.Text = no.why, no.text
	if no.wait > 0 {
		a.WaitS = int((no.wait + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(a.WaitS))
	}
	answerJSON(w, no.code, a)
}

func (s *Server) take(w http.ResponseWriter, r *http.Request, now time.Time) (*Entry, *no) {
	e, no := s.read(w, r, now)
	if no != nil {
		return nil, no
	}
	who := s.asker(r)
	one, prefix := hostnet.Counted(who.addr)
	from := Source{Prefix: prefix}
	was := s.book.get(now, e.ID)
	switch {
	case was != nil && e.Seq <= was.Seq:
		return nil, &noReplayed
	case e.Gone():
		if why := s.book.put(now, e, from); why != "" {
			return nil, &noReplayed
		}
		return e, nil
	case was != nil && now.Sub(was.announced) < gapBehind(was): // what a mirror has told meanwhile does not count
		return nil, wait(RefusedOften, http.StatusTooManyRequests, gapBehind(was)-now.Sub(was.announced), "A channel is announced once a minute at most.")
	case !who.addr.IsValid():
		return nil, &noProxy
	}
	places := slices.DeleteFunc(slices.Clone(e.Places), func(at netip.AddrPort) bool { return !mayDial(s.cfg.Near, now, who, at) })
	if len(places) == 0 {
		return nil, &noPlaces
	}
	places, no = s.pay(now, who, one, prefix, was, e, toTry(places))
	if no != nil {
		return nil, no
	}
	defer s.done(e)
	select {
	case s.probing <- struct{}{}:
		defer func() { <-s.probing }()
	default:
		return nil, wait(RefusedBusy, http.StatusServiceUnavailable, 10*time.Second, "As many channels are being tried as this directory tries at a time.")
	}
	m := &meter{dial: s.cfg.Dial}
	m.left.Store(int64(paid(r, len(e.Body))))
	p := probeAll(r.Context(), s.cfg.Probe, e.ID, places, m)
	s.settle(now, p.checked)
	switch {
	case len(p.checked) > 0:
	case errors.Is(p.err, ErrOther):
		return nil, &noOther
	case errors.Is(p.err, errMeter):
		return nil, &noShort
	default:
		return nil, &noDead
	}
	for _, at := range e.Places { // another port of the same machine is as good
		if !slices.Contains(p.checked, at) && slices.ContainsFunc(p.checked, func(c netip.AddrPort) bool { return c.Addr() == at.Addr() }) {
			p.checked = append(p.checked, at)
		}
	}
	e.Checked = p.checked
	switch why := s.book.put(time.Now(), e, from); why {
	case "":
		return e, nil
	case RefusedReplayed:
		return nil, &noReplayed
	default:
		return nil, wait(why, http.StatusServiceUnavailable, TTL/2, "The list is full.")
	}
}

// gapBehind is how long after an announcement the next one is taken.
func gapBehind(was *Entry) time.Duration {
	if was.Gone() {
		return returnGap
	}
	return announceGap
}

// read reads a request, and verifies what it says.
func (s *Server) read(w http.ResponseWriter, r *http.Request, now time.Time) (*Entry, *no) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		return nil, &no{why: RefusedLarge, code: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("An announcement has %d bytes at most.", MaxBody)}
	}
	e := &Entry{Signed: Signed{Body: string(body)}}
	sig, sigErr := base64.StdEncoding.DecodeString(r.Header.Get(signatureHeader))
	if err != nil || sigErr != nil || len(sig) != len(e.Sig) {
		return nil, &no{why: RefusedGarbled, code: http.StatusBadRequest, text: "The signature is in the header " + signatureHeader + ": 64 bytes in base64."}
	}
	copy(e.Sig[:], sig)
	if e.Announcement, err = e.Open(); err != nil {
		return nil, &no{why: RefusedGarbled, code: http.StatusBadRequest, text: "This is no announcement: " + err.Error() + "."}
	}
	switch off := now.Sub(e.At()); {
	case !s.cfg.Lists.Lists(e.ID):
		return nil, &no{why: RefusedDenied, code: http.StatusForbidden, text: "Whoever runs this directory does not list this channel."}
	case off.Abs() > Skew:
		return nil, &no{why: RefusedClock, code: http.StatusConflict, text: fmt.Sprintf("It was made at %s, and here it is %s.", e.At().UTC().Format(time.DateTime), now.UTC().Format(time.DateTime))}
	case !e.Verify(e.ID):
		return nil, &no{why: RefusedForged, code: http.StatusForbidden, text: "The channel's key has not signed this."}
	}
	return e, nil
}

var (
	noReplayed = no{why: RefusedReplayed, code: http.StatusConflict, text: "A newer announcement of this channel is known."}
	noProxy    = no{why: RefusedProxy, code: http.StatusForbidden, text: "A proxy asks, and nobody knows for whom. Whoever runs the directory can name it with --trusted-proxy."}
	noPlaces   = no{why: RefusedPlaces, code: http.StatusBadRequest, text: "None of the places can be reached from here: private addresses mean nothing on the Internet."}
	noShort    = no{why: RefusedShort, code: http.StatusBadRequest, text: fmt.Sprintf("To be dialled back costs %d bytes, which the request must have: fill it up with the header %s.", RequestBytes, paddingHeader)}
	noDead     = no{why: RefusedDead, code: http.StatusUnprocessableEntity, text: "No relay answers at any of the places.", wait: TTL}
	noOther    = no{why: RefusedOther, code: http.StatusUnprocessableEntity, text: "The relay at that place does not carry this channel.", wait: TTL}
)

func wait(why refusal.Reason, code int, d time.Duration, text string) *no {
	return &no{why: why, code: code, text: text, wait: d}
}

// paid is what a request has brought, in bytes: not all of it, but no more.
func paid(r *http.Request, body int) int {
	n := body
	for _, values := range r.Header {
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}

// pay takes what an announcement costs whoever sends it and the machines that it names, before anything is sent there. It
// returns the places that may be dialled. The channel must be done with.
func (s *Server) pay(now time.Time, who asker, one, prefix netip.Prefix, was *Entry, e *Entry, places []netip.AddrPort) ([]netip.AddrPort, *no) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underway[e.ID] {
		return nil, wait(RefusedOften, http.StatusTooManyRequests, announceGap, "This channel is being tried already.")
	}
	fresh := !who.here && (was == nil || was.from.Prefix != prefix)
	if fresh && (s.address.Left(now, one) < 1 || s.prefix.Left(now, prefix) < 1) {
		return nil, wait(RefusedAddress, http.StatusTooManyRequests, max(s.address.Wait(now, one), s.prefix.Wait(now, prefix)), "Your address, or its neighbourhood, has announced as many channels as it may in an hour.")
	}
	places = slices.DeleteFunc(places, func(at netip.AddrPort) bool {
		o, _ := hostnet.Counted(at.Addr())
		return !at.Addr().IsLoopback() && !s.silent.Spend(now, o)
	})
	if len(places) == 0 {
		return nil, wait(RefusedBudget, http.StatusTooManyRequests, TTL/2, "Nobody has answered at these places, too often.")
	}
	if fresh {
		s.address.Take(now, one, 1)
		s.prefix.Take(now, prefix, 1)
	}
	s.underway[e.ID] = true
	return places, nil
}

// done says that a channel is not being dialled back any more.
func (s *Server) done(e *Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underway, e.ID)
}

// settle gives places that have answered their budget back.
func (s *Server) settle(now time.Time, checked []netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range checked {
		o, _ := hostnet.Counted(at.Addr())
		s.silent.Give(now, o, silentBurst)
	}
}
