package pcp

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// MaxLines is the most bytes of a request or an answer, up to the empty line.
const MaxLines = 4 << 10

// ContentType is what PCP is served as.
const ContentType = "application/x-peercast-pcp"

// ReadLines reads a request or an answer up to its empty line, and takes what has come into memory as it comes.
func ReadLines(r *bufio.Reader) ([]byte, error) {
	var b []byte
	for {
		line, err := r.ReadSlice('\n')
		if len(b)+len(line) > MaxLines || err == bufio.ErrBufferFull {
			return nil, &Error{Why: LongHead}
		}
		b = append(b, line...)
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return b, nil
		}
	}
}

// Request asks for a channel.
type Request struct {
	Channel ID
	Over    uint32 // Over4 or Over6; 0: it does not speak PCP
	Pos     uint32 // from where on; 0 for what is newest
	HasPos  bool
	Agent   string
	Host    string // that the request names, as it has come; "" if none
}

const channelPath = "/channel/"

// Append appends the request, whose address is only for those in between.
func (r Request) Append(b []byte, host string) []byte {
	b = fmt.Appendf(b, "GET %s%s HTTP/1.0\r\nHost: %s\r\nx-peercast-pcp: %d\r\n", channelPath, r.Channel, host, r.Over)
	if r.HasPos {
		b = fmt.Appendf(b, "x-peercast-pos: %d\r\n", r.Pos)
	}
	return fmt.Appendf(b, "User-Agent: %s\r\n\r\n", Clean(r.Agent))
}

// ParseRequest reads what [ReadLines] gave. The path is returned for any GET; Channel is zero
// if it is none of a channel's.
func ParseRequest(b []byte) (r Request, path string, err error) {
	line, rest, _ := strings.Cut(string(b), "\n")
	words := strings.Fields(line)
	if len(words) != 3 || words[0] != "GET" || !strings.HasPrefix(words[1], "/") || !strings.HasPrefix(words[2], "HTTP/1.") {
		return r, "", &Error{Why: NotHTTP}
	}
	path, _, _ = strings.Cut(words[1], "?")
	if hex, ok := strings.CutPrefix(path, channelPath); ok {
		hex, _, _ = strings.Cut(hex, ".")
		if r.Channel, err = ParseID(hex); err != nil {
			return r, path, &Error{Why: NotHTTP}
		}
	}
	eachField(rest, func(name, value string) {
		switch name {
		case "x-peercast-pcp":
			r.Over = number(value)
		case "x-peercast-pos":
			r.Pos, r.HasPos = number(value), true
		case "user-agent":
			r.Agent = Clean(value)
		case "host":
			r.Host = value
		}
	})
	return r, path, nil
}

// Answer answers a request.
type Answer struct {
	Status int // 200, 404 or 503
	Pos    uint32
	HasPos bool
	PCP    bool // atoms follow
	Agent  string
}

var statuses = map[int]string{200: "OK", 404: "Not Found", 503: "Service Unavailable"}

// Append appends the answer.
func (a Answer) Append(b []byte) []byte {
	b = fmt.Appendf(b, "HTTP/1.0 %d %s\r\nServer: %s\r\n", a.Status, statuses[a.Status], Clean(a.Agent))
	if a.HasPos {
		b = fmt.Appendf(b, "x-peercast-pos: %d\r\n", a.Pos)
	}
	if a.PCP {
		b = append(b, "Content-Type: "+ContentType+"\r\n"...)
	}
	return append(b, "\r\n"...)
}

// ParseAnswer reads what [ReadLines] gave.
func ParseAnswer(b []byte) (a Answer, err error) {
	line, rest, _ := strings.Cut(string(b), "\n")
	words := strings.Fields(line)
	if len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/1.") || len(words[1]) != 3 {
		return a, &Error{Why: NotHTTP}
	}
	a.Status = int(number(words[1]))
	if a.Status < 100 {
		return Answer{}, &Error{Why: NotHTTP}
	}
	eachField(rest, func(name, value string) {
		switch name {
		case "x-peercast-pos":
			a.Pos, a.HasPos = number(value), true
		case "content-type":
			a.PCP = strings.EqualFold(value, ContentType)
		case "server":
			a.Agent = Clean(value)
		}
	})
	return a, nil
}

// eachField calls found for each line, with the name in lower case. PeerCastStation writes no blank behind
// the colon.
func eachField(lines string, found func(name, value string)) {
	for line := range strings.Lines(lines) {
		if n, v, ok := strings.Cut(line, ":"); ok {
			found(strings.ToLower(strings.TrimSpace(n)), strings.TrimSpace(v))
		}
	}
}

// number reads a number that may be longer than 32 bits, of which the lower ones count; 0 if it
// is none.
func number(s string) uint32 {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return uint32(v)
}

// Port is PeerCast's.
const Port = 7144

// Link returns the address under which a channel can be given to others.
func Link(at netip.AddrPort, id ID) string { return "pcp://" + at.String() + "/" + id.String() }

// ParseLink reads such an address, also one with a name for the host or without a port:
// pcp://host[:port]/<32 hex>, or /channel/<32 hex>.
func ParseLink(s string) (host string, id ID, err error) {
	u, err := url.Parse(s)
	if err != nil || !strings.EqualFold(u.Scheme, "pcp") || u.Hostname() == "" {
		return "", id, fmt.Errorf("a PeerCast address is written pcp://host:%d/ and the channel's 32 hexadecimal digits", Port)
	}
	port := u.Port()
	if port == "" {
		port = strconv.Itoa(Port)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", id, fmt.Errorf("%s is no port", port)
	}
	hex := strings.TrimPrefix(strings.TrimSuffix(u.Path, "/"), "/")
	id, err = ParseID(strings.TrimPrefix(hex, "channel/"))
	return net.JoinHostPort(u.Hostname(), port), id, err
}
