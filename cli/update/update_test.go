package update

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"relay/cli/fault"
	"relay/cli/words"
)

func TestVersionsAreInOrder(t *testing.T) {
	inOrder := []string{"0.1.0-alpha", "0.1.0-alpha.1", "0.1.0-beta", "0.1.0-rc.2", "0.1.0-rc.10", "0.1.0", "0.1.1", "0.2.0", "v0.10.0", "1.0.0"}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if got := Newer(a, b); got != sign(i-j) {
				t.Errorf("%s and %s: %d", a, b, got)
			}
		}
	}
	for _, bad := range []string{"", "1", "1.2", "1.2.3.4", "1.2.-3", "1.2.3+x y", "1.2.3\n", "9999999.0.0", " 1.2.3", "1.2.3-" + strings.Repeat("a", 41)} {
		if _, ok := parse(bad); ok {
			t.Errorf("%q is a version", bad)
		}
	}
}

func sign(n int) int { return min(1, max(-1, n)) }

// Whatever answers, the error is in words, with the next step.
func TestHostileAnswersAreWords(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // of the error; "" for none
	}{
		"a release":       {says(`{"version":"0.2.0","page":"https://example.org/","more":[1]}`), ""},
		"a wrong page":    {says(`{"version":"0.2.0","page":"javascript:alert(1)"}`), ""},
		"nothing":         {says(""), words.UpdateNotReadily},
		"a page":          {says("<html>log in to this hotel's network"), words.UpdateNotReadily},
		"another type":    {says(`{"version":{"a":1}}`), words.UpdateNotReadily},
		"no version":      {says(`{}`), words.UpdateNoVersion},
		"terminal codes":  {says(`{"version":"1.0.0\u001b[2J"}`), words.UpdateNoVersion},
		"deep":            {says(strings.Repeat("[", mostAnswer)), words.UpdateNotReadily},
		"long":            {says(strings.Repeat(" ", mostAnswer+1)), "longer"},
		"without end":     {func(w http.ResponseWriter, _ *http.Request) { flood(w) }, "longer"},
		"long headers":    {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, "the answer is too long"},
		"not found":       {http.NotFound, "404"},
		"elsewhere":       {to("http://example.invalid/latest.json"), words.UpdateMoved},
		"another scheme":  {to("file:///etc/passwd"), words.UpdateMoved},
		"round and round": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }, words.UpdateMoved},
		"a cut answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte("{"))
		}, "it ends too early"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.answer)
			defer s.Close()
			l, err := Check(t.Context(), s.URL+"/latest.json")
			var f *fault.Error
			switch {
			case c.want == "" && (err != nil || l.Version != "0.2.0" || strings.Contains(l.Page, "alert")):
				t.Errorf("%+v, %v", l, err)
			case c.want != "" && (!errors.As(err, &f) || !strings.Contains(err.Error(), c.want) || f.Hint == ""):
				t.Errorf("%v", err)
			}
		})
	}
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) }
}

func to(where string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, where, http.StatusFound) }
}

// flood writes until nobody reads.
func flood(w http.ResponseWriter) {
	for b := make([]byte, 64<<10); ; {
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

// The other side learns what anybody's browser tells at most.
func TestTheQuestionTellsNothing(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "relay" || r.URL.RawQuery != "" || len(r.Header) > 3 || r.ContentLength != 0 {
			t.Errorf("%v %v", r.URL, r.Header)
		}
		w.Write([]byte(`{"version":"0.2.0"}`))
	}))
	defer s.Close()
	if _, err := Check(t.Context(), s.URL); err != nil {
		t.Error(err)
	}
}

func TestOnlyWhoProvesWhoItIsIsAsked(t *testing.T) {
	for _, from := range []string{"http://example.org/latest.json", "ftp://x/", "example.org", "https://", "://", "relay://x@y"} {
		var f *fault.Error
		if _, err := Check(t.Context(), from); !errors.As(err, &f) || f.Code != fault.ExitUsage || f.Hint == "" {
			t.Errorf("%s: %v", from, err)
		}
	}
	s := httptest.NewTLSServer(says(`{"version":"0.2.0"}`)) // by an authority that nobody knows
	defer s.Close()
	s.Config.ErrorLog = nil
	if _, err := Check(t.Context(), s.URL); err == nil || !strings.Contains(err.Error(), "its certificate is from nobody whom this machine trusts") {
		t.Errorf("%v", err)
	}
	if From == "" {
		if _, err := Check(t.Context(), ""); err == nil || err.Error() != words.UpdateNowhere {
			t.Errorf("%v", err)
		}
	}
}

// A server that takes the question and says nothing is given up.
func TestSilenceEnds(t *testing.T) {
	held := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-held }))
	defer s.Close()
	defer close(held)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Check(ctx, s.URL); err == nil || !strings.Contains(err.Error(), "not within") {
		t.Errorf("%v", err)
	}
}
