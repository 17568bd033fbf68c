package ask

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
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
// all are zero if nothing was given. The invite may name no host: see [Pasted.ByID].
type Pasted struct {
	Invite relay.Invite
	// Page is a node's address for players, which has to be asked for the link: a scheme, http
	// or https, a host with or without a port, and the path that was given.
	Page *url.URL
	// Channel is which of the channels there is meant, by the start of its ID; "" if the
	// address does not say.
	Channel string
	Name    string // a title, an ID, or the beginning of one
	byID    bool   // a link was given that names no host
}

// Paste reads what a person has copied from somewhere: a link, with or without a port, broken over
// lines, and with what stands around it in a message; the address of a page or of a stream on it; a
// node's address alone; or a channel's name. It asks nobody. The error says what is missing, and
// shows no secret.
func Paste(text string) (Pasted, error) {
	if len(text) > maxPasted {
		return Pasted{}, fault.Usage(wholeLink, "bad link: it has %d characters, the most is %d", len(text), maxPasted)
	}
	s := mended(text)
	plain := unescaped(s)
	if at := indexFold(plain, relay.Scheme); at >= 0 {
		p, err := whole(plain[at:], pastedLink)
		if errors.Is(err, relay.ErrNoAddress) {
			if inv, bad := relay.ParseID(word(plain[at:])); bad == nil {
				return Pasted{Invite: inv, byID: true}, nil
			}
		}
		return p, err
	}
	if link, ok := schemeless(plain); ok {
		return whole(link, pastedLink)
	}
	for _, s := range []string{s, plain} {
		for _, scheme := range []string{"http://", "https://"} {
			if at := indexFold(s, scheme); at >= 0 {
				return whole(s[at:], pastedPage)
			}
		}
	}
	given := s
	s = bare(s)
	if err := otherScheme(s); err != nil {
		return Pasted{}, err
	}
	if _, ok := cutFold(s, "relay:"); ok || strings.Contains(s, "://") {
		p, _, err := pastedLink(s) // which it is not: the error says why
		return p, err
	}
	if p, ok, err := pastedAddress(s); ok || err != nil {
		return p, err
	}
	if at, ok := addressWithin(s); ok {
		p, _, err := pastedPage("http://" + at + "/")
		return p, err
	}
	if s := unescaped(text); Shown(s) != s {
		return Pasted{}, fault.Usage(wholeLink, "bad link: what stands before the # is not %sCHANNEL@HOST:PORT", relay.Scheme)
	}
	if s != "" && inFront.MatchString(strings.TrimSpace(given)) {
		return Pasted{Name: s}, nil
	}
	return Pasted{Name: text}, nil
}

// Link reports whether a link was given.
func (p Pasted) Link() bool { return len(p.Invite.Hosts) > 0 || p.byID }

// ByID reports whether a link was given that names no host, so that the channel has to be found by its ID.
func (p Pasted) ByID() bool { return p.byID }

// NoAddress says that a link that names no host is of no use here.
func NoAddress() error { return fault.Usage(wholeLink, "bad link: %w", relay.ErrNoAddress) }

// otherScheme says of an address of another kind what it is good for.
func otherScheme(s string) error {
	scheme, _, ok := strings.Cut(s, "://")
	if !ok || !slices.Contains([]string{"rtmp", "rtmps", "srt", "rtsp", "udp", "rtp", "hls", "file"}, strings.ToLower(scheme)) {
		return nil
	}
	return fault.Usage("to play it, open it in VLC or mpv; to broadcast it, relay source ADDRESS. To watch a channel, "+wholeLink+", or the page's address", "an address that begins with %s:// is no link, which begins with %s", strings.ToLower(scheme), relay.Scheme)
}

// addressWithin returns the address of a node that a sentence names, if it names one and nothing else can be
// meant by it: one of a private network, or one with a port of relay's.
func addressWithin(s string) (string, bool) {
	found := ""
	for _, w := range strings.Fields(s) {
		w = bare(w)
		host, _, err := net.SplitHostPort(w)
		if err != nil {
			host = w
		}
		ip, err := netip.ParseAddr(host)
		at, ok := nodeAddress(w)
		if err != nil || !ok || !ip.Is4() || host == w && !ip.IsPrivate() {
			continue
		}
		if found != "" {
			return "", false
		}
		found = at
	}
	return found, found != ""
}

const wholeLink = "copy the whole link that relay source printed"

// pastedLink reads a link. Those that relay prints end in a port or a secret.
func pastedLink(s string) (p Pasted, ends bool, err error) {
	inv, err := relay.ParseInvite(s)
	if err != nil {
		return Pasted{}, false, fault.Usage(wholeLink, "%w", err)
	}
	last := inv.Hosts[len(inv.Hosts)-1]
	return Pasted{Invite: inv}, inv.Access.Private() || strings.HasSuffix(s, ":"+strconv.Itoa(int(last.Port))), nil
}

// schemeless returns the link that begins with a whole channel ID, perhaps broken over lines, and an
// @, from what may be left of a scheme on.
func schemeless(s string) (string, bool) {
	for at := range len(s) {
		if s[at] != '@' {
			continue
		}
		from := at
		for letters := 0; from > 0 && letters < stream.ChannelIDLen; from-- {
			if s[from-1] != '\n' {
				letters++
			}
		}
		id := strings.ReplaceAll(s[from:at], "\n", "")
		if _, err := stream.ParseChannelID(id); err != nil {
			continue
		}
		if from == 0 || !unicode.IsLetter(rune(s[from-1])) && !unicode.IsDigit(rune(s[from-1])) {
			return relay.Scheme + id + s[at:], true
		}
	}
	return "", false
}

