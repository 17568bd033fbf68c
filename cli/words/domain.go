package words

import (
	"errors"
	"fmt"
	"time"

	"relay/cli/domain"
	"relay/cli/fault"
	"relay/playback"
	"relay/relay/stream"
)

// DomainSays tells which channel a domain names; called is its name and its ID.
func DomainSays(n domain.Name, called string) string {
	return fmt.Sprintf("Found   %s says it is %s", n.Shown(), called)
}

// DomainAlso tells that a domain names a channel that it did not name when it was last asked, beside one that it did.
func DomainAlso(n domain.Name) string {
	return fmt.Sprintf("%s did not name this channel when it was asked last. It still names the other.", n.Shown())
}

// DomainAsked is shown while a domain is asked.
func DomainAsked(n domain.Name) string { return "asking " + n.Shown() }

// DomainTrouble tells what else a domain says and nobody can read.
func DomainTrouble(n domain.Name, err error) string {
	return fmt.Sprintf("A part of what %s says of relay cannot be read: %s", n.Shown(), fault.Plain(err))
}

// DomainKept tells that a domain cannot be asked now, and that what it said earlier counts.
func DomainKept(err error, id stream.ChannelID, at time.Time) string {
	return fmt.Sprintf("%s. On %s it said that it is %s, so nodes of then are tried.", fault.Plain(err), at.Format(time.DateOnly), id.Short())
}

// DomainForgotten tells that it could not be noted which channel a domain names.
func DomainForgotten(n string, err error) Warning {
	return Warning{warnForgotten, fmt.Sprintf("it cannot be noted which channel %s names, so a change would not be noticed: %s", n, fault.Plain(err)), ""}
}

// DomainChanged is the error of a domain that names another channel than before. as is the name by which it was
// asked.
func DomainChanged(as string, was, is stream.ChannelID, at time.Time) error {
	return &fault.Error{
		Err:  fmt.Errorf("ATTENTION: %s names ANOTHER CHANNEL than before. It was %s on %s, and now it says %s. Either its owner has a new key, or somebody has taken over the name", as, was.Short(), at.Format(time.DateOnly), is.Short()),
		Hint: "ask its owner in another way which one is right. If it is the new one: --new-id takes it from now on. The old one: relay watch relay://" + was.String() + "@HOST, with its address",
		Code: fault.ExitNobody,
	}
}

// DomainGone is the error of a domain that names no channel any more.
func DomainGone(err error, was stream.ChannelID, at time.Time) error {
	return &fault.Error{
		Err:  fmt.Errorf("%w. On %s it named %s", err, at.Format(time.DateOnly), was.Short()),
		Hint: "has its owner moved? --new-id looks for a channel or a machine of that name as if it had never named one",
		Code: fault.ExitNobody,
	}
}

// DomainNone is the error of a name by which nothing was found: a domain that names no channel, nor has anybody on
// this network one of that title, nor is there a page of a node. looked says that the network was looked at.
func DomainNone(err error, looked bool) error {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return fault.Fail("", "%w", err)
	}
	n := e.Name
	f := &fault.Error{Err: e, Code: fault.ExitNobody}
	switch e.Kind {
	case domain.Unknown:
		f.Hint = "is it spelt right? If it is a title: no channel on this network begins like that"
		if !looked {
			f.Hint = "is it spelt right?"
		}
	case domain.Silent:
		f.Hint = "is this machine online? If it is, another name server may know: --resolver 9.9.9.9"
	case domain.Blocked:
		f.Hint = "another name server may say more: --resolver 9.9.9.9"
	case domain.Broken, domain.Gone:
		f.Hint = "tell its owner: relay link --dns " + string(n) + " prints what belongs there"
	case domain.NoRecord:
		f.Hint = fmt.Sprintf("relay link --dns %s prints what its owner has to put there. Nor is it a machine with a page of relay's at port %d", n, playback.DefaultPort)
	}
	return f
}

// DomainRecord says what to do with the two lines that relay link --dns prints.
func DomainRecord(n domain.Name) []string {
	return []string{
		fmt.Sprintf("The first line is for DNS: a record of type TXT, whose name is _relay in the zone of %s. One for each channel.", n.Shown()),
		fmt.Sprintf("Where DNS cannot be edited: the second is a line of the file https://%s/.well-known/relay.txt", n),
		"Then relay watch " + n.Shown() + " finds the channel. The third is its link that does not age.",
	}
}

// DomainInside warns that a record would lead only the neighbours to the channel.
const (
	DomainInside     = "the record names only addresses of this network, so it leads nobody here from elsewhere"
	DomainInsideHint = "name the address under which others reach this machine: --advertise HOST:PORT"
)
