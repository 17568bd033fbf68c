package directory

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"relay/relay/refusal"
)

const (
	// lookAt is how often an announcer looks whether there is something new to tell.
	lookAt = 5 * time.Second
	// goodbyeTime is how long the end of a broadcast may wait for the channel to go off the list.
	goodbyeTime = time.Second
	// announceAgain is how long after an announcement the next one may be: a little more than announceGap, as the
	// first may have taken longer on the way.
	announceAgain = announceGap + 2*time.Second
	// maxAnswer bounds the answer to an announcement, in bytes.
	maxAnswer = 16 << 10
)

// retries are the pauses after announcements that failed: one after the other, and then the last. An hour has fewer of
// them than a directory takes.
var retries = []time.Duration{announceAgain, 2 * announceAgain, TTL / 2, TTL}

// RefusedError says why a directory does not list a channel.
type RefusedError struct {
	Why  refusal.Reason // one of [Refusals], or what a later version has
	Wait time.Duration  // when to try again, as the directory says; 0 if it does not
	Now  time.Time      // by the directory's clock
}

func (e *RefusedError) Error() string { return "the directory refuses: " + string(e.Why) }

// Announcer keeps a channel on one directory's list.
type Announcer struct {
	URL *url.URL
	Key ed25519.PrivateKey // the channel's
	// What is the channel as it is now, but for ID, Seq and TTL. An announcement is not made while it has no places.
	What func(context.Context) Announcement
	// Told is called with what came of announcements when that is not what came of the one before: nil if
	// the channel is listed, or why it is not.
	Told func(error)
	// Instead is called with the address of each of its mirrors that lists the channel while the directory is gone. Nil is
	// for an announcer that asks none.
	Instead func(*url.URL)
	Client  Client

	seq    int64
	listed bool // as far as is known
	stand  standIns
}

// Run announces the channel at once, when it changes, and twice in TTL, until ctx ends. It then takes it off the list,
// for which it takes a second at most. While the directory is gone, its mirrors are told in its place.
func (a *Announcer) Run(ctx context.Context) {
	h := a.Client.http()
	defer h.CloseIdleConnections()
	tick := time.NewTicker(lookAt)
	defer tick.Stop()
	var was Announcement
	var next time.Time // when to announce even if nothing has changed
	var soon time.Time // when the next announcement may be
	var said string
	failed := 0
	a.stand.a = a
	defer a.stand.work.Wait()
	for {
		what := a.What(ctx)
		now := time.Now()
		if ctx.Err() == nil && len(what.Places) > 0 && !now.Before(soon) && (!now.Before(next) || changed(was, what)) {
			err := a.announce(ctx, h, what, TTL)
			a.listed = a.listed || err == nil || ctx.Err() != nil // who is interrupted does not hear whether it was taken
			if ctx.Err() == nil {
				was, now = what, time.Now()
				soon, next = now.Add(announceAgain), now.Add(TTL/2)
				if err != nil {
					soon = now.Add(pause(err, failed))
					next = soon
					failed++
				} else {
					failed = 0
				}
				a.standIn(ctx, err, failed)
				if s := outcome(err); s != said {
					said = s
					a.Told(err)
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			a.goodbye(ctx, h)
			return
		}
	}
}

// standIn has mirrors stand in for the directory after so many failures, or no more. One that refuses is there.
func (a *Announcer) standIn(ctx context.Context, err error, failed int) {
	refused := new(RefusedError)
	switch {
	case a.Instead == nil:
	case err == nil || errors.As(err, &refused):
		a.stand.end()
	case failed >= goneAfter:
		a.stand.begin(ctx)
	}
}

// goodbye takes the channel off the list, unless that goes on elsewhere.
func (a *Announcer) goodbye(ctx context.Context, h *http.Client) {
	if !a.listed || context.Cause(ctx) == errBack {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTime)
	defer cancel()
	_ = a.announce(ctx, h, Announcement{Listeners: -1}, 0) // else it goes off in a few minutes
}

// changed reports whether people would see something else. Figures that are about the same wait.
func changed(a, b Announcement) bool {
	figures := differ(a.Listeners, b.Listeners) || differ(a.BitRate, b.BitRate)
	for _, x := range []*Announcement{&a, &b} {
		x.Seq, x.TTL, x.Listeners, x.BitRate = 0, 0, 0, 0
	}
	return figures || !reflect.DeepEqual(a, b)
}

// differ reports whether one figure is half as large again as the other, and by more than a few, or was not known.
func differ(a, b int) bool {
	low, high := min(a, b), max(a, b)
	return low <= 0 && high > 0 || high-low > 4 && 2*high > 3*low
}

// pause is how long to wait after the failure that follows so many.
func pause(err error, before int) time.Duration {
	d := retries[min(before, len(retries)-1)]
	if no, ok := errors.AsType[*RefusedError](err); ok {
		d = max(d, min(no.Wait, time.Hour))
	}
	return d
}

// outcome is what two failures have in common if a person need not hear of the second.
func outcome(err error) string {
	if err == nil {
		return "listed"
	}
	if no, ok := errors.AsType[*RefusedError](err); ok {
		return string(no.Why)
	}
	if no, ok := errors.AsType[*StatusError](err); ok {
		return no.Error()
	}
	return "unreachable"
}

// nextSeq is the number of the announcement that follows one: now, or more. Where the last was so far ahead that no
// directory takes what follows, the clock has been set back since: no directory whose clock is right has taken it.
func nextSeq(last int64, now time.Time) int64 {
	if time.UnixMilli(last).Sub(now) > Skew {
		last = 0
	}
	return max(last+1, now.UnixMilli())
}

// announce sends one announcement.
func (a *Announcer) announce(ctx context.Context, h *http.Client, what Announcement, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	a.seq = nextSeq(a.seq, time.Now())
	what.Seq, what.TTL = a.seq, ttl
	s, err := Sign(a.Key, what)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL.JoinPath(announcePath).String(), bytes.NewReader([]byte(s.Body)))
	if err != nil {
		return err
	}
	sent(req, &s)
	a.Client.sign(req)
	resp, err := h.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer Answer
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
		if resp.StatusCode != http.StatusOK {
			return &StatusError{resp.StatusCode}
		}
		return ErrNoDirectory
	}
	if resp.StatusCode == http.StatusOK && a.Instead != nil {
		a.stand.named(answer.Mirrors)
	}
	switch {
	case answer.Error == RefusedReplayed: // it has heard from another directory of a later one
		return nil
	case answer.Error != "":
		return &RefusedError{Why: answer.Error, Wait: time.Duration(max(0, min(answer.WaitS, 3600))) * time.Second, Now: time.UnixMilli(answer.Now)}
	case resp.StatusCode != http.StatusOK:
		return &StatusError{resp.StatusCode}
	}
	return nil
}

// sent puts a signature and what a dial-back costs into a request.
func sent(req *http.Request, s *Signed) {
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(signatureHeader, base64.StdEncoding.EncodeToString(s.Sig[:]))
	if n := RequestBytes - paid(req, len(s.Body)); n > 0 {
		req.Header.Set(paddingHeader, strings.Repeat("-", n))
	}
}
