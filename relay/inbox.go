package relay

import (
	"encoding/binary"
	"net"

	"relay/relay/socket"
)

// inboxSize is what one read takes from the system at most, bytes: some chunks that came together.
const inboxSize = 64 << 10

// inbox is what has come over a parent's connection and has not been read. It gives out no more than
// the rest of a TLS record at a time, so that TLS hoards nothing, and tells when it is empty: before
// the reader waits.
type inbox struct {
	read  func([]byte) (int, error)
	heard func() // called when something has come
	idle  func()

	buf      []byte
	from, to int     // what is there
	header   [5]byte // of the record; the last two bytes tell how many follow (RFC 8446 §5.1)
	got      int     // bytes of header
	record   int     // bytes of the record that have not been read; 0 in its header
}

func newInbox(conn net.Conn, heard, idle func()) *inbox {
	in := &inbox{read: conn.Read, heard: heard, idle: idle, buf: make([]byte, inboxSize)}
	if s := socket.Of(conn); s != nil {
		in.read = s.Read
	}
	return in
}

func (in *inbox) Read(b []byte) (int, error) {
	if in.from == in.to {
		in.idle()
		n, err := in.read(in.buf)
		if n == 0 {
			return 0, err
		}
		in.from, in.to = 0, n
		in.heard()
	}
	have := in.buf[in.from:in.to]
	if in.record == 0 {
		n := copy(in.header[in.got:], have)
		if in.got += n; in.got == len(in.header) {
			in.got, in.record = 0, int(binary.BigEndian.Uint16(in.header[3:]))
		}
		have = have[:n]
	} else {
		have = have[:min(len(have), in.record, len(b))]
		in.record -= len(have)
	}
	in.from += len(have)
	return copy(b, have), nil
}
