package follow

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"relay/cli/domain"
	"relay/relay"
	"relay/relay/oneline"
	"relay/relay/stream"
)

const (
	// MaxList bounds the list, in bytes, and maxFollowed the channels on it that count: each is asked about.
	MaxList     = 64 << 10
	maxFollowed = 256
	// maxName bounds a name, in characters: what fits a column.
	maxName = 32
	// maxHosts bounds the addresses of a channel: they are asked one after the other.
	maxHosts = 8
	// maxProblems bounds how many bad lines are told of.
	maxProblems = 5
)

// Head is what a new list begins with.
const Head = `# Channels that you follow, one on a line: a name, the channel's ID, and addresses at which it may be, if any.
# A name is one word. An address is HOST:PORT, or @DOMAIN for what that domain says. You may edit this, and give it
# to others: relay follow --import FILE takes what is in it. relay list shows who is live, relay watch NAME watches.
`

// Channel is one that is followed.
type Channel struct {
	Name  string
	ID    stream.ChannelID
	Hosts []relay.HostPort // may be empty
}

// Invite is the channel's invite, without a secret.
func (c Channel) Invite() relay.Invite { return relay.Invite{Channel: c.ID, Hosts: c.Hosts} }

// line is the channel as the list has it.
func (c Channel) line() string {
	l := c.Name + " " + c.ID.String()
	for _, h := range c.Hosts {
		l += " " + h.String()
	}
	return l
}

// List is what a list says.
type List struct {
	lines    []line
	Channels []Channel // those that count, in the order of the list
	Problems []string  // lines that say nothing; the first few
}

// line is a line as it was written. What is on it that counts is a channel; nil for remarks and mistakes.
type line struct {
	text    string
	channel *Channel
}

// Parse reads a list. Lines that cannot be read are left out and told of, and stay where they are when it is written.
func Parse(text []byte) *List {
	l := &List{}
	for i, t := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		n := line{text: t}
		if c, ok, err := parseLine(t); err != nil {
			l.problem(i, err)
		} else if ok {
			if err := l.fits(c); err != nil {
				l.problem(i, err)
			} else {
				n.channel = &c
				l.Channels = append(l.Channels, c)
			}
		}
		l.lines = append(l.lines, n)
	}
	if len(text) == 0 {
		l.lines = nil
	}
	return l
}

func (l *List) problem(at int, err error) {
	if len(l.Problems) < maxProblems {
		l.Problems = append(l.Problems, fmt.Sprintf("line %d: %v", at+1, err))
	}
}

// Why a channel cannot be on a list.
var (
	errNameTaken = errors.New("the name stands for another channel already")
	errThere     = errors.New("the channel is there already")
	errFull      = fmt.Errorf("%d channels are followed at most", maxFollowed)
	errNoID      = errors.New("it is not a name, a channel's ID and addresses")
)

// fits reports why a channel cannot be on the list beside those that are; nil if it can.
func (l *List) fits(c Channel) error {
	for _, o := range l.Channels {
		switch {
		case o.ID == c.ID:
			return fmt.Errorf("%w, as %s", errThere, o.Name)
		case strings.EqualFold(o.Name, c.Name):
			return errNameTaken
		}
	}
	if len(l.Channels) == maxFollowed {
		return errFull
	}
	return nil
}

// parseLine reads a line. It reports false for what is empty, or a remark.
func parseLine(s string) (c Channel, ok bool, err error) {
	s, _, _ = strings.Cut(s, "#")
	f := strings.Fields(s)
	switch {
	case len(f) == 0:
		return c, false, nil
	case len(f) == 1:
		return c, false, errNoID
	case len(f) > 2+maxHosts:
		return c, false, fmt.Errorf("it has %d addresses, the most is %d", len(f)-2, maxHosts)
	}
	if err := CheckName(f[0]); err != nil {
		return c, false, err
	}
	if c.Name = f[0]; len(f) > 2 {
		inv, err := relay.ParseInvite(relay.Scheme + f[1] + "@" + strings.Join(f[2:], ","))
		if err != nil {
			return c, false, err
		}
		c.ID, c.Hosts = inv.Channel, inv.Hosts
		return c, len(c.Hosts) <= maxHosts, nil
	}
	if c.ID, err = stream.ParseChannelID(f[1]); err != nil {
		return c, false, err
	}
	return c, true, nil
}

