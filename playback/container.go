package playback

import (
	"net"
	"time"

	"relay/ingest/flv"
	"relay/relay/stream"
)

// Container is what a channel's tags are put into for viewers: made once, by one goroutine at a
// time, and shared by all of them. What its methods return is kept, and must not be changed
// afterwards.
type Container interface {
	// Convert takes the next tags and returns what they are in the container, the same for
	// all. That may be nothing. An error says that the stream cannot be had in this form.
	Convert(flv.Batch) (net.Buffers, error)
	// Join returns what a viewer must get before what Convert returns next: how the container
	// begins, as its tracks are described at present, and with catchUp the pictures since the
	// newest batch with Start, squashed ([flv.Squashed]). It returns nothing while there is
	// nothing to describe.
	Join(catchUp bool) (net.Buffers, error)
}

// Headed is a Container that has to know the header in force, which is no tag.
type Headed interface {
	// Head says which header the next tags need, before each call of Convert.
	Head(of stream.Epoch, payload []byte)
}

// Form is a kind of container.
type Form struct {
	Name string // one for each form
	New  func() Container
	// Whole says that what is made shares no bytes with the tags, and Joins that it shares those
	// of tags in one slice alone. Of what it does not share less is kept for viewers who are slow.
	Whole, Joins bool
	// Gather is how far apart two calls of Convert are at least, so that it is given what comes in between
	// together.
	Gather time.Duration
	// AsSigned says that tags are given as they were signed, by which they are known again wherever they come
	// from: their timestamps are not made those of one run, and no configuration goes in front of those behind
	// a gap. Convert must say itself that another header is in force.
	AsSigned bool
}
