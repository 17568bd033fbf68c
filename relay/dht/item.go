package dht

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"relay/relay/oneline"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

const (
	// publicSalt is the salt of a public channel's item.
	publicSalt = "relay/1"
	// itemVersion is the first byte of an item.
	itemVersion = 1
	// maxItem bounds an item, in bytes, so that it fits a packet with all around it, and maxTitle its title.
	maxItem  = 900
	maxTitle = 100
	// MaxPlaces bounds the nodes that an item names.
	MaxPlaces = 8
	// itemHead is version and flags, and itemFixed what follows up to the title.
	itemHead, itemFixed = 2, 8 + 16 + 1
)

// Bits of an item.
const (
	itemLive = 1 << iota
	itemSealed
)

// errItem says that a record is signed by the channel's key and yet no item of it.
var errItem = errors.New("it is no item of a channel")

// Item is what a source says of its channel where everybody may look.
type Item struct {
	Live   bool      // media come in
	Made   time.Time // by the source's clock; its milliseconds count
	Epoch  stream.Epoch
	Title  string       // not told of a private channel, since who only passes it on is not to know it
	Places []tree.Place // where it may be had, the source first
	Own    int          // how many of Places are the source's own, and do not come and go; it is not told
}

// channel is what a channel's item is looked for by.
type channel struct {
	id      stream.ChannelID
	finding seal.Finding
}

func (c channel) name() name {
	n := name{key: c.id, salt: publicSalt}
	if c.finding.Private() {
		n.salt = string(c.finding.Salt())
	}
	return n
}

// append appends the item as the value of a record with that number. What does not fit is left out.
func (it Item) append(b []byte, c channel, seq int64) []byte {
	head := [itemHead]byte{itemVersion}
	if it.Live {
		head[1] |= itemLive
	}
	if c.finding.Private() {
		head[1] |= itemSealed
		it.Title = ""
	}
	body := binary.BigEndian.AppendUint64(nil, uint64(it.Made.UnixMilli()))
	body = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(body, it.Epoch.Ms), it.Epoch.Rand)
	title := cutTitle(it.Title)
	body = append(append(body, byte(len(title))), title...)
	for most := min(len(it.Places), MaxPlaces); ; most-- {
		whole := wire.AppendPlaces(body[:len(body):len(body)], it.Places, most)
		if len(whole)+itemHead+seal.FindingOverhead <= maxItem {
			body = whole
			break
		}
	}
	b = append(b, head[:]...)
	if c.finding.Private() {
		return c.finding.Seal(b, uint64(seq), body, head[:])
	}
	return append(b, body...)
}

// parseItem reads the value of a record that the channel's key has signed.
func parseItem(value []byte, c channel, seq int64) (it Item, err error) {
	if len(value) < itemHead || value[0] != itemVersion || value[1] > itemLive|itemSealed || (value[1]&itemSealed != 0) != c.finding.Private() {
		return it, errItem
	}
	it.Live = value[1]&itemLive != 0
	body := value[itemHead:]
	if c.finding.Private() {
		if body, err = c.finding.Open(nil, uint64(seq), body, value[:itemHead]); err != nil {
			return it, fmt.Errorf("%w: %w", errItem, err)
		}
	}
	if len(body) < itemFixed {
		return it, errItem
	}
	it.Made = time.UnixMilli(int64(binary.BigEndian.Uint64(body)))
	it.Epoch = stream.Epoch{Ms: binary.BigEndian.Uint64(body[8:]), Rand: binary.BigEndian.Uint64(body[16:])}
	n := int(body[itemFixed-1])
	if body = body[itemFixed:]; n > maxTitle || n > len(body) {
		return it, errItem
	}
	it.Title = cutTitle(string(body[:n]))
	ps, rest, err := wire.ParsePlaces(body[n:], MaxPlaces)
	if err != nil || len(rest) != 0 {
		return it, errItem
	}
	it.Places = ps
	return it, nil
}

// cutTitle cleans a title, which a stranger may have made, and cuts it to maxTitle bytes.
func cutTitle(s string) string {
	s = oneline.Clean(s, maxTitle)
	for len(s) > maxTitle {
		_, last := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-last]
	}
	return strings.TrimRight(s, " ")
}

// Found is a channel's newest item, as far as the nodes that were asked know.
type Found struct {
	Item
	record Record
}

// Hosts returns the addresses in it, in order.
func (f Found) Hosts() (all []netip.AddrPort) {
	for _, p := range f.Places {
		all = append(all, p.Addrs...)
	}
	return all
}

// Age is how long ago the source has said this, by its clock and this one; never negative.
func (f Found) Age(now time.Time) time.Duration { return max(0, now.Sub(f.Made)) }
