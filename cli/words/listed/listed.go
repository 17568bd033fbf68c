// Package listed is what people are told of directories, and of channels in them.
package listed

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/cli/words"
	"relay/playback/directory"
)

// warnDirectory is the code of what a directory does not take.
const warnDirectory = "directory"

// Announced says, before anything is sent, what a channel's announcement lets everybody see.
func Announced(to []*url.URL) string {
	return fmt.Sprintf("To be listed at %s: everybody can see the channel there, with its title, what is said of it, how many watch, and this machine's addresses.", hosts(to))
}

func hosts(of []*url.URL) string {
	var all []string
	for _, u := range of {
		all = append(all, u.Host)
	}
	return strings.Join(all, ", ")
}

// Private refuses to list a private channel.
func Private() error {
	return fault.Usage("leave --announce out, or broadcast a channel that is not private", "this channel is private, and a directory would tell everybody of it")
}

// Again says that a directory lists the channel now, which it did not before.
func Again(at *url.URL) string {
	return fmt.Sprintf("%s lists the channel now.", at.Host)
}

// Instead says that a mirror lists the channel while the directory is gone.
func Instead(mirror, of *url.URL) string {
	return fmt.Sprintf("%s lists the channel in place of %s, which it mirrors.", mirror.Host, of.Host)
}

