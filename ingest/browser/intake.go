package browser

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"relay/ingest/flv"
	"relay/relay/refusal"
)

const (
	// subprotocol names this exchange and its version.
	subprotocol = "broadcast.1.relay"
	// maxHello and maxRecord bound a message, in bytes. The offer in a hello has some 6,000; a key picture of 4K at
	// 40 Mb/s has some 2 MiB.
	maxHello  = 64 << 10
	maxRecord = 8 << 20
	// helloWait is how long the first message may take, and silence how long nothing may come: pictures and
	// sound come many times a second, also of a page in the background.
	helloWait = 5 * time.Second
	silence   = 10 * time.Second
	// sayWait bounds a write to the page, which has little to read.
	sayWait = 5 * time.Second
)

// Why a page is not taken, or no longer: words for the page, which has sentences for them, each with the code
// of its close frame (RFC 6455, 7.4.2: from 4000 on they are an application's own).
const (
	codeDenied    websocket.StatusCode = 4001
	codeBusy      websocket.StatusCode = 4002
	codeMalformed websocket.StatusCode = 4003
	codeEnded     websocket.StatusCode = 4004
	codeUnfit     websocket.StatusCode = 4005
)

// Errors of [Intake.Publish] and [Intake.Film] that the page has sentences for.
var (
	ErrBusy      = errors.New("another encoder is sending")
	ErrMalformed = errors.New("the offer is malformed")
	ErrUnfit     = errors.New("nothing that the page can encode can be carried")
)

// Call is a page's call over WebRTC.
type Call interface {
	// Answer describes this side to the page.
	Answer() string
	// Run writes what comes to the sink until ctx ends, the page leaves or nothing comes. It tells live of the first
	// picture or sound, with no time to lose.
	Run(ctx context.Context, live func()) error
}

// Sink takes the media of one page, from one goroutine. Write may change the tag, which is good until it
// returns. Close may be called more than once.
type Sink interface {
	Write(flv.Tag) error
	Close()
}

// Intake answers pages that broadcast.
type Intake struct {
	// Publish begins a broadcast, or refuses with [ErrBusy]. It may wait, until ctx ends.
	Publish func(ctx context.Context) (Sink, error)
	// Film answers the offer of a page that sends over WebRTC, or refuses with [ErrMalformed] or [ErrUnfit]; nil if none can.
	Film func(offer string, to Sink) (Call, error)
	Log  *zap.Logger // nil for none

	token   string
	refused refusal.Counts
}

// NewIntake returns an intake with a token of its own.
func NewIntake(publish func(context.Context) (Sink, error), log *zap.Logger) *Intake {
	if log == nil {
		log = zap.NewNop()
	}
	return &Intake{Publish: publish, Log: log, token: rand.Text()}
}

// Token is what a page has to give. It goes to pages of this node alone.
func (i *Intake) Token() string { return i.token }

// WebRTC reports whether pages may send over it, as those have to whose browser does not encode for pages.
func (i *Intake) WebRTC() bool { return i.Film != nil }

// Refused counts the pages that were not taken, by reason.
func (i *Intake) Refused() map[refusal.Reason]uint64 { return i.refused.All(Refusals...) }

// ServeHTTP takes one page's broadcast, until the page leaves or r's context ends. It refuses pages of other
// sites. What a page may ask at all is up to the caller.
func (i *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") == "" { // the library lets programs in, which have none
		i.refused.Add(RefusedRequest)
		http.Error(w, "Only the page of this node broadcasts here. A program sends over RTMP.", http.StatusForbidden)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		i.refused.Add(RefusedRequest)
		return // it has answered
	}
	defer conn.CloseNow()
	code, why := i.take(r.Context(), conn)
	if refused, is := refusals[code]; is {
		i.refused.Add(refused)
	}
	i.Log.Info("page has left", zap.String("reason", why))
	conn.Close(code, why)
}

