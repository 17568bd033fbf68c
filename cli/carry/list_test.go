package carry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"relay/cli/term"
	"relay/relay/stream"
)

// linkOf is a link of the n-th channel.
func linkOf(n int) string {
	return fmt.Sprintf("relay://%s@127.0.0.1:1", stream.ChannelID{byte(n), byte(n >> 8), 1})
}

func TestListOfChannelsIsReadLineByLine(t *testing.T) {
	secret := "\x1b[31mred"
	text := "\ufeff# remarks\r\n\n" +
		linkOf(1) + "\r\n" +
		"Main stage  " + linkOf(2) + " # the big one\n" +
		"\t" + linkOf(3) + " #1 for us\n" +
		strings.ToUpper(linkOf(4)[:6]) + linkOf(4)[6:] + " " + secret + "\n" +
		linkOf(5) + " " + strings.Repeat("ü", 2*maxListName)
	all, problems := parseList([]byte(text))
	if len(problems) != 0 || len(all) != 5 {
		t.Fatalf("%+v, problems %q", all, problems)
	}
	for i, want := range []string{"", "Main stage", "", "\ufffd[31mred", strings.Repeat("ü", maxListName)} {
		if all[i].name != want || all[i].invite.Channel != (stream.ChannelID{byte(i + 1), 0, 1}) {
			t.Errorf("%d: %q of %s, want %q", i, all[i].name, all[i].invite.Channel.Short(), want)
		}
	}
}

func TestBadLinesOfAListAreToldAndBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(linkOf(1) + "\n")
	for range 1000 {
		b.WriteString("no link\n")
	}
	b.WriteString("relay://nonsense\n" + linkOf(1) + "\n" + linkOf(2) + "\n")
	all, problems := parseList([]byte(b.String()))
	if len(all) != 2 || len(problems) != maxListProblems+1 || problems[0] != "line 2: there is no relay:// link in it" || problems[maxListProblems] != "and 997 lines more" {
		t.Errorf("%d channels, problems %q", len(all), problems)
	}
	b.Reset()
	for n := range 2 * MaxServed {
		b.WriteString(linkOf(n) + "\n")
	}
	if all, problems := parseList([]byte(b.String())); len(all) != MaxServed || len(problems) != 1 || !strings.Contains(problems[0], "the rest is left out") {
		t.Errorf("%d channels, problems %q", len(all), problems)
	}
	parseList([]byte(strings.Repeat("relay:", maxList/6))) // one line as long as a list may be
}

func TestChannelsAreCarriedOnceAndGivenOnesFirst(t *testing.T) {
	a, _ := parseList([]byte("given " + linkOf(1)))
	b, _ := parseList([]byte("again " + linkOf(1) + "\nmore " + linkOf(2)))
	got := union(a, b)
	if len(got) != 2 || got[0].name != "given" || got[1].name != "more" {
		t.Errorf("%+v", got)
	}
}

func TestListComesFromFilesAndTheWeb(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, linkOf(1)) }
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	defer web.Close()
	file := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(file, []byte(linkOf(2)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{web.URL, file} {
		if all, err := (&listSource{from: from}).read(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("%s: %v, %v", from, all, err)
		}
	}
	s := &listSource{from: web.URL}
	for _, c := range []struct {
		says   string
		answer http.HandlerFunc
	}{
		{"404 Not Found", http.NotFound},
		{"it names no channel: line 1: there is no relay:// link in it", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "<html>Log in</html>") }},
		{"longer than", func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, maxList+1)) }},
	} {
		answer = c.answer
		if _, err := s.read(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want %q", err, c.says)
		}
	}
	if !s.firstFailure() || s.firstFailure() {
		t.Error("a failure is not told exactly once")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.read(ended); err == nil {
		t.Error("reading goes on after the end")
	}
	s.problems = []string{"a", "b"}
	if got := s.newProblems(); len(got) != 2 {
		t.Errorf("%q", got)
	}
	s.problems = []string{"b", "c"}
	if got := s.newProblems(); len(got) != 1 || got[0] != "c" {
		t.Errorf("%q", got)
	}
}

func TestAListWithSecretsThatEverybodyCanReadIsWarnedOfOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the mode says nothing there")
	}
	file := filepath.Join(t.TempDir(), "list")
	s := &listSource{from: file}
	const private = "#join-aaaaaaaaaaaaaaaaaaaaaaaaaa"
	warning := func(mode string) string {
		return fmt.Sprintf("relay: warning: %s has a secret, and others on this machine can read it (mode %s)\n"+
			"relay: hint: chmod o= %s; if somebody may have read it, take another secret\n", file, mode, file)
	}
	for i, step := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{linkOf(1), 0o644, ""},
		{linkOf(1) + "\n" + linkOf(2) + private, 0o644, warning("0644")},
		{linkOf(2) + private, 0o644, ""}, // it was told
		{linkOf(2) + private, 0o640, ""}, // as the package has it: for the service's group
		{linkOf(2) + private, 0o600, ""},
		{linkOf(2) + private, 0o604, warning("0604")},
		{linkOf(1), 0o604, ""},
	} {
		if err := errors.Join(os.WriteFile(file, []byte(step.text), 0o600), os.Chmod(file, step.mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		if s.sayProblems(term.New(&said, &said)); said.String() != step.want {
			t.Errorf("step %d: %q, want %q", i, said.String(), step.want)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte("stage " + linkOf(1) + " # big\n"))
	f.Add([]byte("relay:\n#\n\xff\x00"))
	f.Add([]byte(strings.Repeat("x\n", 100)))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, problems := parseList(text)
		if len(all) > MaxServed || len(problems) > maxListProblems+2 {
			t.Fatalf("%d channels, %d problems", len(all), len(problems))
		}
		seen := map[stream.ChannelID]bool{}
		for _, w := range all {
			if seen[w.invite.Channel] || w.name != term.Clean(w.name) || utf8.RuneCountInString(w.name) > maxListName {
				t.Fatalf("%+v", w)
			}
			seen[w.invite.Channel] = true
		}
	})
}