// Not says why a directory does not list the channel.
func Not(at *url.URL, why error) words.Warning {
	w := words.Warning{Code: warnDirectory}
	no, refused := errors.AsType[*directory.RefusedError](why)
	if !refused {
		w.Text = fmt.Sprintf("the directory %s does not list the channel: %s", at.Host, directoryError(why))
		w.Hint = "is --announce right, and does that directory run? The stream goes on; still trying"
		return w
	}
	text, known := notListed[string(no.Why)]
	if !known {
		text = said{"the directory %s does not list the channel, for a reason that this version does not know", "the stream goes on; still trying. relay update --check says whether there is a newer version"}
	}
	w.Text, w.Hint = fmt.Sprintf(text.what, at.Host), text.next
	if no.Why == directory.RefusedClock {
		w.Text = fmt.Sprintf("the directory %s does not list the channel: this machine's clock says %s, and its clock says %s", at.Host, clock(time.Now()), clock(no.Now))
	}
	return w
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// said is what a directory says, and what to do.
type said struct{ what, next string }

// notListed is by reason what a directory says, with its name in the sentence, and what to do.
var notListed = map[string]said{
	string(directory.RefusedDenied):  {"whoever runs the directory %s does not list this channel", "ask them why, or leave it out of --announce"},
	string(directory.RefusedClock):   {"%s", "set this machine's clock. The stream goes on; still trying"},
	string(directory.RefusedDead):    {"the directory %s does not list the channel: it cannot reach this machine", "have the router let the port for links in (relay doctor --internet says whether it does), or use --via. The stream goes on; still trying"},
	string(directory.RefusedOther):   {"the directory %s does not list the channel: another relay answers at the address that this one gives", "is --advertise right? The stream goes on; still trying"},
	string(directory.RefusedPlaces):  {"the directory %s does not list the channel: this machine has no address at which it could be reached from there", "have the router let the port for links in, give the address that leads here (--advertise), or use --via. The stream goes on; still trying"},
	string(directory.RefusedBudget):  {"the directory %s does not list the channel: nobody has answered at this machine's address, too often", "relay doctor --internet says whether others get through. The stream goes on; still trying"},
	string(directory.RefusedAddress): {"the directory %s does not list the channel yet: so many have been announced from this address, or its neighbourhood, that it takes no more for now", "the stream goes on; it is tried again later"},
	string(directory.RefusedOften):   {"the directory %s does not list the channel yet: it was announced less than a minute ago", "the stream goes on; it is tried again in a minute. Does a second relay source have this channel's key?"},
	string(directory.RefusedBusy):    {"the directory %s does not list the channel yet: it is busy", "the stream goes on; still trying"},
	string(directory.RefusedFull):    {"the directory %s does not list the channel: its list is full", "the stream goes on; still trying. Announce it at another directory as well"},
	string(directory.RefusedProxy):   {"the directory %s does not list the channel: a proxy in front of it does not say who asks", "tell whoever runs it to name the proxy with --trusted-proxy. The stream goes on; still trying"},
	string(directory.RefusedShort):   {"the directory %s does not list the channel: a proxy in between takes bytes out of what is sent", "announce it over https, or without a proxy. The stream goes on; still trying"},
	string(directory.RefusedForged):  {"the directory %s does not list the channel: what is sent is changed on the way", "announce it over https. The stream goes on; still trying"},
	string(directory.RefusedGarbled): {"the directory %s does not understand the announcement: it is of another version", "the stream goes on; still trying"},
	string(directory.RefusedLarge):   {"the directory %s does not list the channel: what is said of it is too long", "shorten --description. The stream goes on; still trying"},
}

// directoryError is why a directory was not reached.
func directoryError(err error) string {
	no := new(directory.StatusError)
	switch {
	case errors.Is(err, directory.ErrElsewhere):
		return "it leads to another host"
	case errors.Is(err, directory.ErrNoDirectory):
		return "what answers there is no directory"
	case errors.Is(err, directory.ErrUnending):
		return "its list does not end"
	case errors.As(err, &no):
		return fmt.Sprintf("it answers %d", no.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return "it does not answer in time"
	}
	return term.Clean(fault.Plain(err))
}

// Failed says that a directory could not be read.
func Failed(f directory.Failure) (text, hint string) {
	return fmt.Sprintf("the directory %s could not be read: %s", f.URL.Host, directoryError(f.Err)), "is --directory right, and does it run?"
}

// Refused says how much of what directories told does not count; "" for nothing.
func Refused(l *directory.List) string {
	switch {
	case l.Forged > 0 && l.Old > 0:
		return fmt.Sprintf("Left out: %d channels that their keys have not signed so, and %d that are over.", l.Forged, l.Old)
	case l.Forged > 0:
		return fmt.Sprintf("Left out: %d channels that their keys have not signed so.", l.Forged)
	case l.Old > 0:
		return fmt.Sprintf("Left out: %d channels that are over, by this machine's clock.", l.Old)
	}
	return ""
}

// More says that there are more channels than are shown; "" if there are not.
func More(shown, total int) string {
	if total <= shown {
		return ""
	}
	return fmt.Sprintf("Shown are %d of %d channels. relay list --directory URL --search WORDS finds others.", shown, total)
}

// FoundIn says where a channel was found.
func FoundIn(channel, host string) string { return fmt.Sprintf("Found   %s at %s", channel, host) }

// Open says where a directory is.
func Open(base string) []string {
	return []string{
		"Page      " + base + "/",
		"Announce  relay source --announce " + base + "/",
		"Ask       relay list --directory " + base + "/",
	}
}

// Trouble says what goes wrong with what a directory reads, or that it is over.
func Trouble(t directory.Trouble) (text, hint string) {
	line := new(directory.ErrLine)
	switch {
	case t.Files && t.Err == nil:
		return "The lists of --allow and --deny are read again.", ""
	case t.Files && errors.As(t.Err, &line):
		return fmt.Sprintf("%s, line %d, begins with no channel's ID or link", line.File, line.Line), "what was read before goes on to count; it is read again when it changes"
	case t.Files:
		return "a list of --allow or --deny cannot be read: " + fault.Plain(t.Err), "what was read before goes on to count"
	case t.Err == nil:
		return fmt.Sprintf("The directory %s is mirrored again.", t.Mirror), ""
	}
	return fmt.Sprintf("the directory %s cannot be mirrored: %s", t.Mirror, directoryError(t.Err)), "its channels stay for ten minutes; it is asked again each minute"
}

// Status is one line about a directory.
func Status(st directory.Status) string {
	refused := uint64(0)
	for _, n := range st.Refused {
		refused += n
	}
	return fmt.Sprintf("%d channels, %d watching | %d mirrored | %d refused", st.Channels, st.Listeners, len(st.Mirrors), refused)
}

// OnlyPeerCast says that a name means a channel of PeerCast's.
func OnlyPeerCast(name, address string) error {
	return &fault.Error{
		Err:  fmt.Errorf("%q is a channel of PeerCast's, which relay watch does not play", name),
		Hint: "relay source " + address + " brings it into a tree of relays", Code: fault.ExitNobody,
	}
}

// None says that a name is not there.
func None(name string, in []*url.URL) error {
	return &fault.Error{
		Err:  fmt.Errorf("no channel at %s has a title or an ID that begins with %q", hosts(in), name),
		Hint: "relay list shows what there is", Code: fault.ExitNobody,
	}
}

// Unreachable says that a channel is listed without a place that means something here.
func Unreachable(channel string) error {
	return &fault.Error{
		Err:  fmt.Errorf("%s is listed, and none of its addresses mean anything in this network", channel),
		Hint: "ask its broadcaster for the link", Code: fault.ExitNobody,
	}
}
