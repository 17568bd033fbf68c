package provenance

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

const (
	// maxWaiting is how many bytes of tags may wait for their proof: some pictures of the largest kind.
	maxWaiting = 2*flv.MaxBody + 4<<20
	// maxLasts is how much time tags may wait for their proof, in milliseconds of media: more than any honest ones do.
	maxLasts = 20_000
	// maxApart is how far sound and pictures may be moved against each other, in milliseconds.
	maxApart = 1000
	// maxConfigs bounds the configurations that are remembered of those in the stream.
	maxConfigs = 64
)

// Checker sees the tags of a stream in order, and checks the proofs among them. Its zero value is ready; it belongs to one
// goroutine.
type Checker struct {
	of      stream.ChannelID // whom the stream names
	configs map[[sha256.Size]byte]bool
	header  []byte // the frame whose configurations are among these

	begin   [][sha256.Size]byte // configurations that decoders begin with
	came    [][sha256.Size]byte // others, since the last proof
	tags    []flv.Tag           // that wait for their proof
	waiting int                 // bytes of them
	joined  bool                // they may be the rest of what a proof covers
	report  Report
}

// Report says what was found of a recording.
type Report struct {
	Proved   uint64 // tags of pictures, sound and text that the channel's source has signed
	Unproved uint64 // others
	// Made is when the newest of them was signed, by that source's clock; zero if none was.
	Made time.Time
}

// NewChecker returns a checker of what is said to be signed by a channel. It begins anywhere in a stream.
func NewChecker(of stream.ChannelID) *Checker {
	return &Checker{of: of, configs: make(map[[sha256.Size]byte]bool), joined: true}
}

// Report says what was found so far.
func (c *Checker) Report() Report { return c.report }

// Header says with what configurations decoders begin, from now on. Metadata are the source's own.
func (c *Checker) Header(payload []byte) {
	c.begin = nil
	for t := range flv.Tags(payload) {
		if t.Type() != flv.Script {
			c.begin = append(c.begin, sumOf(t))
		}
	}
}

// sumOf is of what a configuration says, whenever it says so.
func sumOf(t flv.Tag) [sha256.Size]byte {
	return sha256.Sum256(append([]byte{byte(t.Type())}, t.Body()...))
}

// Gap says that tags are missing before the next one.
func (c *Checker) Gap() {
	c.forget()
	c.joined = true
}

func (c *Checker) forget() { c.tags, c.came, c.waiting = nil, nil, 0 }

// Add takes the next tag. It keeps a copy.
func (c *Checker) Add(t flv.Tag) {
	switch {
	case Is(t):
		c.settle(t)
	case flv.Classify(t).Config:
		switch {
		case t.Type() == flv.Script: // metadata are the source's own
		case len(c.came) == maxConfigs:
			c.came[0] = [sha256.Size]byte{} // nobody has signed so many
		default:
			c.came = append(c.came, sumOf(t))
		}
	case c.waiting+len(t) > maxWaiting || len(c.tags) == maxTags || len(c.tags) > 0 && apart(c.tags[0], t) > maxLasts:
		c.fail()
	default:
		c.tags = append(c.tags, bytes.Clone(t))
		c.waiting += len(t)
	}
}

// apart is how long after another tag one comes, in milliseconds.
func apart(a, b flv.Tag) int64 { return int64(int32(b.Timestamp() - a.Timestamp())) }

// fail counts what waits as not proved. The next proof may cover what went before this.
func (c *Checker) fail() {
	if !c.joined {
		c.report.Unproved += uint64(len(c.tags))
	}
	c.forget()
	c.joined = true
}

// settle checks what waits by its proof.
func (c *Checker) settle(t flv.Tag) {
	defer c.forget()
	p, err := Parse(t)
	if err == nil && c.joined && len(p.Stamps) > len(c.tags) {
		c.joined = false // it begins before this does
		return
	}
	extra := 0
	if err == nil {
		extra = max(0, len(c.tags)-len(p.Stamps))
	}
	if made, ok := c.holds(p, c.tags[extra:], err); ok {
		c.report.Proved += uint64(len(c.tags) - extra)
		c.report.Made = made
		if !c.joined {
			c.report.Unproved += uint64(extra)
		}
	} else {
		c.report.Unproved += uint64(len(c.tags))
	}
	c.joined = false
}

// holds reports whether a proof shows that tags were signed, and when the last of them was.
func (c *Checker) holds(p *Proof, tags []flv.Tag, err error) (made time.Time, ok bool) {
	if err != nil || p.Of != c.of || len(p.Stamps) != len(tags) || !together(tags, p.Stamps) {
		return made, false
	}
	chunks, ok := p.chunks(tags)
	if !ok {
		return made, false
	}
	h, err := stream.ParseHeader(p.Header)
	if err != nil || h.Sealed() || h.Epoch() != chunks[0].Epoch() || h.Gen() != chunks[0].Gen() {
		return made, false
	}
	if !bytes.Equal(p.Header, c.header) {
		if h.Verify(c.of) != nil {
			return made, false
		}
		c.header = bytes.Clone(p.Header)
		clear(c.configs)
		for t := range flv.Tags(h.Payload()) {
			c.know(t)
		}
	}
	for i, k := range chunks {
		first := chunks[0]
		if k.Has(stream.Enc) || k.Epoch() != first.Epoch() || k.Gen() != first.Gen() || k.Seq() != first.Seq()+uint64(i) || k.Verify(c.of) != nil {
			return made, false
		}
	}
	for _, config := range p.Configs {
		c.know(config.Tag)
	}
	forged := func(sum [sha256.Size]byte) bool { return !c.configs[sum] }
	if slices.ContainsFunc(c.begin, forged) || slices.ContainsFunc(c.came, forged) {
		return made, false
	}
	return time.UnixMilli(int64(chunks[len(chunks)-1].Made())), true
}

// know remembers a configuration that was signed.
func (c *Checker) know(t flv.Tag) {
	if len(c.configs) < maxConfigs {
		c.configs[sumOf(t)] = true
	}
}

// together reports whether sound and pictures have kept their distance from when they were signed with stamps.
func together(tags []flv.Tag, stamps []uint32) bool {
	var least, most int32
	begun := false
	var moved uint32
	for i, t := range tags {
		if t.Type() == flv.Script {
			continue
		}
		by := t.Timestamp() - stamps[i]
		if !begun {
			moved, begun = by, true
		}
		least, most = min(least, int32(by-moved)), max(most, int32(by-moved))
	}
	return int64(most)-int64(least) <= maxApart
}

// chunks puts the chunks together in which tags were signed.
func (p *Proof) chunks(tags []flv.Tag) (chunks []*stream.Chunk, ok bool) {
	var all []byte
	configs := p.Configs
	for i := 0; ; i++ {
		for ; len(configs) > 0 && configs[0].Before == i; configs = configs[1:] {
			all = append(all, configs[0].Tag...)
		}
		if i == len(tags) {
			break
		}
		at := len(all)
		all = append(all, tags[i]...)
		flv.PutTimestamp(all[at:], p.Stamps[i])
	}
	if len(configs) > 0 {
		return nil, false
	}
	for _, c := range p.Chunks {
		typ, rest := stream.Prelude(c.Head[:])
		n := rest + stream.PreludeLen - stream.ChunkOverhead
		if typ != stream.FrameChunk || n <= 0 || n > len(all) {
			return nil, false
		}
		k, err := stream.ParseChunk(slices.Concat(c.Head[:], all[:n], c.Signature[:]))
		if err != nil {
			return nil, false
		}
		all = all[n:]
		chunks = append(chunks, k)
	}
	return chunks, len(all) == 0
}
