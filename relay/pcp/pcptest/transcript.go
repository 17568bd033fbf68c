package pcptest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
)

// Tape keeps what both ends of connections say.
type Tape struct {
	mu    sync.Mutex
	conns []*taped
}

// taped is one connection, at the end of who has dialled.
type taped struct {
	net.Conn
	tape      *Tape
	said, got bytes.Buffer
}

// Of returns a connection that is taped.
func (t *Tape) Of(conn net.Conn) net.Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &taped{Conn: conn, tape: t}
	t.conns = append(t.conns, c)
	return c
}

func (c *taped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tape.mu.Lock()
	defer c.tape.mu.Unlock()
	c.got.Write(b[:n])
	return n, err
}

func (c *taped) Write(b []byte) (int, error) {
	c.tape.mu.Lock()
	c.said.Write(b) // before the other end can have it
	c.tape.mu.Unlock()
	return c.Conn.Write(b)
}

// CloseWrite closes one direction, if the connection can.
func (c *taped) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// How says how a conversation is written down.
type How struct {
	Packets int      // packets of data, the others are left out
	Stop    bool     // all that comes behind these is left out, too
	Masked  []string // names of atoms, and lines of HTTP, whose values change from run to run
}

// Text writes all conversations down, atom by atom: each connection as what was said by who dialled,
// and by who was dialled. Lines of HTTP are quoted. Heads are whole, data is its length and the
// beginning of its SHA-256.
func (t *Tape) Text(how How) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for i, c := range t.conns {
		for _, side := range []struct {
			who string
			b   []byte
		}{{"who dials", c.said.Bytes()}, {"who is dialled", c.got.Bytes()}} {
			fmt.Fprintf(&b, "%d, %s:\n", i+1, side.who)
			how.write(&b, side.b)
		}
	}
	return b.String()
}

func (h How) write(w *strings.Builder, b []byte) {
	if bytes.HasPrefix(b, []byte("GET ")) || bytes.HasPrefix(b, []byte("HTTP/")) {
		lines, rest, ok := bytes.Cut(b, []byte("\r\n\r\n"))
		for l := range bytes.SplitSeq(lines, []byte("\r\n")) {
			name, _, _ := strings.Cut(string(l), ":")
			if slices.Contains(h.Masked, name) {
				l = []byte(name + ": …")
			}
			fmt.Fprintf(w, "  %q\n", l)
		}
		if b = rest; ok {
			fmt.Fprintf(w, "  \"\"\n")
		}
	}
	for r, left := bytes.NewReader(b), h.Packets; ; {
		a, err := Read(r)
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Fprintf(w, "  cut off\n")
			return
		}
		if h.Stop && left == 0 {
			return
		}
		if isData(a) {
			if left--; left < 0 {
				if h.Stop {
					return
				}
				continue
			}
		}
		h.atom(w, a, "  ")
	}
}

// isData reports whether an atom is a chan with a packet of data.
func isData(a Atom) bool {
	p, ok := a.Find("pkt")
	typ, _ := p.Find("type")
	return ok && string(typ.Data) == "data"
}

func (h How) atom(w *strings.Builder, a Atom, indent string) {
	name := strings.ReplaceAll(a.Name, "\n", "\\n")
	switch {
	case a.Parent:
		fmt.Fprintf(w, "%s%s\n", indent, name)
		typ, _ := a.Find("type")
		for _, k := range a.Kids {
			if k.Name == "data" && string(typ.Data) == "data" {
				fmt.Fprintf(w, "%s  data %d bytes, SHA-256 %x…\n", indent, len(k.Data), sha256.Sum256(k.Data))
				continue
			}
			h.atom(w, k, indent+"  ")
		}
	case slices.Contains(h.Masked, a.Name):
		fmt.Fprintf(w, "%s%s …\n", indent, name)
	default:
		fmt.Fprintf(w, "%s%s %d: % x%s\n", indent, name, len(a.Data), a.Data, readable(a.Data))
	}
}

// readable shows a text.
func readable(b []byte) string {
	text := bytes.TrimSuffix(b, []byte{0})
	if len(b) < 3 || len(text) == len(b) && len(b) != 4 {
		return ""
	}
	for _, r := range string(text) {
		if r < ' ' || r == '\ufffd' {
			return ""
		}
	}
	return fmt.Sprintf("  %q", text)
}
