package discovery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"relay/relay/stream"
)

// Bounds of the packets.
const (
	// PacketSize is how long a query is, and the most that answers it, in bytes: an
	// answer that is larger than its query would let a liar who gives another's address
	// multiply what he sends. It holds three channels with the longest titles, or a
	// dozen without one.
	PacketSize = 512
	// MaxTitle is the longest title, in bytes of UTF-8; more is cut.
	MaxTitle = 120
	// MaxBitRate is the most that is told, bit/s: no stream has that much, and it fits
	// an int of every machine.
	MaxBitRate = 2_000_000_000
	// maxListed is how many channels one answer can hold.
	maxListed = (PacketSize - headLen) / channelLen

	version    = 1
	headLen    = 4 + 1 + 1 + 2 + 8
	channelLen = len(stream.ChannelID{}) + 1 + 1 + 4 + 1 // without the title
)

// magic begins every packet; the byte after it is the version.
var (
	magicQuery  = [4]byte{'r', 'l', 'y', '?'}
	magicAnswer = [4]byte{'r', 'l', 'y', '!'}
)

// ErrPacket is why something that came is no packet of ours.
var ErrPacket = errors.New("not a packet of relay's discovery")

// State is what a channel is doing at the node that answers.
type State uint8

// States, the best one first.
const (
	Live    State = iota // media comes
	Waiting              // the node has a way to the source, which sends nothing now
	Lost                 // the node has lost the source
	statesEnd
)

// String returns the state in lower case.
func (s State) String() string {
	switch s {
	case Live:
		return "live"
	case Waiting:
		return "waiting"
	}
	return "lost"
}

// Channel is a channel as a node tells of it. All but the ID is hearsay: that is
// proved by what is signed with it.
type Channel struct {
	ID      stream.ChannelID
	Title   string // at most MaxTitle bytes of UTF-8; a stranger's text; may be empty
	BitRate int    // bit/s, at most MaxBitRate, told in steps of 1000; 0 if it is not known
	State   State
	Source  bool // the node is the channel's source
}

// query asks for all channels.
type query struct {
	nonce uint64 // the answers have it too
	round uint8  // how often it was asked before; those with many channels tell others each time
}

// answer tells of some channels of a node.
type answer struct {
	nonce    uint64
	port     uint16 // TCP, for links; not 0
	channels []Channel
}

func appendHead(b []byte, magic [4]byte, small uint8, port uint16, nonce uint64) []byte {
	b = append(b, magic[:]...)
	b = append(b, version, small)
	b = binary.BigEndian.AppendUint16(b, port)
	return binary.BigEndian.AppendUint64(b, nonce)
}

// append writes the query with its padding.
func (q query) append(b []byte) []byte {
	n := len(b)
	b = appendHead(b, magicQuery, q.round, 0, q.nonce)
	return append(b, make([]byte, n+PacketSize-len(b))...)
}

// parseQuery reads a query. What is in its padding is for later versions.
func parseQuery(b []byte) (query, error) {
	if len(b) != PacketSize || [4]byte(b) != magicQuery || b[4] != version {
		return query{}, ErrPacket
	}
	return query{nonce: binary.BigEndian.Uint64(b[8:]), round: b[5]}, nil
}

// append writes the answer with as many channels as fit, and returns how many did.
func (a answer) append(b []byte) ([]byte, int) {
	start, n := len(b), 0
	b = appendHead(b, magicAnswer, 0, a.port, a.nonce)
	for _, c := range a.channels {
		title := CutTitle(c.Title)
		if len(b)-start+channelLen+len(title) > PacketSize {
			break
		}
		b = append(b, c.ID[:]...)
		b = append(b, byte(min(c.State, Lost)))
		source := byte(0)
		if c.Source {
			source = 1
		}
		b = append(b, source)
		b = binary.BigEndian.AppendUint32(b, uint32(min(max(c.BitRate, 0), MaxBitRate)/1000))
		b = append(b, byte(len(title)))
		b = append(b, title...)
		n++
	}
	b[start+5] = byte(n)
	return b, n
}

// parseAnswer reads an answer strictly.
func parseAnswer(b []byte) (answer, error) {
	if len(b) < headLen || len(b) > PacketSize || [4]byte(b) != magicAnswer || b[4] != version {
		return answer{}, ErrPacket
	}
	a := answer{port: binary.BigEndian.Uint16(b[6:]), nonce: binary.BigEndian.Uint64(b[8:])}
	n := int(b[5])
	if a.port == 0 || n > maxListed {
		return answer{}, fmt.Errorf("%d channels, port %d: %w", n, a.port, ErrPacket)
	}
	b = b[headLen:]
	for range n {
		if len(b) < channelLen {
			return answer{}, fmt.Errorf("it ends early: %w", ErrPacket)
		}
		c := Channel{ID: stream.ChannelID(b), State: State(b[32]), Source: b[33] == 1}
		kbit, k := binary.BigEndian.Uint32(b[34:]), int(b[38])
		if kbit > MaxBitRate/1000 || c.State >= statesEnd || b[33] > 1 || k > MaxTitle || k > len(b)-channelLen {
			return answer{}, fmt.Errorf("malformed channel: %w", ErrPacket)
		}
		c.BitRate = int(kbit) * 1000
		c.Title = string(b[channelLen : channelLen+k])
		if !utf8.ValidString(c.Title) {
			return answer{}, fmt.Errorf("a title is no UTF-8: %w", ErrPacket)
		}
		a.channels = append(a.channels, c)
		b = b[channelLen+k:]
	}
	if len(b) != 0 {
		return answer{}, fmt.Errorf("%d bytes too many: %w", len(b), ErrPacket)
	}
	return a, nil
}

// CutTitle is the title as it is told: valid UTF-8, at most MaxTitle bytes.
func CutTitle(s string) string {
	if len(s) > MaxTitle {
		for n := MaxTitle; ; n-- {
			if n == 0 || utf8.RuneStart(s[n]) {
				s = s[:n]
				break
			}
		}
	}
	return strings.ToValidUTF8(s, "?")
}
