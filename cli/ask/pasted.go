package ask

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"relay/cli/fault"
	"relay/playback"
	"relay/relay"
	"relay/relay/naming"
	"relay/relay/stream"
)

// maxPasted bounds what is looked at, in bytes: a link with a sentence around it.
const maxPasted = 4096

// Pasted is what a person gave where a link is expected. One of Invite, Page and Name is set;
// all are zero if nothing was given.
type Pasted struct {
	Invite relay.Invite
	// Page is a node's address for players, which has to be asked for the link: a scheme, http
	// or https, and a host with a port.
	Page *url.URL
	// Channel is which of the channels there is meant, by the start of its ID; "" if the
	// address does not say.
	Channel string
	Name    string // a title, an ID, or the beginning of one
}

// Paste reads what a person has copied from somewhere: a link, with or without a port and
// with what stands around it in a message; the address of a page or of a stream on it; a
// node's address alone; or a channel's name. It asks nobody. The error says what is missing.
func Paste(text string) (Pasted, error) {
	if len(text) > maxPasted {
		return Pasted{}, fault.Usage(wholeLink, "bad link: it has %d characters, the most is %d", len(text), maxPasted)
	}
	s := bare(text)
	if rest, ok := cutFold(s, "relay watch "); ok {
		s = bare(rest)
	}
	if at := indexFold(s, relay.Scheme); at >= 0 {
		return pastedLink(word(s[at:]))
	}
	for _, scheme := range []string{"http://", "https://"} {
		if at := indexFold(s, scheme); at >= 0 {
			return pastedPage(word(s[at:]))
		}
	}
	if id, _, ok := strings.Cut(s, "@"); ok {
		if _, err := stream.ParseChannelID(id); err == nil {
			return pastedLink(relay.Scheme + word(s)) // as some programs show addresses
		}
	}
	if _, ok := cutFold(s, "relay:"); ok || strings.Contains(s, "://") {
		return pastedLink(s) // which it is not: the error says why
	}
	if at, ok := nodeAddress(s); ok {
		return Pasted{Page: &url.URL{Scheme: "http", Host: at}}, nil
	}
	return Pasted{Name: text}, nil
}

const wholeLink = "copy the whole link that relay source printed"

func pastedLink(s string) (Pasted, error) {
	inv, err := relay.ParseInvite(s)
	if err != nil {
		return Pasted{}, fault.Usage(wholeLink, "%w", err)
	}
	return Pasted{Invite: inv}, nil
}

// pastedPage reads the address of a page, or of something that the page leads to.
func pastedPage(s string) (Pasted, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return Pasted{}, fault.Usage("the page's address looks like http://192.168.1.5:7145/", "bad link: there is no host in %q", s)
	}
	p := Pasted{Page: &url.URL{Scheme: strings.ToLower(u.Scheme), Host: u.Host}}
	if u.Port() == strconv.Itoa(relay.DefaultPort) {
		p.Page.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(playback.DefaultPort))
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if first == "hls" {
		first, _, _ = strings.Cut(rest, "/")
	}
	first, _, _ = strings.Cut(first, ".")
	for _, name := range []string{u.Fragment, first} {
		if len(name) >= naming.ShortestID && strings.Trim(strings.ToLower(name), stream.ChannelIDChars) == "" {
			p.Channel = strings.ToLower(name)
			break
		}
	}
	return p, nil
}

// nodeAddress returns where to ask a node whose address stands alone: an IP address with or
// without a port, or a name with dots and a port. Other words are names of channels. The port
// for links answers no questions; players have another.
func nodeAddress(s string) (string, bool) {
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil && ip.Zone() == "" {
		return net.JoinHostPort(ip.String(), strconv.Itoa(playback.DefaultPort)), true
	}
	h, err := relay.ParseHostPort(s)
	if err != nil {
		return "", false
	}
	if _, err := netip.ParseAddr(h.Host); err != nil && !strings.Contains(h.Host, ".") && h.Host != "localhost" {
		return "", false
	}
	if h.Port == relay.DefaultPort {
		h.Port = playback.DefaultPort
	}
	return h.String(), true
}

const (
	// opening and closing are what people and programs put around an address.
	opening = "<\"'`(“”„‘’‚«»"
	closing = ">\"'`)“”‘’«».,;:!?…"
)

// bare strips blanks, what cannot be seen, and what stands around an address in a message.
func bare(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) { // such as the zero-width space of a web page
			return -1
		}
		return r
	}, s)
	for {
		was := s
		s = strings.TrimSpace(s)
		s = strings.TrimLeft(s, opening)
		s = strings.TrimRight(s, closing)
		if s == was {
			return s
		}
	}
}

// word is the beginning of s up to a blank, or to a sign that stands in no address.
func word(s string) string {
	if at := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>\"`“”„«»", r) }); at >= 0 {
		s = s[:at]
	}
	return strings.TrimRight(s, closing)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// indexFold is the index of an ASCII text in s, whatever the case; -1 if it is not there.
func indexFold(s, of string) int {
	for i := 0; i+len(of) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(of)], of) {
			return i
		}
	}
	return -1
}
