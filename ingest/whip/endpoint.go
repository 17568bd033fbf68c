package whip

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"

	"go.uber.org/zap"

	"relay/relay/refusal"
)

// Path is where encoders publish. A call's own resource is below it.
const Path = "/whip"

// callsMost is how many calls there may be at a time: one sends, the others connect.
const callsMost = 4

// What an encoder is told that is not taken.
const (
	ToldDenied = "The bearer token is not this channel's stream key."
	ToldBusy   = "Another encoder is sending to this channel. Stop it first."
)

// Endpoint answers encoders that speak WHIP. A stranger without the key costs no more than the request.
type Endpoint struct {
	Key   string // the stream key: the bearer token
	Media *Media
	// Publish begins to send, or refuses with [ErrBusy]. It may wait, until ctx ends.
	Publish func(ctx context.Context) (Sink, error)
	// Refused is told why an encoder was not taken. It is nil for nobody, and called from many goroutines.
	Refused func(why error)
	// Refusals counts them, by reason; nil for nobody.
	Refusals *refusal.Counts
	Log      *zap.Logger // nil for none

	mu    sync.Mutex
	ctx   context.Context // of Run; nil before and after
	calls map[string]context.CancelFunc
	all   sync.WaitGroup
}

// Run takes calls until ctx ends, and ends them then.
func (e *Endpoint) Run(ctx context.Context) error {
	e.mu.Lock()
	e.ctx, e.calls = ctx, make(map[string]context.CancelFunc)
	e.mu.Unlock()
	<-ctx.Done()
	e.mu.Lock()
	e.ctx = nil
	e.mu.Unlock()
	e.all.Wait()
	return nil
}

// ServeHTTP answers one request. Pages of any site may ask: they need the key like everybody, and no browser gives it for
// them.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Location")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	id, below := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), Path+"/")
	allowed := "POST, OPTIONS"
	if below {
		allowed = "DELETE, OPTIONS"
	}
	switch {
	case !below && strings.TrimSuffix(r.URL.Path, "/") != Path:
		e.refuse(w, RefusedRequest, http.StatusNotFound, "Encoders that speak WHIP publish to "+Path+" here.")
	case r.Method == http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", allowed)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
		h.Set("Access-Control-Max-Age", "600")
		h.Set("Accept-Post", sdpType)
		w.WriteHeader(http.StatusNoContent)
	case below && r.Method == http.MethodDelete:
		e.hangUp(w, id)
	case !below && r.Method == http.MethodPost:
		e.publish(w, r)
	default: // PATCH too: the answer has all addresses, and checks are answered wherever they come from
		h.Set("Allow", allowed)
		e.refuse(w, RefusedRequest, http.StatusMethodNotAllowed, "Only "+allowed+" are answered here. This is no page: put the address into an encoder that speaks WHIP, with the stream key as its bearer token.")
	}
}

func (e *Endpoint) refuse(w http.ResponseWriter, why refusal.Reason, code int, says string) {
	e.Refusals.Add(why)
	http.Error(w, says, code)
}

const sdpType = "application/sdp"

// publish answers an offer.
func (e *Endpoint) publish(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if right := subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(e.Key)); !ok || e.Key == "" || right != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		e.refuse(w, RefusedKey, http.StatusUnauthorized, ToldDenied)
		e.tell(ErrDenied)
		return
	}
	if typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || typ != sdpType {
		w.Header().Set("Accept-Post", sdpType)
		e.refuse(w, RefusedRequest, http.StatusUnsupportedMediaType, "An offer of "+sdpType+" is wanted.")
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, offerMost))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		e.refuse(w, RefusedOffer, http.StatusRequestEntityTooLarge, "The offer is too long.")
		return
	} else if err != nil {
		return // it has gone
	}
	offer, err := cleaned(string(b))
	if err != nil {
		e.explain(w, err)
		return
	}
	id := rand.Text()
	ctx, begun := e.begin(id)
	if !begun {
		w.Header().Set("Retry-After", "10")
		e.refuse(w, RefusedCrowd, http.StatusServiceUnavailable, "Too many encoders are connecting. Try again in ten seconds.")
		return
	}
	call, sink, err := e.answer(r.Context(), offer)
	if err != nil {
		e.end(id)
		e.explain(w, err)
		return
	}
	go func() { // ends with ctx, which e.Run waits for
		defer e.end(id)
		defer sink.Close()
		err := call.Run(ctx, func() {})
		if errors.Is(err, ErrUnreached) {
			e.Refusals.Add(RefusedUnreached)
			e.tell(err)
		}
		e.log().Info("encoder has gone", zap.String("over", "WHIP"), zap.Error(err))
	}()
	e.log().Info("encoder connects", zap.String("over", "WHIP"), zap.String("addr", r.RemoteAddr))
	w.Header().Set("Location", Path+"/"+id)
	w.Header().Set("Content-Type", sdpType)
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, call.Answer())
}

// answer takes the place of who sends, and a call of an offer.
func (e *Endpoint) answer(ctx context.Context, offer string) (*Call, Sink, error) {
	sink, err := e.Publish(ctx)
	if err != nil {
		return nil, nil, err
	}
	call, err := e.Media.Answer(offer, sink)
	if err != nil {
		sink.Close()
		return nil, nil, err
	}
	return call, sink, nil
}

// explain answers with what is wrong.
func (e *Endpoint) explain(w http.ResponseWriter, err error) {
	codec, isCodec := errors.AsType[*CodecError](err)
	switch {
	case errors.Is(err, ErrBusy):
		e.refuse(w, RefusedBusy, http.StatusConflict, ToldBusy)
	case isCodec:
		e.refuse(w, RefusedCodec, http.StatusNotAcceptable, "Nothing can be made of "+codec.Offered+" here. Set the encoder to H.264, HEVC, AV1 or VP9, and to Opus.")
	case errors.Is(err, ErrOffer):
		e.refuse(w, RefusedOffer, http.StatusBadRequest, "The offer is malformed, or has more than pictures and sound.")
	case errors.Is(err, context.Canceled):
		return
	default:
		e.log().Warn("cannot take an encoder", zap.String("over", "WHIP"), zap.Error(err))
		http.Error(w, "This source cannot take an encoder now.", http.StatusInternalServerError)
		return
	}
	e.tell(err)
}

func (e *Endpoint) tell(why error) {
	if e.Refused != nil {
		e.Refused(why)
	}
}

func (e *Endpoint) log() *zap.Logger {
	if e.Log == nil {
		return zap.NewNop()
	}
	return e.Log
}

// begin makes room for a call, which ends with the context.
func (e *Endpoint) begin(id string) (context.Context, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ctx == nil || len(e.calls) >= callsMost {
		return nil, false
	}
	ctx, cancel := context.WithCancel(e.ctx)
	e.calls[id] = cancel
	e.all.Add(1)
	return ctx, true
}

// end gives the room back.
func (e *Endpoint) end(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls[id]()
	delete(e.calls, id)
	e.all.Done()
}

// hangUp ends a call for who knows its resource, which was told to who began it alone.
func (e *Endpoint) hangUp(w http.ResponseWriter, id string) {
	e.mu.Lock()
	cancel := e.calls[id]
	e.mu.Unlock()
	if cancel == nil {
		e.refuse(w, RefusedRequest, http.StatusNotFound, "There is no such call, or it has ended.")
		return
	}
	cancel()
	w.WriteHeader(http.StatusOK)
}

// Address is where encoders publish that reach a listener at host.
func Address(ln net.Addr, host string) string {
	_, port, _ := net.SplitHostPort(ln.String())
	return "http://" + net.JoinHostPort(host, port) + Path
}
