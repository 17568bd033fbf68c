package wire

import (
	"errors"
	"fmt"
	"net/netip"

	"relay/relay/lineage"
	"relay/relay/nameplate"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/tree"
)

// Version is the protocol version, the first field of a Hello and of a Survey.
const Version = 1

// Frame types. Those below 0x10 belong to the data path, all others to the tree.
const (
	typeChunk     = stream.FrameChunk
	typeHeader    = stream.FrameHeader
	typeBeat      = stream.FrameBeat
	typeGap       = 0x04
	typeSums      = stream.FrameSums
	typeAbout     = stream.FrameAbout
	typeHello     = 0x10
	typeWelcome   = 0x11
	typeRefer     = 0x12
	typePull      = 0x13
	typeHeartbeat = 0x14
	typePath      = 0x15
	typeReport    = 0x16
	typeBye       = 0x17
	typeBackups   = 0x18
	typeSample    = 0x19
	typeFacts     = 0x1a
	typeSurvey    = 0x1b
	typeWhole     = 0x1c
	typeProbed    = 0x20
	typeSeen      = 0x21
	typeCall      = 0x22
	typeCalled    = 0x23
	typeOffer     = 0x24
	typeThrough   = 0x25
	typeCallable  = 0x26
	typeRooms     = 0x27
	typeDialMe    = 0x28
	typeDialled   = 0x29
	typeMeet      = 0x2a
	typeReady     = 0x2b
	typeLater     = 0x2c
	typeDouble    = 0x2d
	typeLineage   = 0x2e
	typeOpenings  = 0x2f
	typeProve     = 0x30
	typeEntrust   = 0x31
	typeNames     = 0x32
	typeWhoIs     = 0x33
	typeAudience  = 0x34
	typeRecall    = 0x35
	typeKept      = 0x36
	typeRecalled  = 0x37
	typeSeek      = 0x38
	typeDHTNodes  = 0x39
)

// Side says who may send a frame.
type Side uint8

// Sides of a link. The child is the one that dialled.
const (
	Parent   Side = 1 << iota
	Child         // after its Hello
	Stranger      // a child whose Hello has not come
)

// Sizes that follow from the bounds of tree's messages, in bytes.
const (
	placeMax  = 32 + 1 + tree.MaxAddrs*addrMax
	addrMax   = 1 + 16 + 2
	labelLen  = 16 + 8 + 2
	pathMax   = 1 + tree.MaxPath*placeMax
	placesMax = 1 + tree.MaxRefer*placeMax

	heartbeatLen = labelLen + 1 + 24 + 4 + 2*tree.Classes
	reportLen    = 8 + 6 + 4 + tree.Classes + 8
	beatBody     = stream.BeatLen - stream.PreludeLen
)

// kind is one row of the table of frames.
type kind struct {
	name string
	from Side
	min  int // body length
	max  int
}

