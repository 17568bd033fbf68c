package relay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"relay/relay/oneline"
	"relay/relay/seal"
	"relay/relay/stream"
)

const (
	// Scheme begins every invite.
	Scheme = "relay://"
	// DefaultPort is the TCP port that nodes listen on.
	DefaultPort = 7144
	// maxHosts bounds the addresses in an invite, and maxInvite its length in bytes:
	// it has to fit a chat message and a QR code.
	maxHosts  = 16
	maxInvite = 2048
	// maxHost is the longest DNS name (RFC 1035).
	maxHost = 253
)

// Invite is what people share, and call a link: a channel, and addresses of nodes that
// carry it. One of them has to answer, or the channel has to be found by its ID.
//
//	relay://<channel id>@host[:port][,host[:port]…][#<secret>]
//	relay://<channel id>[#<secret>]
//
// A host that is @example.org stands for what that domain says of the channel's addresses now. What is behind the # is of a private channel. Browsers send it to no server.
type Invite struct {
	Channel stream.ChannelID
	Hosts   []HostPort  // none for a channel that is to be found by its ID
	Access  seal.Access // zero for a public channel
}

// HostPort is one address in an invite: a name or an IP address, and a port; or a domain that is asked for
// addresses, see [AskedOf].
type HostPort struct {
	Host string // without brackets
	Port uint16 // 0 of a domain
}

// domainMark stands before a domain in an invite.
const domainMark = "@"

// AskedOf returns what stands in an invite for a domain that is asked for the channel's addresses. The domain
// is a name in ASCII.
func AskedOf(domain string) HostPort { return HostPort{Host: domainMark + strings.ToLower(domain)} }

// Domain returns the domain that is asked for addresses; false if h is an address.
func (h HostPort) Domain() (string, bool) { return strings.CutPrefix(h.Host, domainMark) }

// String returns host:port, with brackets around an IPv6 address, or the domain as it stands in an invite.
func (h HostPort) String() string {
	if _, ok := h.Domain(); ok {
		return h.Host
	}
	return net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port)))
}

// String returns the invite's text form without a secret: for logs, and whatever others may see.
func (inv Invite) String() string {
	hosts := make([]string, len(inv.Hosts))
	for i, h := range inv.Hosts {
		hosts[i] = h.String()
	}
	if len(hosts) == 0 {
		return Scheme + inv.Channel.String()
	}
	return Scheme + inv.Channel.String() + "@" + strings.Join(hosts, ",")
}

// Link returns the invite's text form for people to share, which ParseInvite reads back.
func (inv Invite) Link() string {
	if f := inv.Access.Fragment(); f != "" {
		return inv.String() + "#" + f
	}
	return inv.String()
}

// JoinOnly returns the invite with the join part of its secret: whoever has it passes the channel on,
// and cannot watch.
func (inv Invite) JoinOnly() Invite {
	inv.Access = inv.Access.JoinOnly(inv.Channel)
	return inv
}

// With returns the invite with more addresses behind its own, as far as they are new
// and fit.
func (inv Invite) With(more ...HostPort) Invite {
	inv.Hosts = slices.Clone(inv.Hosts)
	for _, h := range more {
		longer := Invite{inv.Channel, append(slices.Clip(inv.Hosts), h), inv.Access}
		if !slices.Contains(inv.Hosts, h) && len(longer.Hosts) <= maxHosts && len(longer.Link()) <= maxInvite {
			inv = longer
		}
	}
	return inv
}

// ErrNoAddress says that a link names no host.
var ErrNoAddress = errors.New("there is no @ between the channel ID and the address")

// ParseInvite parses an invite that names hosts. Its error says which part is wrong and how a right one
// looks. Space around the text is ignored, since invites get pasted; a port that is missing
// is DefaultPort.
func ParseInvite(s string) (Invite, error) {
	inv, err := parseInvite(strings.TrimSpace(s))
	if err != nil {
		return Invite{}, fmt.Errorf("bad link: %w", err)
	}
	return inv, nil
}

// ParseID parses an invite that names no host.
func ParseID(s string) (Invite, error) {
	s, fragment, private := strings.Cut(strings.TrimSpace(s), "#")
	rest, ok := cutPrefixFold(s, Scheme)
	if !ok || len(s) > maxInvite {
		return Invite{}, fmt.Errorf("bad link: a link starts with %s, this is %s", Scheme, oneline.Quote(s))
	}
	id, err := stream.ParseChannelID(strings.TrimSuffix(rest, "/"))
	if err != nil {
		return Invite{}, fmt.Errorf("bad link: %w", err)
	}
	inv := Invite{Channel: id}
	if private {
		if inv.Access, err = seal.Parse(fragment); err != nil {
			return Invite{}, fmt.Errorf("bad link: %w", err)
		}
	}
	return inv, nil
}

