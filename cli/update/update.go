package update

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"relay/cli/fault"
	"relay/cli/words"
)

// From is the address of the newest release's [Latest], which a build may have: -ldflags
// "-X relay/cli/update.From=https://…". "" if it has none.
var From = ""

const (
	// answerFor bounds how long a question may take, from the look-up of the name to the last byte.
	answerFor = 10 * time.Second
	// mostAnswer bounds the answer, in bytes: one of ours has 2 kB.
	mostAnswer = 64 << 10
	// mostMoves bounds how often it may be elsewhere.
	mostMoves = 3
)

// Latest is what `make release` writes about itself, as JSON. Other fields are left out.
type Latest struct {
	Version string `json:"version"`
	Page    string `json:"page,omitempty"` // where people get it; https
}

// Check asks an address for the newest release. All its errors are for people.
func Check(ctx context.Context, from string) (Latest, error) {
	if from == "" {
		from = From
	}
	if from == "" {
		return Latest{}, fault.Usage(words.UpdateFromHint, words.UpdateNowhere)
	}
	u, err := url.Parse(from)
	if err != nil || u.Host == "" || !safe(u) {
		return Latest{}, fault.Usage(words.UpdateHTTPSHint, words.UpdateNoAddress, from)
	}
	ctx, cancel := context.WithTimeout(ctx, answerFor)
	defer cancel()
	b, err := fetch(ctx, u)
	if err != nil {
		return Latest{}, err
	}
	l, err := read(b)
	if err != nil {
		return l, fault.Fail(words.UpdateNotHint, words.UpdateNotOne, u.Host, err)
	}
	return l, nil
}

// safe reports whether nobody on the way to an address can answer in its place.
func safe(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (err == nil && ip.IsLoopback() || u.Hostname() == "localhost")
}

var errMoved = errors.New("moved")

// fetch gets what is at an address. It tells the other side nothing but what it asks for.
func fetch(ctx context.Context, u *url.URL) ([]byte, error) {
	client := http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{}).DialContext,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: mostAnswer,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > mostMoves || !safe(r.URL) {
				return errMoved
			}
			return nil
		},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fault.Usage(words.UpdateHTTPSHint, words.UpdateNoAddress, u.String())
	}
	r.Header.Set("User-Agent", "relay")
	r.Header.Set("Accept-Encoding", "identity") // what is small when packed may be large
	answer, err := client.Do(r)
	if err != nil {
		return nil, fault.Fail(words.UpdateNoHint, words.UpdateNoAnswer, u.Host, why(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fault.Fail(words.UpdateNotHint, words.UpdateStatus, u.Host, answer.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer+1))
	if err != nil {
		return nil, fault.Fail(words.UpdateNoHint, words.UpdateNoAnswer, u.Host, why(err))
	}
	return b, nil
}

// why is the reason of an error, in words.
func why(err error) string {
	switch {
	case errors.Is(err, errMoved):
		return words.UpdateMoved
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf(words.UpdateLate, answerFor)
	}
	return fault.Plain(err)
}

// read reads an answer, which may be anybody's.
func read(b []byte) (l Latest, err error) {
	if len(b) > mostAnswer {
		return l, fmt.Errorf(words.UpdateTooLong, mostAnswer)
	}
	if json.Unmarshal(b, &l) != nil {
		return Latest{}, errors.New(words.UpdateNotReadily)
	}
	if _, ok := parse(l.Version); !ok {
		return Latest{}, errors.New(words.UpdateNoVersion)
	}
	if u, err := url.Parse(l.Page); err != nil || u.Scheme != "https" || len(l.Page) > 500 {
		l.Page = "" // not worth an error
	}
	return l, nil
}
