// Package naming says which channel people mean by what they type: on the command
// line, in a question, and in the path of an address.
package naming

import (
	"fmt"
	"strconv"
	"strings"

	"relay/relay/stream"
)

const (
	// ShortestID is how many characters of an ID name a channel at least: a second
	// channel soon begins like fewer, and breaks every address that is made of them.
	ShortestID = 4
	// maxListed is how many channels a list names: what fits a line or two.
	maxListed = 8
)

// Channel is what one channel may be called.
type Channel struct {
	// ID is the text form of the channel's ID, in lower case.
	ID string
	// Names are its title and what else people call it. A stranger may have chosen
	// them. Empty ones stand for none.
	Names []string
}

// String names the channel, with what tells it from others of that name.
func (c Channel) String() string {
	id := c.ID[:min(len(c.ID), stream.ShortLen)]
	for _, n := range c.Names {
		if n != "" {
			return strconv.Quote(n) + " (" + id + ")"
		}
	}
	return id
}

// List names channels in one line.
func List(all []Channel) string {
	var parts []string
	for _, c := range all[:min(len(all), maxListed)] {
		parts = append(parts, c.String())
	}
	if more := len(all) - maxListed; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

// fit is how well a name fits a channel.
type fit int

const (
	not   fit = iota
	begin     // the start of a name, or of the ID
	exact     // a name, or at least the short form of the ID
	whole     // the ID
)

// Meant returns the indexes of the channels that name may mean, in their order: those
// that it fits exactly, or else those that begin like it. The whole ID means its channel
// alone. The short form of an ID counts as exact, so that nobody takes over another's by
// making it a title. Upper and lower case are the same, as are blanks around a name.
func Meant(name string, all []Channel) []int {
	name = fold(name)
	best := begin
	var is []int
	for i, c := range all {
		f := c.fit(name)
		if f < best {
			continue
		}
		if f > best {
			best, is = f, nil
		}
		is = append(is, i)
	}
	return is
}

// fit takes the name as fold returns it.
func (c Channel) fit(name string) fit {
	best := not
	switch {
	case name == "":
		return not
	case name == c.ID:
		return whole
	case strings.HasPrefix(c.ID, name) && len(name) >= stream.ShortLen:
		return exact
	case strings.HasPrefix(c.ID, name) && len(name) >= ShortestID:
		best = begin
	}
	for _, n := range c.Names {
		if n = fold(n); n == name {
			return exact
		} else if strings.HasPrefix(n, name) {
			best = begin
		}
	}
	return best
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// One returns the index of the channel that name means. If there is not exactly one, the
// error is a [*NoneError] or an [*AmbiguousError].
func One(name string, all []Channel) (int, error) {
	is := Meant(name, all)
	switch len(is) {
	case 0:
		none := &NoneError{Name: name}
		start := fold(name)
		for _, c := range all {
			none.Short = none.Short || start != "" && strings.HasPrefix(c.ID, start)
		}
		return 0, none
	case 1:
		return is[0], nil
	}
	e := &AmbiguousError{Name: name}
	for _, i := range is {
		e.Channels = append(e.Channels, all[i])
	}
	return 0, e
}

// NoneError says that no channel is called or begins like that.
type NoneError struct {
	Name  string
	Short bool // an ID begins like that, but fewer than [ShortestID] characters name none
}

func (e *NoneError) Error() string {
	if e.Short {
		return fmt.Sprintf("%q is too short for an ID: %d characters name one at least", e.Name, ShortestID)
	}
	return fmt.Sprintf("there is no channel %q", e.Name)
}

// AmbiguousError says that more than one channel is called or begins like that.
type AmbiguousError struct {
	Name     string
	Channels []Channel
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q may mean %d channels: %s", e.Name, len(e.Channels), List(e.Channels))
}