func parseInvite(s string) (Invite, error) {
	if len(s) > maxInvite {
		return Invite{}, fmt.Errorf("it has %d characters, the most is %d", len(s), maxInvite)
	}
	s, fragment, private := strings.Cut(s, "#") // no error shows what may be a secret
	rest, ok := cutPrefixFold(s, Scheme)
	if !ok {
		return Invite{}, fmt.Errorf("a link starts with %s, this is %s", Scheme, oneline.Quote(s))
	}
	id, hosts, ok := strings.Cut(rest, "@")
	if !ok {
		return Invite{}, ErrNoAddress
	}
	var inv Invite
	var err error
	if inv.Channel, err = stream.ParseChannelID(id); err != nil {
		return Invite{}, err
	}
	if private {
		if inv.Access, err = seal.Parse(fragment); err != nil {
			return Invite{}, err
		}
	}
	hosts = strings.TrimSuffix(hosts, "/")
	if i := strings.IndexAny(hosts, "/?"); i >= 0 {
		return Invite{}, fmt.Errorf("nothing may follow the addresses, but a %c does", hosts[i]) // what does may be a secret
	}
	parts := strings.Split(hosts, ",")
	if len(parts) > maxHosts {
		return Invite{}, fmt.Errorf("it has %d addresses, the most is %d", len(parts), maxHosts)
	}
	for _, p := range parts {
		h, err := parseHost(p)
		if err != nil {
			return Invite{}, err
		}
		inv.Hosts = append(inv.Hosts, h)
	}
	return inv, nil
}

// parseHost parses one host of an invite. Without a port, which gets lost when somebody
// reads an address out, it is the usual one; an IPv6 address then needs no brackets.
func parseHost(s string) (HostPort, error) {
	if name, ok := strings.CutPrefix(s, domainMark); ok {
		if err := checkName(name); err != nil || !strings.Contains(name, ".") {
			return HostPort{}, fmt.Errorf("%s is no domain, which looks like @example.org", oneline.Quote(s))
		}
		return AskedOf(strings.TrimSuffix(name, ".")), nil
	}
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	if _, err := netip.ParseAddr(bare); err == nil || s != "" && !strings.ContainsAny(s, ":[]") {
		s = net.JoinHostPort(bare, strconv.Itoa(DefaultPort))
	}
	return ParseHostPort(s)
}

// ParseHostPort parses one host:port. The host is a DNS name, an IPv4 address, or
// an IPv6 address in brackets; it must be one that can be dialled.
func ParseHostPort(s string) (HostPort, error) {
	if s == "" {
		return HostPort{}, errors.New("an address is missing: it looks like 192.168.1.5:7144")
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return HostPort{}, fmt.Errorf("address %s is not host:port, as in 192.168.1.5:7144 or [2001:db8::1]:7144", oneline.Quote(s))
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '+' {
		return HostPort{}, fmt.Errorf("port %s is not a number from 1 to 65535", oneline.Quote(port))
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()                                                // else ::ffff:0.0.0.0 passes
		if ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" { // a zone is one machine's own word
			return HostPort{}, fmt.Errorf("nobody can be reached at address %s", oneline.Quote(host))
		}
		return HostPort{ip.String(), uint16(n)}, nil
	}
	if err := checkName(host); err != nil {
		return HostPort{}, err
	}
	return HostPort{strings.ToLower(host), uint16(n)}, nil
}

// checkName refuses what cannot be a DNS name (RFC 1123).
func checkName(host string) error {
	bad := fmt.Errorf("host %s is neither a name nor an IP address", oneline.Quote(host))
	name := strings.TrimSuffix(host, ".")
	if name == "" || len(name) > maxHost {
		return bad
	}
	digits := true
	for _, l := range strings.Split(name, ".") {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return bad
		}
		for _, c := range []byte(l) {
			letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '_'
			if !letter && (c < '0' || c > '9') {
				return bad
			}
			digits = digits && !letter
		}
	}
	if digits {
		return bad // 300.1.1.1 is a typing mistake, not a name
	}
	return nil
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
