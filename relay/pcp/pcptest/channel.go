package pcptest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ID is a channel's, or a session's.
type ID [16]byte

// String returns the 32 upper-case hex digits.
func (id ID) String() string { return strings.ToUpper(hex.EncodeToString(id[:])) }

// Info is what a broadcaster says of a channel.
type Info struct {
	Name, Genre, Description, URL, Comment, Type string
	Kbps                                         uint32
	Title, Creator                               string // of the track
}

// mostPackets is how many packets a PeerCast keeps, and mostData how much is in one, in bytes.
const (
	mostPackets = 64
	mostData    = 15360
)

// What PeerCastStation sets in cont; peercast-yt knows the first alone.
const (
	contFragment   = 1
	contInterframe = 2
	contAudio      = 4
)

type packet struct {
	pos  uint32
	cont byte
	data []byte
}

// Channel is a channel at one model.
type Channel struct {
	ID   ID
	peer *Peer

	mu       sync.Mutex
	info     Info
	infos    int // changes
	head     []byte
	headPos  uint32
	heads    int // changes
	packets  []packet
	first    int // number of the first of packets
	pos      uint32
	pending  []byte // of one packet that is filled
	cont     byte
	over     bool
	changed  chan struct{}
	children map[ID]*child
	got      []byte // head and data since the newest head at position 0, of a channel that is pulled
	skips    int    // steps in the positions
}

type child struct{ host Atom }

func newChannel(p *Peer, id ID) *Channel {
	return &Channel{ID: id, peer: p, changed: make(chan struct{}), children: map[ID]*child{}}
}

// tell wakes those who wait. It is called with mu held.
func (c *Channel) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// SetInfo changes what is said of the channel.
func (c *Channel) SetInfo(i Info) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.info = i
	c.infos++
	c.tell()
}

// SetHead begins the stream, or begins it anew at position 0, with the header of an FLV.
func (c *Channel) SetHead(head []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flush()
	c.head, c.headPos, c.pos = bytes.Clone(head), 0, uint32(len(head))
	c.heads++
	c.first += len(c.packets)
	c.packets = nil
	c.tell()
}

// Write takes whole FLV tags and makes packets of them: at a key frame a new one, and else when one
// is full; PeerCastStation makes one of each tag.
func (c *Channel) Write(tags ...[]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range tags {
		audio, key := t[0] == 8, t[0] == 9 && len(t) > 12 && t[11]>>4&7 == 1
		if c.peer.Kind == Station {
			cont := byte(0)
			switch {
			case audio:
				cont = contAudio
			case !key:
				cont = contInterframe
			}
			for rest := t; len(rest) > 0; cont |= contFragment {
				n := min(len(rest), mostData)
				c.add(packet{c.pos, cont, bytes.Clone(rest[:n])})
				rest = rest[n:]
			}
			continue
		}
		if key || len(c.pending)+len(t) > mostData {
			c.flush()
		}
		if len(c.pending) == 0 {
			if c.cont = contFragment; key {
				c.cont = 0
			}
		}
		c.pending = append(c.pending, t...)
		for len(c.pending) > mostData {
			rest := bytes.Clone(c.pending[mostData:])
			c.pending = c.pending[:mostData]
			c.flush()
			c.pending, c.cont = rest, contFragment
		}
	}
	c.flush()
	c.tell()
}

// WritePacket takes a packet as it is.
func (c *Channel) WritePacket(pos uint32, cont byte, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(packet{pos, cont, bytes.Clone(data)})
	c.tell()
}

// flush ends the packet that is filled. It is called with mu held.
func (c *Channel) flush() {
	if len(c.pending) > 0 {
		c.add(packet{c.pos, c.cont, c.pending})
		c.pending = nil
	}
}

// add is called with mu held.
func (c *Channel) add(p packet) {
	if p.pos != c.pos {
		c.skips++
	}
	c.pos = p.pos + uint32(len(p.data))
	c.packets = append(c.packets, p)
	if n := len(c.packets) - mostPackets; n > 0 {
		c.packets = slices.Delete(c.packets, 0, n)
		c.first += n
	}
}

