package hostile

// Input is what a hostile peer says on a fresh connection, or in one packet.
type Input struct {
	Name  string
	Bytes []byte
	Want  Want
	Says  string // must be part of the answer; "" for anything
}

// Want is what must become of an input.
type Want uint8

// Wants.
const (
	// Refused: the node ends the connection by itself, while the other side stays.
	Refused Want = iota
	// Ended: the input stops in the middle, and so does the peer. The node ends the connection.
	Ended
	// Served: the node does what it is asked, and ends the connection by itself.
	Served
	// Answered: something comes back. Odd, but no harm in it.
	Answered
	// Dropped: nothing comes back to the packet.
	Dropped
	// Ignored: likewise, and it counts as no refusal, as it is honest and for others.
	Ignored
)

// String returns it in a word.
func (w Want) String() string {
	return [...]string{"refused", "ended", "served", "answered", "dropped", "ignored"}[w]
}

// Table is the inputs for one port.
type Table struct {
	Port   Port
	Inputs []Input
	Why    map[string]string // the reason by which each is counted, by its name, where one knows
}

// Port is a door of the node, and the protocol that is spoken there.
type Port string

// Ports.
const (
	RTMP      Port = "RTMP"      // the encoder's
	Media     Port = "media"     // the encoder's, with the stream key
	SRT       Port = "SRT"       // the encoder's and players', UDP
	HTTP      Port = "HTTP"      // players', with the page and the API
	TLS       Port = "TLS"       // that for links, before there is TLS
	Link      Port = "link"      // that for links
	Stream    Port = "stream"    // that for links, where streams of gossip come in
	Gossip    Port = "gossip"    // UDP, of the same number
	Discovery Port = "discovery" // UDP, of all relays of this machine
	RTSP      Port = "RTSP"      // players' over RTSP
	PeerCast  Port = "PeerCast"  // that at which PeerCast is served: that for links, or its own
	WHIP      Port = "WHIP"      // that for encoders that speak it
	WHIPMedia Port = "WHIP-UDP"  // and for their packets, of the same number
	MPEGTS    Port = "MPEG-TS"   // UDP, at which that comes in (relay source udp://…)
	TV        Port = "TV"        // that at which TVs read what there is
	SSDP      Port = "SSDP"      // UDP, at which TVs look for that: of all such servers of this machine
)

// Ports lists all of them, in the order in which they are attacked.
var Ports = []Port{RTMP, Media, SRT, HTTP, TLS, Link, Stream, Gossip, Discovery, PeerCast, RTSP, WHIP, WHIPMedia, MPEGTS, TV, SSDP}

// Packets reports whether the port takes packets, not connections.
func (p Port) Packets() bool {
	return p == Gossip || p == Discovery || p == SRT || p == WHIPMedia || p == MPEGTS || p == SSDP
}
