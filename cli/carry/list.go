package carry

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/relay"
	"relay/relay/stream"
)

const (
	// MaxServed is how many channels one relay serve carries: each may hold 64 MiB of
	// media for its readers.
	MaxServed = 256
	// maxList bounds a list of channels, in bytes: a thousand long links and remarks.
	maxList = 1 << 20
	// maxListName bounds a channel's name in a list, in characters.
	maxListName = 64
	// maxListProblems is how many bad lines are reported. More are usually the same mistake.
	maxListProblems = 5
	// listTimeout bounds fetching a list.
	listTimeout = 10 * time.Second
)

// wanted is a channel that is to be carried.
type wanted struct {
	invite relay.Invite
	name   string // for people; may be empty
}

// label names the channel in messages.
func (l wanted) label() string {
	if l.name == "" {
		return l.invite.Channel.Short()
	}
	return l.name + " (" + l.invite.Channel.Short() + ")"
}

// errPhrase says that a link leads to nothing here, since nobody can be asked.
var errPhrase = errors.New("the channel has a passphrase, for which nobody can be asked here: relay link --join-only, at its source, prints a link for this")

// Unread returns the invite with what it takes to pass a channel on, and no more: nobody watches here.
func Unread(u relay.Invite) (relay.Invite, error) {
	if u.Access.Private() && !u.Access.CanJoin() {
		return u, errPhrase
	}
	return u.JoinOnly(), nil
}

// union returns the channels of a, then those only in b, each once and MaxServed at most.
func union(a, b []wanted) (all []wanted) {
	seen := make(map[stream.ChannelID]bool, len(a)+len(b))
	for _, l := range append(a[:len(a):len(a)], b...) {
		if !seen[l.invite.Channel] && len(all) < MaxServed {
			seen[l.invite.Channel] = true
			all = append(all, l)
		}
	}
	return all
}

// listSource is where a list of channels comes from. It belongs to one goroutine.
type listSource struct {
	from     string // a file, or an http(s) address
	failed   bool   // the newest reading did, and a person was told
	problems []string
	told     map[string]bool
	exposed  string // the warning that others can read secrets in the file; "" for none
	remedy   string // what to do about that
	warned   string // the newest such warning that was told
}

// read reads the list. Lines that are no channel are left out and kept as problems; a
// list of nothing else is an error.
func (s *listSource) read(ctx context.Context) ([]wanted, error) {
	text, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	all, problems := parseList(text)
	if len(all) == 0 && len(problems) > 0 { // a web server's page of excuses, most likely
		return nil, fmt.Errorf("it names no channel: %s", problems[0])
	}
	s.failed, s.problems = false, problems
	if !slices.ContainsFunc(all, func(w wanted) bool { return w.invite.Access.Private() }) {
		s.exposed = ""
	}
	return all, nil
}

// firstFailure reports whether a person has not been told yet that reading fails.
func (s *listSource) firstFailure() bool {
	was := s.failed
	s.failed = true
	return !was
}

// newProblems returns what was wrong in the newest reading and not in the one before.
func (s *listSource) newProblems() (fresh []string) {
	now := make(map[string]bool, len(s.problems))
	for _, p := range s.problems {
		now[p] = true
		if !s.told[p] {
			fresh = append(fresh, p)
		}
	}
	s.told = now
	return fresh
}

// sayProblems reports once that others can read the secrets in the list, and each bad line of it.
func (s *listSource) sayProblems(t *term.Terminal) {
	if s.exposed != s.warned && s.exposed != "" {
		t.Warn(s.exposed, s.remedy)
	}
	s.warned = s.exposed
	for _, p := range s.newProblems() {
		t.Say("relay: error: the list of channels, %s", p)
	}
}

func (s *listSource) load(ctx context.Context) ([]byte, error) {
	var from io.ReadCloser
	if u, err := url.Parse(s.from); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		ctx, cancel := context.WithTimeout(ctx, listTimeout)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", u.Host, err)
		}
		from = resp.Body
		if resp.StatusCode != http.StatusOK {
			resp.Body.Close()
			return nil, fmt.Errorf("%s answers %s", u.Host, resp.Status)
		}
	} else {
		f, err := os.Open(s.from)
		if err != nil {
			return nil, err
		}
		s.exposed, s.remedy = fault.Exposed(f, fault.ForAll)
		from = f
	}
	defer from.Close()
	text, err := io.ReadAll(io.LimitReader(from, maxList+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxList {
		return nil, fmt.Errorf("it is longer than %d bytes", maxList)
	}
	return text, nil
}

// parseList reads a list: a link on each line, before or behind it a name; blank lines
// and remarks after # are passed over. problems says which lines are bad, and why.
func parseList(text []byte) (all []wanted, problems []string) {
	bad := 0
	problem := func(line int, format string, args ...any) {
		if bad++; bad <= maxListProblems {
			problems = append(problems, fmt.Sprintf("line %d: ", line)+fmt.Sprintf(format, args...))
		}
	}
	seen := map[stream.ChannelID]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxList+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimPrefix(lines.Text(), "\ufeff")
		if at := remark(line); at >= 0 {
			line = line[:at]
		}
		var l wanted
		var name []string
		found := false
		var err error
		for _, f := range strings.Fields(line) {
			if !found && strings.HasPrefix(strings.ToLower(f), "relay:") {
				found = true
				if l.invite, err = relay.ParseInvite(f); err == nil {
					l.invite, err = Unread(l.invite)
				}
				continue
			}
			name = append(name, f)
		}
		l.name = shorten(term.Clean(strings.Join(name, " ")))
		switch {
		case !found && len(name) == 0:
		case !found:
			problem(n, "there is no relay:// link in it")
		case err != nil:
			problem(n, "%v", err)
		case seen[l.invite.Channel]:
			problem(n, "channel %s is on the list already", l.label())
		case len(all) == MaxServed:
			problem(n, "one relay serve carries %d channels at most; the rest is left out", MaxServed)
			return all, problems
		default:
			seen[l.invite.Channel] = true
			all = append(all, l)
		}
	}
	if bad > maxListProblems {
		problems = append(problems, fmt.Sprintf("and %d lines more", bad-maxListProblems))
	}
	return all, problems
}

// remark returns where a remark begins: # at the start or after a blank. In a link it
// begins the secret. -1 if there is none.
func remark(line string) int {
	for i, r := range line {
		if r == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return i
		}
	}
	return -1
}

func shorten(name string) string {
	if utf8.RuneCountInString(name) <= maxListName {
		return name
	}
	return string([]rune(name)[:maxListName])
}
