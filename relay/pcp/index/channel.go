package index

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"relay/relay/oneline"
)

// Hidden is the number of listeners or relays that a page does not tell.
const Hidden = -1

// How much of a text is kept, in characters: more is more than a list can show.
const (
	maxName    = 120
	maxText    = 200
	maxComment = 500
	maxType    = 16
	maxURL     = 1024
	maxHost    = 253 // of a DNS name (RFC 1035 §2.3.4)
)

const (
	// maxCount bounds listeners, relays and kbit/s: what is larger is no count.
	maxCount = 1_000_000_000
	// maxUptime bounds how long a channel may claim to be on: ten years.
	maxUptime = 10 * 365 * 24 * time.Hour
)

// ID is a channel's ID in PeerCast.
type ID [16]byte

// String returns the 32 upper-case hex digits of an ID, as PeerCast writes it.
func (id ID) String() string { return strings.ToUpper(hex.EncodeToString(id[:])) }

// ParseID reads 32 hex digits.
func ParseID(s string) (id ID, ok bool) {
	if len(s) != 2*len(id) {
		return id, false
	}
	_, err := hex.Decode(id[:], []byte(s))
	return id, err == nil
}

// Channel is one line of a list. What [Parse] returns is clean: each text is one line, each URL
// is http or https, each number is in its range. [Channel.Line] cleans what it is given.
type Channel struct {
	Name        string
	ID          ID
	Tip         string // host:port, an IPv6 host in brackets; "" for none
	Contact     string // URL, "" for none
	Genre       string
	Description string
	Listeners   int // [Hidden] if not told
	Relays      int // likewise
	Kbps        int
	Type        string // upper case
	Artist      string
	Album       string
	Title       string
	TrackURL    string // "" for none
	Uptime      time.Duration
	Comment     string
	Direct      bool
}

// Notice reports whether the line is a message of the page's in the place of a channel.
func (c Channel) Notice() bool { return c.ID == ID{} }

// Line returns the channel's line, without the newline that ends it.
func (c Channel) Line() string {
	c = c.clean()
	direct := "0"
	if c.Direct {
		direct = "1"
	}
	minutes := int(c.Uptime / time.Minute)
	fields := [fieldCount]string{
		c.Name, c.ID.String(), c.Tip, c.Contact, c.Genre, c.Description,
		strconv.Itoa(c.Listeners), strconv.Itoa(c.Relays), strconv.Itoa(c.Kbps), c.Type,
		c.Artist, c.Album, c.Title, c.TrackURL,
		strings.ReplaceAll(url.QueryEscape(c.Name), "+", "%20"),
		fmt.Sprintf("%d:%02d", minutes/60, minutes%60), "click", c.Comment, direct,
	}
	for i, f := range fields {
		fields[i] = escaped.Replace(f)
	}
	return strings.Join(fields[:], separator)
}

// clean makes of each field what [Parse] would give.
func (c Channel) clean() Channel {
	c.Name = oneline.Clean(c.Name, maxName)
	c.Tip = tip(c.Tip)
	c.Contact, c.TrackURL = webAddress(c.Contact), webAddress(c.TrackURL)
	for _, f := range []*string{&c.Genre, &c.Description, &c.Artist, &c.Album, &c.Title} {
		*f = oneline.Clean(*f, maxText)
	}
	c.Comment = oneline.Clean(c.Comment, maxComment)
	c.Type = oneline.Clean(strings.ToUpper(c.Type), maxType)
	for _, n := range []*int{&c.Listeners, &c.Relays} {
		*n = max(Hidden, min(*n, maxCount))
	}
	c.Kbps = max(0, min(c.Kbps, maxCount))
	c.Uptime = max(0, min(c.Uptime, maxUptime)).Truncate(time.Minute)
	return c
}

// tip returns host:port if s is that, with an address written in its shortest form, or "".
func tip(s string) string {
	if a, err := netip.ParseAddrPort(s); err == nil {
		if a.Port() == 0 || a.Addr().Zone() != "" {
			return ""
		}
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
	}
	host, port, ok := strings.Cut(s, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	if !ok || err != nil || n == 0 || !named(host) {
		return ""
	}
	return strings.ToLower(host) + ":" + strconv.FormatUint(n, 10)
}

// named reports whether host can be a DNS name: letters, digits, hyphens, and a last part that
// begins with a letter. Else it may be an address to some resolvers: 2130706433 and 0x7f000001 are
// 127.0.0.1.
func named(host string) bool {
	if len(host) == 0 || len(host) > maxHost {
		return false
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := range len(l) {
			if c := l[i] | 0x20; (c < 'a' || c > 'z') && (l[i] < '0' || l[i] > '9') && l[i] != '-' {
				return false
			}
		}
	}
	first := labels[len(labels)-1][0] | 0x20
	return first >= 'a' && first <= 'z'
}

// webAddress returns s if a browser may be sent there, or "": other schemes, such as javascript:,
// run in the page that links to them.
func webAddress(s string) string {
	if len(s) > maxURL || s != oneline.Clean(s, maxURL) || strings.Contains(s, " ") {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return s
}