// kinds is the table of frames.
var kinds = map[byte]kind{
	typeChunk:     {"chunk", Parent, stream.ChunkOverhead - stream.PreludeLen + 1, stream.MaxChunk - stream.PreludeLen},
	typeHeader:    {"header", Parent, 22 + stream.SignatureLen, stream.MaxHeader - stream.PreludeLen},
	typeBeat:      {"beat", Parent, stream.BeatLen - stream.PreludeLen, stream.BeatLen - stream.PreludeLen},
	typeGap:       {"gap", Parent, 8, 8},
	typeSums:      {"sums", Parent, stream.MinSumsLen - stream.PreludeLen, stream.MaxSumsLen - stream.PreludeLen},
	typeAbout:     {"about", Parent, stream.AboutLen - stream.PreludeLen, stream.AboutLen - stream.PreludeLen},
	typeHello:     {"hello", Stranger, 1, 1 + 32 + 12 + 1 + tree.MaxAddrs*addrMax},
	typeWelcome:   {"welcome", Parent, labelLen + 4 + 3, labelLen + 4 + pathMax + placesMax + addrMax},
	typeRefer:     {"refer", Parent, 2, 1 + placesMax},
	typePull:      {"pull", Child, 24, 24},
	typeHeartbeat: {"heartbeat", Parent, heartbeatLen, heartbeatLen},
	typePath:      {"path", Parent, 1, pathMax},
	typeReport:    {"report", Child, reportLen, reportLen},
	typeBye:       {"bye", Parent | Child | Stranger, 2, 1 + placesMax},
	typeBackups:   {"backups", Parent, 1, 1 + tree.MaxBackups*placeMax},
	typeSample:    {"sample", Parent, 2 + 1, 2 + 1 + MaxSample*(placeMax+3*2)},
	typeFacts:     {"facts", Child, viewMin, viewMax},
	typeSurvey:    {"survey", Stranger, 1, 1 + 32},
	typeWhole:     {"whole", Parent, viewMin, viewMax},
	typeOffer:     {"offer", Stranger, 1, 1 + 32 + ProofLen},
	typeProbed:    {"probed", Parent, 1 + 4 + 2 + 1, addrMax + 1},
	typeSeen:      {"seen", Parent, 1 + 4 + 2, addrMax},
	typeCall:      {"call", Child, 32, 32},
	typeCalled:    {"called", Parent, 32 + 1, 32 + addrMax},
	typeThrough:   {"through", Parent, 1, 1},
	typeCallable:  {"callable", Child, 1 + tree.Classes, 1 + tree.Classes},
	typeRooms:     {"rooms", Parent, 2 * tree.Classes, 2 * tree.Classes},
	typeOpenings:  {"openings", Child, 1, 1 + tree.MaxOpenings*(placeMax+2)},
	typeMeet:      {"meet", Parent | Child, 32 + 2, 32 + 2*addrMax},
	typeReady:     {"ready", Parent | Child, 32 + 1, 32 + 1},
	typeProve:     {"prove", Parent | Stranger, ProofLen, ProofLen},
	typeEntrust:   {"entrust", Stranger, seal.SecretLen, seal.SecretLen},
	typeNames:     {"names", Parent | Child, 1, 1 + MaxNames*nameplate.MaxLen},
	typeWhoIs:     {"whois", Stranger, 1 + len(NodeTag{}), 1 + MaxNames*len(NodeTag{})},
	typeAudience:  {"audience", Child, 4, 4},
	typeRecall:    {"recall", Child, 48, 48},
	typeKept:      {"kept", Parent, stream.MinHeader, stream.MaxHeader},
	typeRecalled:  {"recalled", Parent, 1, 1},
	typeSeek:      {"seek", Child, 1, 1},
	typeDHTNodes:  {"dhtnodes", Parent, 1, 1 + MaxDHTNodes*addrMax},
	typeDialMe:    {"dialme", Stranger, 1, 1 + 32 + 2},
	typeDialled:   {"dialled", Parent, 1 + 4 + 2 + 2, addrMax + 2},
	typeDouble:    {"double", Parent | Child, stream.DoubleLen, stream.DoubleLen},
	typeLineage:   {"lineage", Parent | Stranger, 16 + 1 + lineage.PlaceLen, 16 + 1 + lineage.MaxLen},
	typeLater:     {"later", Parent | Child | Stranger, 1, 1 + 32 + beatBody + placeMax},
}

// Errors of this package. All but [ErrVersion] mean that the other side broke the protocol.
var (
	ErrFrame   = errors.New("malformed frame")
	ErrNotDue  = errors.New("frame is not due")
	ErrVersion = errors.New("the other side speaks another version of the protocol")
)

// Hello opens a link: the channel, and the joiner's request to be a child.
type Hello struct {
	Channel stream.ChannelID
	Join    tree.Join
}

// Gap was sent by older versions ahead of a chunk that does not follow the one before it.
// The signed numbers of the chunks tell the same.
type Gap struct {
	Missed uint64 // chunks the child does not get; 0 if that is not known
}

// MaxSample is how many nodes a Sample names. In a simulation of 10,000 nodes a view of 20
// gave trees as shallow as a view of all.
const MaxSample = 20

