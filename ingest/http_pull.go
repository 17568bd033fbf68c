package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"relay/ingest/flv"
)

const (
	// maxHTTPHeader bounds a server's response header, in bytes.
	maxHTTPHeader = 64 << 10
	// dialTimeout bounds getting a connection.
	dialTimeout = 5 * time.Second
	// silence is how long a connection may bring nothing before it counts as
	// broken. Encoders send audio many times a second.
	silence = 10 * time.Second
	// programQuery names a program of MPEG-TS in an address.
	programQuery = "program"
)

var (
	// errSilence says that a connection brought nothing for [silence].
	errSilence = errors.New("nothing came for 10 s")
	// errEnded says that the other side ended the stream properly.
	errEnded = errors.New("the stream ended")
)

// HTTPPull fetches a live stream of FLV, WebM, fragmented MP4 or MPEG-TS over HTTP and connects again when it breaks.
type HTTPPull struct {
	URL  *url.URL // http or https; program=N in its query chooses one of MPEG-TS
	Open Opener
	Log  *zap.Logger // nil for none
}

// Run fetches until ctx ends, and then returns nil. That the first attempt brings
// nothing is an error; after that, broken connections are not.
func (h *HTTPPull) Run(ctx context.Context) error {
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  silence,
		MaxResponseHeaderBytes: maxHTTPHeader,
		DisableCompression:     true, // it would hold media back, and inflate without bound
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	program, _ := strconv.Atoi(h.URL.Query().Get(programQuery)) // what is no number is the server's own
	from := newOrigin(h.URL.Host, max(program, 0), h.Log)
	p := pull{from: h.URL.Host, open: h.Open, log: logger(h.Log), fetch: func(ctx context.Context, take func(flv.Tag) error) error {
		return h.fetch(ctx, client, from, take)
	}}
	return p.run(ctx)
}

func (h *HTTPPull) fetch(ctx context.Context, client *http.Client, from *origin, take func(flv.Tag) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL.String(), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the address may hold a password
		}
		return fmt.Errorf("connect to %s: %w", h.URL.Host, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d %s", h.URL.Host, resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	watch := time.AfterFunc(silence, func() { cancel(errSilence) })
	defer watch.Stop()
	r := from.read(&watched{resp.Body, watch, silence})
	for {
		t, err := r.Next()
		switch {
		case err == io.EOF:
			return errEnded
		case context.Cause(ctx) != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("read from %s: %w", h.URL.Host, err)
		}
		if err := take(t); err != nil {
			return err
		}
	}
}

// watched puts a timer off at every read that brings something.
type watched struct {
	r     io.Reader
	timer *time.Timer
	by    time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.timer.Reset(w.by)
	}
	return n, err
}