// CheckName reports what is wrong with a name: it has to be one word, and to be shown as it is written, and nothing
// else that may stand in its place.
func CheckName(s string) error {
	if _, _, is := domain.Split(s); is {
		return fmt.Errorf("%s is a domain, and would not be asked any more", oneline.Quote(s))
	}
	if _, err := stream.ParseChannelID(s); err == nil {
		return errors.New("a channel's ID is no name")
	}
	if s == "" || strings.ContainsAny(s, " #@/:,<>\"'`|&=") || s[0] == '-' || oneline.Clean(s, maxName) != s || strings.ContainsRune(s, '\ufffd') {
		return fmt.Errorf("%s is no name: one word of up to %d letters and digits, as late-night", oneline.Quote(s), maxName)
	}
	return nil
}

// Find returns the channel of that name; nil if there is none.
func (l *List) Find(name string) *Channel {
	for i := range l.Channels {
		if strings.EqualFold(l.Channels[i].Name, strings.TrimSpace(name)) {
			return &l.Channels[i]
		}
	}
	return nil
}

// Add puts a channel at the end. One that is there gets the name and the addresses, if it has any.
func (l *List) Add(c Channel) error {
	c.Hosts = c.Hosts[:min(len(c.Hosts), maxHosts)]
	for i := range l.lines {
		o := l.lines[i].channel
		if o == nil || o.ID != c.ID {
			continue
		}
		if same := l.Find(c.Name); same != nil && same.ID != c.ID {
			return errNameTaken
		}
		if len(c.Hosts) == 0 {
			c.Hosts = o.Hosts
		}
		at := slices.IndexFunc(l.Channels, func(k Channel) bool { return k.ID == c.ID })
		_, remark, has := strings.Cut(l.lines[i].text, "#")
		l.lines[i] = line{c.line(), &c}
		if has {
			l.lines[i].text += " #" + remark
		}
		l.Channels[at] = c
		return nil
	}
	if err := l.fits(c); err != nil {
		return err
	}
	if len(l.lines) == 0 {
		for _, h := range strings.Split(strings.TrimSuffix(Head, "\n"), "\n") {
			l.lines = append(l.lines, line{text: h})
		}
	}
	l.lines = append(l.lines, line{c.line(), &c})
	l.Channels = append(l.Channels, c)
	return nil
}

// Take puts a channel of another list at the end, unless it is there: what it is called here stays.
func (l *List) Take(c Channel) error {
	if err := l.fits(c); err != nil {
		return err
	}
	return l.Add(c)
}

// IsTaken reports whether an error of Add says that the name stands for another channel.
func IsTaken(err error) bool { return errors.Is(err, errNameTaken) }

// IsThere reports whether an error of Take says that the channel is there already.
func IsThere(err error) bool { return errors.Is(err, errThere) }

// Text is what counts of the list, a line for each channel.
func (l *List) Text() string {
	var b strings.Builder
	for _, c := range l.Channels {
		b.WriteString(c.line() + "\n")
	}
	return b.String()
}

// Remove takes a channel off the list, by its name or ID. It reports false if it is not there.
func (l *List) Remove(name string) (Channel, bool) {
	c := l.Find(name)
	if id, err := stream.ParseChannelID(name); c == nil && err == nil {
		if i := slices.IndexFunc(l.Channels, func(k Channel) bool { return k.ID == id }); i >= 0 {
			c = &l.Channels[i]
		}
	}
	if c == nil {
		return Channel{}, false
	}
	gone := *c
	l.lines = slices.DeleteFunc(l.lines, func(n line) bool { return n.channel != nil && n.channel.ID == gone.ID })
	l.Channels = slices.DeleteFunc(l.Channels, func(k Channel) bool { return k.ID == gone.ID })
	return gone, true
}

// Bytes is the list as it is written.
func (l *List) Bytes() []byte {
	var b bytes.Buffer
	for _, n := range l.lines {
		b.WriteString(n.text)
		b.WriteByte('\n')
	}
	return b.Bytes()
}