// Sample tells a child of other nodes of the channel. It is a hint for a node that does not
// take part in gossip.
type Sample struct {
	Members uint16 // nodes that take part in gossip, as far as the sender knows
	Of      []tree.Candidate
}

// Probed tells a child whether its parent got through to it, over a connection of its own to an
// address that the child listens on. It is sent to nodes whose ALPN is relay/2.
type Probed struct {
	Addr netip.AddrPort // the one that was dialled
	Open bool
}

// Offer opens a link in place of a Hello, and turns it around: who dialled is to be the parent, and
// the other side may answer with a Hello. It is sent to nodes whose ALPN is relay/2.
type Offer struct {
	Channel stream.ChannelID
	Proof   *[ProofLen]byte // that the source knows the helper's token; nil if it does not say so
}

// ProofLen is the length of an Offer's proof, and of a Prove's, in bytes: HMAC-SHA256.
const ProofLen = 32

// DialMe asks a node of the channel to dial back, in place of a Hello: the address from which it
// comes, and this port. Dialled answers it. It is sent to nodes whose ALPN is relay/2.
type DialMe struct {
	Channel stream.ChannelID
	Port    uint16
}

// Seen tells a child, exactly, from where its connection comes: behind a router it is that
// router's address and port. It is sent to nodes whose ALPN is relay/2, like all that follow.
type Seen struct{ Addr netip.AddrPort }

// Through precedes a Refer, a Backups or a Bye, and marks those of its places that are called.
type Through struct{ Places tree.Marks }

// Callable precedes a report, and holds for all that follow: whether calls get through to the
// child, and the room at and below it for joiners that can call.
type Callable struct {
	Is   bool
	Room tree.Room
}

// Openings precedes a report, and holds for all that follow: nodes below the child that have free slots, at
// most [tree.MaxOpenings]. It is sent to nodes whose ALPN is relay/5.
type Openings struct{ Of []tree.Opening }

// Rooms precedes a heartbeat, and holds for all that follow: the room for joiners that can call, in
// the whole tree and at and below the parent.
type Rooms struct{ Best, Room tree.Room }

// Call asks the other side to have a node that it is linked with meet the sender.
type Call struct{ Target tree.ID }

// Called answers a Call: where the other side sees the target, which has been told by then. The
// address is not valid if it has not.
type Called struct {
	Target tree.ID
	Addr   netip.AddrPort
}

// Meet tells a node that another one would have it as its parent: it is about to connect from the
// address at which it is seen, and waits for the same.
type Meet struct {
	Caller tree.ID
	Addr   netip.AddrPort // not valid if it is of another family than the node's own
	Listen netip.AddrPort // where the caller says it listens; not valid for nowhere
}

// Ready answers a Meet: the sender's router is open to the caller, or it will not meet the caller.
type Ready struct {
	Caller tree.ID
	Is     bool
}

// Prove shows that its sender has the secret of a private channel, or its join part, on this very
// connection. It is the first frame that either side sends. It is sent to nodes whose ALPN is relay/3.
type Prove struct{ Proof [ProofLen]byte }

// Entrust gives a helper the join part of a private channel's secret, just before an offer with a proof
// of the helper's token.
type Entrust struct{ JoinPart [seal.SecretLen]byte }

// MaxNames is how many plates one Names has, and for how many one WhoIs asks: those of a screen.
const MaxNames = 128

// Names tells what nodes call themselves, as each has signed it: a child of itself and of those below it, a
// parent of itself, and who was asked with a WhoIs of those that it knows. It is sent to nodes whose ALPN
// is relay/6.
type Names struct{ Of []nameplate.Plate }

// WhoIs asks for names, over a connection on which a Survey was answered. Names answers it.
type WhoIs struct{ Of []NodeTag }

// Audience says how many watch at a child and below it, as it believes. It is sent to nodes whose ALPN is
// relay/6.
type Audience struct{ Watching uint32 }

// Answer is what came of one way of getting through.
type Answer uint8

// Answers.
const (
	NotAsked Answer = iota // it was not tried
	Nothing                // nothing came back
	Answered               // the node has answered
	answerEnd
)