// End takes the channel off the air.
func (c *Channel) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.tell()
}

// Got returns the FLV that a channel which is pulled has brought so far, from its newest head at
// position 0 on.
func (c *Channel) Got() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.got)
}

// Told returns what the broadcaster says of the channel, as far as it has come.
func (c *Channel) Told() Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.info
}

// Skips returns how often positions did not follow each other.
func (c *Channel) Skips() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skips
}

// Children returns the sessions of those who pull from here, and the hosts that they report, as
// they sent them; an atom without a name if one has not reported.
func (c *Channel) Children() map[ID]Atom {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[ID]Atom{}
	for id, k := range c.children {
		all[id] = k.host
	}
	return all
}

// start returns the number of the packet at which a reader begins who asks for a position: that
// one if it is there, or else the newest at which one may start. It is called with mu held.
func (c *Channel) start(pos uint32) int {
	newest := c.first + len(c.packets)
	for i, p := range c.packets {
		if p.pos == pos && pos != 0 {
			return c.first + i
		}
		if p.cont == 0 {
			newest = c.first + i
		}
	}
	return newest
}

// chanAtom is what is said of a channel, as each kind orders it.
func (c *Channel) chanAtom(info bool, pkt *Atom) Atom {
	kids := []Atom{Raw("id", c.ID[:])}
	if pkt != nil && c.peer.Kind == Station {
		kids = append(kids, *pkt)
	}
	if info {
		i := c.info
		kids = append(kids,
			Of("info", Text("name", i.Name), Int("bitr", i.Kbps), Text("gnre", i.Genre), Text("url", i.URL), Text("desc", i.Description), Text("cmnt", i.Comment), Text("type", i.Type), Text("styp", "video/x-flv"), Text("sext", ".flv")),
			Of("trck", Text("titl", i.Title), Text("crea", i.Creator), Text("url", ""), Text("albm", "")))
	}
	if pkt != nil && c.peer.Kind == YT {
		kids = append(kids, *pkt)
	}
	return Of("chan", kids...)
}

func pktAtom(typ string, p packet) *Atom {
	kids := []Atom{Raw("type", []byte(typ)), Int("pos", p.pos)}
	if p.cont != 0 {
		kids = append(kids, Char("cont", p.cont))
	}
	a := Of("pkt", append(kids, Raw("data", p.data))...)
	return &a
}

// take takes a chan that has come. It is called without mu.
func (c *Channel) take(a Atom) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range a.Kids {
		switch k.Name {
		case "info":
			c.info = Info{Name: k.text("name"), Genre: k.text("gnre"), Description: k.text("desc"), URL: k.text("url"), Comment: k.text("cmnt"), Type: k.text("type"), Kbps: k.number("bitr"), Title: c.info.Title, Creator: c.info.Creator}
			c.infos++
		case "trck":
			c.info.Title, c.info.Creator = k.text("titl"), k.text("crea")
			c.infos++
		case "pkt":
			c.takePacket(k)
		}
	}
	c.tell()
}

func (c *Channel) takePacket(k Atom) {
	typ, _ := k.Find("type")
	data, _ := k.Find("data")
	cont, _ := k.Find("cont")
	pos := k.number("pos")
	switch string(typ.Data) {
	case "head":
		c.heads++
		if pos == 0 {
			c.first += len(c.packets)
			c.packets = nil
			if !bytes.Equal(c.head, data.Data) {
				c.got = bytes.Clone(data.Data)
			}
		}
		c.head, c.headPos, c.pos = data.Data, pos, pos+uint32(len(data.Data))
	case "data":
		if len(c.packets) == 0 {
			c.pos = pos // where it begins is no step
		}
		c.add(packet{pos, byte(cont.value()), data.Data})
		c.got = append(c.got, data.Data...)
	}
}

// String names the channel.
func (c *Channel) String() string { return fmt.Sprintf("channel %s", c.ID) }
