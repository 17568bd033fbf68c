package rtspout

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

const (
	// lineMost and linesMost bound a request's lines, in bytes, and their number; bodyMost what is read and thrown
	// away of a body.
	lineMost, linesMost, bodyMost = 2 << 10, 64, 4 << 10
	// bufferSize is what a connection costs for reading, in bytes: no less than a line.
	bufferSize = lineMost
)

var (
	errNoRTSP = errors.New("it is no RTSP")
	errHTTP   = errors.New("it is HTTP")
	errLong   = errors.New("the request is too long")
)

// request is what a player asks. Of its headers, those that are looked at.
type request struct {
	method, url       string
	seq, transport    string
	session, contents string
}

// next reads the next request. Packets in between, which are reports of players, are thrown away. Its errors are those of
// r, errNoRTSP, errHTTP and errLong.
func next(r *bufio.Reader) (q request, err error) {
	for {
		b, err := r.Peek(1)
		if err != nil {
			return q, err
		}
		if b[0] != '$' {
			break
		}
		head, err := r.Peek(4)
		if err != nil {
			return q, err
		}
		n := 4 + (int(head[2])<<8 | int(head[3]))
		if _, err := r.Discard(n); err != nil {
			return q, err
		}
	}
	first, err := line(r)
	for i := 0; err == nil && first == "" && i < linesMost; i++ { // some end a request with an empty line too many
		first, err = line(r)
	}
	if err != nil {
		return q, err
	}
	words := strings.Fields(first)
	if len(words) != 3 || !strings.HasPrefix(words[2], "RTSP/") {
		if len(words) == 3 && strings.HasPrefix(words[2], "HTTP/") {
			return q, errHTTP
		}
		return q, errNoRTSP
	}
	q.method, q.url = words[0], words[1]
	for range linesMost {
		l, err := line(r)
		if err != nil {
			return q, err
		}
		if l == "" {
			return q, q.skip(r)
		}
		name, value, _ := strings.Cut(l, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "cseq":
			q.seq = value
		case "transport":
			q.transport = value
		case "session":
			q.session = value
		case "content-length":
			q.contents = value
		}
	}
	return q, errLong
}

// skip throws the body away.
func (q *request) skip(r *bufio.Reader) error {
	if q.contents == "" {
		return nil
	}
	n, err := strconv.ParseUint(q.contents, 10, 31)
	if err != nil {
		return errNoRTSP
	}
	if n > bodyMost {
		return errLong
	}
	_, err = r.Discard(int(n))
	return err
}

// line reads one, without its end. What cannot be text ends the reading at once.
func line(r *bufio.Reader) (string, error) {
	b, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errLong
	case err == io.EOF && len(b) > 0:
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	b = bytes.TrimRight(b, "\r\n")
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", errNoRTSP
		}
	}
	return string(b), nil
}

// transport is how a player wants the packets of a track.
type transport struct {
	udp       bool
	rtp, rtcp uint16 // the player's ports
}

// leastPort is the least port to which anything is sent by UDP: below are those of services, which somebody else
// may run at a player's address.
const leastPort = 1024

// parseTransport returns the first way of those in a Transport header (RFC 2326, 12.39) that is served here.
func parseTransport(header string) (t transport, ok bool) {
	for spec := range strings.SplitSeq(header, ",") {
		t, ok := parseSpec(spec)
		if ok {
			return t, true
		}
	}
	return t, false
}

func parseSpec(spec string) (t transport, ok bool) {
	for i, p := range strings.Split(strings.TrimSpace(spec), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "rtp/avp", "rtp/avp/udp":
			t.udp, ok = true, i == 0
		case "rtp/avp/tcp":
			ok = i == 0
		case "multicast":
			return t, false
		case "mode":
			if m := strings.Trim(value, `"`); !strings.EqualFold(m, "play") {
				return t, false
			}
		case "client_port":
			a, b, two := strings.Cut(value, "-")
			rtp, err := strconv.ParseUint(a, 10, 16)
			rtcp, err2 := strconv.ParseUint(b, 10, 16)
			if !two {
				rtcp, err2 = rtp+1, nil
			}
			if err != nil || err2 != nil || rtp < leastPort || rtcp < leastPort || rtcp > 65535 {
				return t, false
			}
			t.rtp, t.rtcp = uint16(rtp), uint16(rtcp)
		}
	}
	return t, ok && (!t.udp || t.rtp != 0)
}

// place is what an address asks for: a channel with its wishes, and a track, -1 for none. host is as the player has it.
type place struct {
	host, name string
	track      int
}

// control ends the address of a track.
const control = "trackID="

// parseURL reads rtsp://HOST/CHANNEL?WISHES/trackID=N, where the last is behind wishes, as players put it.
func parseURL(url string) (p place, ok bool) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || !strings.HasPrefix(strings.ToLower(scheme), "rtsp") {
		return p, false
	}
	p.track = -1
	if i := strings.LastIndex(rest, "/"+control); i >= 0 {
		n, err := strconv.ParseUint(rest[i+1+len(control):], 10, 8)
		if err != nil {
			return p, false
		}
		p.track, rest = int(n), rest[:i]
	}
	p.host, p.name, _ = strings.Cut(rest, "/")
	if at := strings.LastIndex(p.host, "@"); at >= 0 {
		p.host = p.host[at+1:] // a name and a password, which nobody asked for
	}
	p.name = strings.Trim(p.name, "/")
	p.name = strings.TrimPrefix(p.name, "live/") // as over RTMP
	return p, p.host != ""
}