// Dialled tells whether its sender got through to an address, over TCP as links do and over UDP
// as gossip does.
type Dialled struct {
	Addr     netip.AddrPort
	TCP, UDP Answer
}

// Later tells of a run of the source that the other side may not have heard of: the root's signed
// beat proves it, and At is a node that has it, as far as the sender knows. From a stranger it asks for
// the same in return. It is sent to nodes whose ALPN is relay/3.
type Later struct {
	Channel stream.ChannelID
	Beat    *stream.Beat
	At      tree.Place
}

// Double passes on the proof that the channel's key is used by two. It is sent to nodes whose ALPN is
// relay/3.
type Double struct{ Proof stream.Double }

// Lineage proves where in the tree a node is: a child, to which its parent sends it, or a joiner, who
// sends it ahead of its Hello. It is sent to nodes whose ALPN is relay/3.
type Lineage struct {
	Epoch  stream.Epoch
	Places lineage.Lineage
}

// Recall asks for the end of the part of the channel between two chunks, of what the parent keeps. A zero After
// is before everything. It is sent to nodes whose ALPN is relay/6.
type Recall struct{ After, Before stream.Position }

// Kept is a chunk, or the header that the next ones need, of what a Recall asked for: one of the two is
// set. They come in order.
type Kept struct {
	Header *stream.Header
	Chunk  *stream.Chunk
}

// Recalled ends the answer to a Recall. It says whether there was something to answer with.
type Recalled struct{ Some bool }

// MaxDHTNodes is how many nodes of the DHT one node tells another: enough to begin with even if half of them
// are gone.
const MaxDHTNodes = 50

// Seek asks a parent for nodes of the BitTorrent DHT, with which a look-up for the channel can begin on the day
// on which its link leads nowhere. DHTNodes answers it. It is sent to nodes whose ALPN is relay/6.
type Seek struct{ Most uint8 } // 1 to MaxDHTNodes

// DHTNodes are nodes of the DHT that its sender has found there; none if it takes no part.
type DHTNodes struct{ At []netip.AddrPort }

// Frame is one of *stream.Chunk, *stream.Header, *stream.Beat, *stream.Sums, *stream.About, Gap, Hello, Sample,
// Facts, Survey, Whole, Probed, Offer, DialMe, Dialled, Seen, Through, Callable, Rooms, Openings, Call, Called, Meet, Ready,
// Later, Double, Lineage, Prove, Entrust, Names, WhoIs, Audience, Recall, Kept, Recalled, Seek, DHTNodes, and tree's Welcome, Refer, Pull, Heartbeat,
// Path, Report, Backups and Bye.
type Frame any

// Append appends the frame's bytes to b. It panics on a type that is no Frame. Lists are cut
// at their bounds, and addresses that cannot be dialled are left out, so that what is
// appended always parses.
func Append(b []byte, f Frame) []byte {
	switch f := f.(type) {
	case *stream.Chunk:
		return append(b, f.Frame()...)
	case *stream.Header:
		return append(b, f.Frame()...)
	case *stream.Beat:
		return append(b, f.Frame()...)
	case *stream.Sums:
		return append(b, f.Frame()...)
	case *stream.About:
		return append(b, f.Frame()...)
	}
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	typ, b := appendBody(b, f)
	stream.PutPrelude(b[at:], typ, len(b)-at-stream.PreludeLen)
	return b
}

// Parse parses one whole frame, prelude included. A chunk, header, beat, sums or about refers to
// frame and not to a copy of it. Signatures are not checked.
func Parse(frame []byte) (Frame, error) {
	if len(frame) < stream.PreludeLen {
		return nil, fmt.Errorf("frame of %d bytes: %w", len(frame), ErrFrame)
	}
	typ, n := stream.Prelude(frame)
	k, ok := kinds[typ]
	if !ok || n != len(frame)-stream.PreludeLen || n < k.min || n > k.max {
		return nil, fmt.Errorf("frame type %#02x of %d bytes: %w", typ, len(frame), ErrFrame)
	}
	f, err := parseBody(typ, frame)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	return f, nil
}
