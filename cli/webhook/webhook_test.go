package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/playback/api"
)

// server answers a webhook without a network.
type server struct {
	answer func(n int) (status int, err error) // of the n-th call, from 0
	calls  []api.Call
	at     []time.Time
	types  []string
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var c api.Call
	if err := json.Unmarshal(body, &c); err != nil || r.Method != http.MethodPost {
		return nil, fmt.Errorf("%s %s: %w", r.Method, body, err)
	}
	s.calls, s.at = append(s.calls, c), append(s.at, time.Now())
	s.types = append(s.types, r.Header.Get("Content-Type"))
	status, err := s.answer(len(s.calls) - 1)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader("whatever")), Request: r,
		Header: http.Header{"Location": {"http://elsewhere.example/"}},
	}, nil
}

// hooked is a webhook at s that keeps what it says.
func hooked(s *server) (*Hook, *[]string) {
	var said []string
	h := New(&url.URL{Scheme: "https", Host: "hooks.example", Path: "/secret", User: url.UserPassword("u", "pass")}, "0.1.0", func(format string, args ...any) {
		said = append(said, fmt.Sprintf(format, args...))
	})
	h.client.Transport = s
	return h, &said
}

func TestWebhookIsToldInOrderAndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: func(int) (int, error) { return 204, nil }}
		h, said := hooked(s)
		go h.Run(t.Context())
		h.Tell(api.Call{Event: api.Started, Name: "a", BitRate: 5})
		h.Tell(api.Call{Event: api.Stopped, Name: "a"})
		h.Finish(LastCalls)
		if len(s.calls) != 2 || s.calls[0].Event != api.Started || s.calls[0].BitRate != 5 || s.calls[1].Event != api.Stopped || s.types[0] != "application/json" {
			t.Errorf("%+v", s.calls)
		}
		if len(*said) != 0 {
			t.Errorf("said %q", *said)
		}
	})
}

func TestWebhookTriesAgainAndComplainsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: func(n int) (int, error) {
			switch n {
			case 0:
				return 0, errors.New("connection refused")
			case 1:
				return 503, nil
			case 2:
				return 429, nil
			}
			return 200, nil
		}}
		h, said := hooked(s)
		begun := time.Now()
		go h.Run(t.Context())
		h.Tell(api.Call{Event: api.Started})
		time.Sleep(time.Minute)
		synctest.Wait()
		var after []time.Duration
		for _, at := range s.at {
			after = append(after, at.Sub(begun))
		}
		if want := []time.Duration{0, time.Second, 4 * time.Second, 13 * time.Second}; !slices.Equal(after, want) {
			t.Errorf("calls after %v, want %v", after, want)
		}
		if len(*said) != 2 || !strings.Contains((*said)[0], "hooks.example was not told: connection refused") || !strings.HasPrefix((*said)[1], "relay: hint: ") {
			t.Errorf("said %q", *said)
		}
		for _, line := range *said {
			if strings.Contains(line, "secret") || strings.Contains(line, "pass") {
				t.Errorf("the address is in %q", line)
			}
		}
		h.Finish(LastCalls)
	})
}

func TestWebhookGivesUpWhereAnotherAttemptIsInVain(t *testing.T) {
	for status, says := range map[int]string{301: "redirect, which is not followed", 307: "redirect", 404: "it answers 404 Not Found", 401: "401"} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{answer: func(int) (int, error) { return status, nil }}
			h, said := hooked(s)
			go h.Run(t.Context())
			h.Tell(api.Call{})
			time.Sleep(time.Minute)
			synctest.Wait()
			if len(s.calls) != 1 || len(*said) != 2 || !strings.Contains((*said)[0], says) {
				t.Errorf("%d: %d calls, said %q", status, len(s.calls), *said)
			}
			h.Finish(LastCalls)
		})
	}
}

func TestDeadWebhookHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		s := &server{answer: func(int) (int, error) { <-hang; return 200, nil }}
		h, _ := hooked(s)
		h.client.Timeout = 0 // the round tripper of this test knows no context
		go h.Run(t.Context())
		begun := time.Now()
		for n := range 3 * callsKept {
			h.Tell(api.Call{BitRate: n})
		}
		if d := time.Since(begun); d != 0 {
			t.Errorf("telling took %v", d)
		}
		h.Finish(LastCalls)
		if d := time.Since(begun); d != LastCalls {
			t.Errorf("the end took %v, want %v", d, LastCalls)
		}
		close(hang)
		<-h.done
		if n := len(s.calls); n > callsKept+1 || s.calls[n-1].BitRate != 3*callsKept-1 {
			t.Errorf("%d calls, the last %+v: want the newest", n, s.calls[n-1])
		}
	})
}

func TestWebhookFollowsNoRedirect(t *testing.T) {
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer elsewhere.Close()
	first := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer first.Close()
	u, err := url.Parse(first.URL)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	h := New(u, "0.1.0", func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
	go h.Run(t.Context())
	h.Tell(api.Call{})
	h.Finish(time.Minute)
	if reached || len(said) == 0 {
		t.Errorf("reached %v, said %q", reached, said)
	}
}