// pastedPage reads the address of a page, or of something that the page leads to. Those that relay
// prints have a port.
func pastedPage(s string) (p Pasted, ends bool, err error) {
	const example = "the page's address looks like http://192.168.1.5:7145/"
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return Pasted{}, false, fault.Usage(example, "bad link: there is no host in %q", Shown(s))
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), strconv.Itoa(playback.DefaultPort)) // for the look at the name alone
	}
	if _, err := relay.ParseHostPort(host); err != nil {
		return Pasted{}, false, fault.Usage(example, "bad link: %w", err)
	}
	p = Pasted{Page: &url.URL{Scheme: strings.ToLower(u.Scheme), Host: u.Host, Path: u.Path}}
	if u.Port() == strconv.Itoa(relay.DefaultPort) {
		p.Page.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(playback.DefaultPort))
	}
	_, file := folder(u.Path)
	for _, name := range []string{u.Fragment, u.Query().Get("ch"), file} {
		if len(name) >= naming.ShortestID && strings.Trim(strings.ToLower(name), stream.ChannelIDChars) == "" {
			p.Channel = strings.ToLower(name)
			break
		}
	}
	return p, u.Port() != "", nil
}

// folder splits the path of a page, or of a stream beside it, into where the page is and what names
// a channel there. A page is below "/", unless a proxy has it elsewhere.
func folder(path string) (base, channel string) {
	base, file, _ := cutLast(path, "/")
	if head, tail, ok := cutLast(base, "/"); ok && strings.HasSuffix(head, "/hls") {
		base, file = strings.TrimSuffix(head, "/hls"), tail
	}
	channel, kind, _ := strings.Cut(file, ".")
	if !slices.Contains([]string{"", "flv", "mp4", "ts", "m3u", "m3u8", "jpg"}, kind) {
		channel = "" // as of index.html
	}
	return base, channel
}

func cutLast(s, sep string) (before, after string, found bool) {
	if at := strings.LastIndex(s, sep); at >= 0 {
		return s[:at], s[at+len(sep):], true
	}
	return s, "", false
}

// pastedAddress reads a node's address that stands alone, perhaps with a path. The error is for what
// can be nothing but an address, and is none.
func pastedAddress(s string) (p Pasted, ok bool, err error) {
	if strings.ContainsFunc(s, unicode.IsSpace) {
		return Pasted{}, false, nil
	}
	if id, hosts, cut := strings.Cut(s, "@"); cut {
		first, _, _ := strings.Cut(hosts, ",")
		if _, ok := nodeAddress(first); ok { // a link whose ID is no ID
			p, _, err := pastedLink(relay.Scheme + id + "@" + hosts)
			return p, false, err
		}
		return Pasted{}, false, nil
	}
	if first, _, cut := strings.Cut(s, ","); cut {
		if _, ok := nodeAddress(first); ok {
			return Pasted{}, false, fault.Usage(wholeLink, "bad link: the channel ID is missing before the addresses")
		}
	}
	host, path, _ := strings.Cut(s, "/")
	if at, ok := nodeAddress(host); ok {
		p, _, err := pastedPage("http://" + at + "/" + path)
		return p, err == nil, err
	}
	if host, _, _ = strings.Cut(host, "#"); numeric.MatchString(host) {
		if !strings.Contains(host, "]:") && strings.Count(host, ":") != 1 {
			host = net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(playback.DefaultPort))
		}
		if _, err := relay.ParseHostPort(host); err != nil {
			return Pasted{}, false, fault.Usage("a node's address looks like 192.168.1.5:7145; or "+wholeLink, "bad address: %w", err)
		}
	}
	return Pasted{}, false, nil
}

// numeric is what is meant as an IP address, right or wrong: no title is written like that.
var numeric = regexp.MustCompile(`^([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(:.*)?|[0-9.]+\.[0-9.]+:[0-9]+|\[[0-9A-Fa-f:.]*:.*|[Ff][Ee]80::.*)$`)

// nodeAddress returns where to ask a node whose address stands alone: an IP address with or
// without a port, a name with dots or a port of relay's, or a name that only a machine on this network
// has. Other words are names of channels. The port for links answers no questions; players have another.
func nodeAddress(s string) (string, bool) {
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		s = net.JoinHostPort(ip.String(), strconv.Itoa(playback.DefaultPort))
	} else if local(s) {
		s = net.JoinHostPort(s, strconv.Itoa(playback.DefaultPort))
	}
	h, err := relay.ParseHostPort(s)
	if err != nil {
		return "", false
	}
	own := h.Port == relay.DefaultPort || h.Port == playback.DefaultPort
	if _, err := netip.ParseAddr(h.Host); err != nil && !strings.Contains(h.Host, ".") && !local(h.Host) && !own {
		return "", false
	}
	if h.Port == relay.DefaultPort {
		h.Port = playback.DefaultPort
	}
	return h.String(), true
}

// local reports whether a name can only be that of a machine, on this network or this one itself.
func local(name string) bool {
	name = strings.ToLower(name)
	for _, end := range []string{".local", ".lan", ".internal", ".home.arpa", ".localhost"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return name == "localhost"
}

// MachineName reports whether a text may be the name of a machine. It may be a title as well.
func MachineName(s string) bool {
	_, err := relay.ParseHostPort(s + ":1")
	return err == nil && s != ""
}