// take is one broadcast. It returns how it ends.
func (i *Intake) take(ctx context.Context, conn *websocket.Conn) (websocket.StatusCode, string) {
	hello, err := readHello(ctx, conn)
	if err != nil {
		return codeMalformed, "malformed"
	}
	if subtle.ConstantTimeCompare([]byte(hello.Token), []byte(i.token)) != 1 {
		return codeDenied, "denied"
	}
	var all *tracks
	var announced flv.Tag
	if hello.Offer == "" {
		all, announced, err = newTracks(hello)
	} else if i.Film == nil {
		err = errMalformed
	}
	if err != nil {
		return codeMalformed, "malformed"
	}
	sink, err := i.Publish(ctx)
	switch {
	case errors.Is(err, ErrBusy):
		return codeBusy, "busy"
	case err != nil:
		i.Log.Warn("cannot begin to broadcast", zap.Error(err))
		return codeEnded, "ended"
	}
	defer sink.Close()
	if hello.Offer != "" {
		return i.film(ctx, conn, hello.Offer, sink)
	}
	if err := sink.Write(announced); err != nil {
		return codeEnded, "ended"
	}
	live := false
	for buf := []byte(nil); ; {
		var b []byte
		if b, buf, err = next(ctx, conn, buf); err != nil {
			return ending(err)
		}
		rec, err := parseRecord(b)
		if err != nil {
			return codeMalformed, "malformed"
		}
		tag, err := all.tag(rec)
		if err != nil {
			return codeMalformed, "malformed"
		}
		if tag == nil {
			continue
		}
		if err := sink.Write(tag); err != nil {
			return codeEnded, "ended"
		}
		if !live && rec.kind != pictureConfig && rec.kind != soundConfig {
			if live = true; say(ctx, conn, liveNews) != nil {
				return codeEnded, "ended"
			}
		}
	}
}

// film is the call of a page over WebRTC, as long as its connection here.
func (i *Intake) film(ctx context.Context, conn *websocket.Conn, offer string, sink Sink) (websocket.StatusCode, string) {
	call, err := i.Film(offer, sink)
	switch {
	case errors.Is(err, ErrMalformed):
		return codeMalformed, "malformed"
	case errors.Is(err, ErrUnfit):
		return codeUnfit, "unsupported"
	case err != nil:
		i.Log.Warn("cannot answer a page", zap.Error(err))
		return codeEnded, "ended"
	}
	ctx = conn.CloseRead(ctx) // the page says nothing more, and leaves by closing
	b, err := json.Marshal(map[string]string{"answer": call.Answer()})
	if err == nil {
		err = say(ctx, conn, string(b))
	}
	if err != nil {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		call.Run(ended, func() {})
		return websocket.StatusNormalClosure, "left"
	}
	live, over := make(chan struct{}), make(chan struct{})
	told := make(chan struct{})
	go func() { // ends with the call, and is waited for
		defer close(told)
		select {
		case <-live:
			_ = say(ctx, conn, liveNews) // who has gone is noticed by the call
		case <-over:
		}
	}()
	err = call.Run(ctx, func() { close(live) })
	close(over)
	<-told
	switch {
	case ctx.Err() != nil:
		return websocket.StatusNormalClosure, "left"
	case err != nil:
		i.Log.Info("call of a page has ended", zap.Error(err))
	}
	return codeEnded, "ended"
}

// ending names the end of a connection.
func ending(err error) (websocket.StatusCode, string) {
	switch {
	case errors.Is(err, errMalformed), errors.Is(err, websocket.ErrMessageTooBig):
		return codeMalformed, "malformed"
	case errors.Is(err, context.DeadlineExceeded):
		return websocket.StatusGoingAway, "silent" // for the log: a read that has waited too long has closed the connection
	case errors.Is(err, context.Canceled):
		return websocket.StatusGoingAway, "closing" // likewise
	}
	return websocket.StatusNormalClosure, "left"
}

var errMalformed = errors.New("a message of the wrong type")

// readHello reads the first message.
func readHello(ctx context.Context, conn *websocket.Conn) (h Hello, err error) {
	ctx, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	conn.SetReadLimit(maxHello)
	typ, b, err := conn.Read(ctx)
	if err != nil {
		return h, err
	}
	conn.SetReadLimit(maxRecord)
	if typ != websocket.MessageText {
		return h, errMalformed
	}
	if err := json.Unmarshal(b, &h); err != nil {
		return h, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return h, nil
}

// next reads a record into buf, which it returns for the one after that: it is good until then.
func next(ctx context.Context, conn *websocket.Conn, buf []byte) (b, grown []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	typ, r, err := conn.Reader(ctx)
	if err != nil {
		return nil, buf, err
	}
	if typ != websocket.MessageBinary {
		return nil, buf, errMalformed
	}
	b = buf[:0]
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, b, nil
		}
		if err != nil {
			return nil, b, err
		}
	}
}

// liveNews tells a page that its picture or sound is on its way.
const liveNews = `{"state":"live"}`

func say(ctx context.Context, conn *websocket.Conn, text string) error {
	ctx, cancel := context.WithTimeout(ctx, sayWait)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, []byte(text))
}
