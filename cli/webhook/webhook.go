// Package webhook tells a server of its user's, over HTTP, what happens to a channel.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/playback/api"
)

const (
	// callTimeout bounds one attempt.
	callTimeout = 5 * time.Second
	// callsKept is how many calls wait for a server that is slow. The oldest go first:
	// what is true now matters more.
	callsKept = 32
	// LastCalls is how long the end of the program may wait for the last ones.
	LastCalls = 2 * time.Second
	// maxHookReply bounds what is read of an answer, so that the connection can be used
	// again; nobody looks at it.
	maxHookReply = 16 << 10
)

// callPauses are the pauses before the attempts after the first.
var callPauses = []time.Duration{time.Second, 3 * time.Second, 9 * time.Second}

// Hook tells a server what happens, one call at a time. Nothing but Finish waits for it.
type Hook struct {
	url     *url.URL
	version string
	client  http.Client
	say     func(format string, args ...any)
	queue   chan api.Call
	done    chan struct{} // closed when Run has returned
	told    bool          // that it fails; owned by Run
}

// New returns a hook that calls u, and says by say when the server is not told.
func New(u *url.URL, version string, say func(string, ...any)) *Hook {
	return &Hook{
		url: u, version: version,
		// A redirect would send what happens here to somebody whom nobody named.
		client: http.Client{
			Timeout:       callTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		say:   say,
		queue: make(chan api.Call, callsKept),
		done:  make(chan struct{}),
	}
}

// Tell queues a call; one too many pushes the oldest out. Only one goroutine calls it.
func (h *Hook) Tell(c api.Call) {
	for {
		select {
		case h.queue <- c:
			return
		default:
		}
		select {
		case <-h.queue:
		default:
		}
	}
}

// Run makes the calls until ctx ends, or until [Hook.Finish] has been called and there are no more.
func (h *Hook) Run(ctx context.Context) {
	defer close(h.done)
	defer h.client.CloseIdleConnections()
	for {
		select {
		case c, ok := <-h.queue:
			if !ok {
				return
			}
			h.deliver(ctx, c)
		case <-ctx.Done():
			return
		}
	}
}

// Finish closes the queue and waits up to most for the remaining calls. [Hook.Tell] must not be called
// afterwards.
func (h *Hook) Finish(most time.Duration) {
	close(h.queue)
	select {
	case <-h.done:
	case <-time.After(most):
	}
}

// Wait returns when Run has.
func (h *Hook) Wait() { <-h.done }

// deliver makes one call, with further attempts if it may help.
func (h *Hook) deliver(ctx context.Context, c api.Call) {
	body, err := json.Marshal(c)
	if err != nil {
		h.fail(err)
		return
	}
	for attempt := 0; ; attempt++ {
		again, err := h.post(ctx, body)
		if err == nil {
			h.told = false
			return
		}
		if ctx.Err() != nil {
			return
		}
		h.fail(err)
		if !again || attempt == len(callPauses) {
			return
		}
		select {
		case <-time.After(callPauses[attempt]):
		case <-ctx.Done():
			return
		}
	}
}

// post makes one attempt. It reports whether another one may help.
func (h *Hook) post(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "relay/"+strings.ReplaceAll(h.version, " ", "-"))
	resp, err := h.client.Do(req)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxHookReply) // it is the status that counts
	switch code := resp.StatusCode; {
	case code < 300:
		return false, nil
	case code < 400:
		return false, errors.New("it answers with a redirect, which is not followed")
	case code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return false, fmt.Errorf("it answers %d %s", code, http.StatusText(code))
	default:
		return true, fmt.Errorf("it answers %d %s", code, http.StatusText(code))
	}
}

// fail tells a person of the first failure since the last success. The address may
// hold a secret behind the host.
func (h *Hook) fail(err error) {
	if h.told {
		return
	}
	h.told = true
	h.say("relay: error: the webhook at %s was not told: %s", h.url.Host, fault.Plain(err))
	h.say("relay: hint: the stream goes on; is --webhook right, and does that server run?")
}
