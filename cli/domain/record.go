package domain

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"relay/ingest/flv"
	"relay/relay"
	"relay/relay/oneline"
	"relay/relay/stream"
)

const (
	// version begins each record.
	version = "v=relay1"
	// maxRecord bounds a record, in bytes, and maxHosts the addresses in it: they are tried one after the other.
	maxRecord = 1024
	maxHosts  = 8
	// maxTitle bounds a title in a record that is written here, in characters.
	maxTitle = 64
	// maxString is how much one string of a TXT record holds, in bytes (RFC 1035 §3.3).
	maxString = 255
)

// Record is one channel that a domain names.
type Record struct {
	Channel stream.ChannelID
	At      []relay.HostPort // at least one, and no domain
	Title   string           // cleaned; may be empty
}

// Parse of a record: why a part of it cannot be read.
var (
	errLong  = fmt.Errorf("it has more than %d bytes", maxRecord)
	errNoID  = errors.New("id= is missing, the channel's ID")
	errNoAt  = errors.New("at= is missing, the addresses")
	errTwice = errors.New("it says the same twice")
)

// parseRecord reads a record. It reports false for a text of another kind, as other programs have them beside
// ours. The error says which part is wrong.
func parseRecord(s string) (r Record, ours bool, err error) {
	s = strings.TrimSpace(s)
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' { // as some web forms for DNS keep what was pasted
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	first, rest := field(s)
	if !strings.EqualFold(first, version) {
		return r, false, nil
	}
	if len(s) > maxRecord {
		return r, true, errLong
	}
	var id, at bool
	for rest != "" {
		if title, ok := cutFold(rest, "n="); ok {
			r.Title = flv.CleanTitle(title)
			break
		}
		var f string
		f, rest = field(rest)
		key, value, _ := strings.Cut(f, "=")
		switch strings.ToLower(key) {
		case "id":
			if id {
				return r, true, errTwice
			}
			if r.Channel, err = stream.ParseChannelID(value); err != nil {
				return r, true, fmt.Errorf("id=: %w", err)
			}
			id = true
		case "at":
			if at {
				return r, true, errTwice
			}
			if r.At, err = hosts(value); err != nil {
				return r, true, fmt.Errorf("at=: %w", err)
			}
			at = true
		}
		// What newer versions say besides is none of ours.
	}
	switch {
	case !id:
		return r, true, errNoID
	case !at:
		return r, true, errNoAt
	}
	return r, true, nil
}

// field cuts the first field off, and a semicolon behind it, as records of mail have them.
func field(s string) (f, rest string) {
	s = strings.TrimLeft(s, " \t")
	f, rest, _ = strings.Cut(s, " ")
	return strings.TrimRight(f, ";\t"), strings.TrimLeft(rest, " \t")
}

func hosts(s string) ([]relay.HostPort, error) {
	parts := strings.Split(s, ",")
	if len(parts) > maxHosts {
		return nil, fmt.Errorf("it has %d addresses, the most is %d", len(parts), maxHosts)
	}
	var all []relay.HostPort
	for _, p := range parts {
		h, err := relay.ParseHostPort(p)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// parseLine reads a line of the file: a record, or a link. It reports false for a remark, and for what is empty.
func parseLine(line string) (r Record, ours bool, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return r, false, nil
	}
	if len(line) > maxRecord {
		return r, true, errLong
	}
	if _, ok := cutFold(line, relay.Scheme); !ok {
		if r, ours, err = parseRecord(line); ours || err != nil {
			return r, ours, err
		}
		return r, true, fmt.Errorf("%s is neither a record, which begins with %s, nor a link", oneline.Quote(line), version)
	}
	link, title, _ := strings.Cut(line, " ")
	inv, err := relay.ParseInvite(link)
	if err != nil {
		return r, true, err
	}
	if inv.Access.Private() {
		return r, true, errors.New("the link has the secret of a private channel, which everybody could read there")
	}
	r.Channel, r.Title = inv.Channel, flv.CleanTitle(title)
	for _, h := range inv.Hosts {
		if _, ok := h.Domain(); !ok && len(r.At) < maxHosts {
			r.At = append(r.At, h)
		}
	}
	if len(r.At) == 0 {
		return r, true, errNoAt
	}
	return r, true, nil
}

// String returns the record as a line, as long as it may be: the title is cut, or addresses are left out.
func (r Record) String() string {
	at := make([]string, 0, len(r.At))
	for _, h := range r.At[:min(len(r.At), maxHosts)] {
		at = append(at, h.String())
	}
	line := version + " id=" + r.Channel.String() + " at="
	for len(at) > 1 && len(line)+len(strings.Join(at, ",")) > maxRecord/2 {
		at = at[:len(at)-1]
	}
	line += strings.Join(at, ",")
	if title := oneline.Clean(r.Title, maxTitle); title != "" {
		line += " n=" + title
	}
	return line
}

// ZoneLine writes a record as a line of a zone file (RFC 1035 §5.1), in strings of at most 255 bytes.
func ZoneLine(n Name, record string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "_relay.%s. 600 IN TXT", n)
	for _, s := range stringsOf(record) {
		b.WriteString(` "`)
		for _, c := range []byte(s) {
			switch {
			case c == '"' || c == '\\':
				b.WriteByte('\\')
				b.WriteByte(c)
			case c < ' ' || c > '~':
				fmt.Fprintf(&b, "\\%03d", c)
			default:
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
	}
	return b.String()
}

// stringsOf cuts a record into strings as a TXT record has them, between characters.
func stringsOf(s string) (all []string) {
	for len(s) > maxString {
		at := maxString
		for !utf8.RuneStart(s[at]) {
			at--
		}
		all, s = append(all, s[:at]), s[at:]
	}
	return append(all, s)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
