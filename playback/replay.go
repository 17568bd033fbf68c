package playback

import (
	"bytes"
	"errors"
	"io"
	"time"

	"relay/ingest/flv"
	"relay/playback/provenance"
	"relay/relay/archive"
	"relay/relay/stream"
)

// Replay is what was kept of a channel, as FLV from its beginning to its end. Behind tags that were signed come the
// proofs of that (package provenance). It has to be closed.
type Replay struct {
	kept   *kept
	of     stream.ChannelID // whose recording it is, zero if nobody can check that
	prover *provenance.Prover

	past     *archive.Reader
	plain    func(stream.Item) (stream.Item, error)
	ahead    *stream.Item // read already
	ended    error        // what ended it, nil while there may be more
	opened   bool         // something did
	header   *stream.Header
	timeline flv.Timeline
	newest   uint32 // timestamp of the newest tag
	out      []byte
}

// NewReplay returns what is in an archive. unsealer, for a private channel, returns what opens its
// chunks; it is nil for another.
func NewReplay(a *archive.Archive, unsealer func() *stream.Unsealer) (*Replay, error) {
	r := &Replay{kept: &kept{a, unsealer}}
	if err := r.rewind(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

var errNothingKept = errors.New("nothing in it can be played")

func (r *Replay) rewind() error {
	past, err := r.kept.archive.At(time.Time{})
	switch {
	case err != nil:
		return err
	case past == nil:
		return errNothingKept
	}
	r.Close()
	*r = Replay{kept: r.kept, past: past, plain: r.kept.plain()}
	first, err := r.next()
	if err == io.EOF {
		err = errNothingKept
	}
	if err != nil {
		return err
	}
	r.ahead = &first
	said, err := stream.ParseChannelID(flv.Describe(first.Header.Payload()).Recording)
	switch {
	case err == nil: // a recording of a recording: its proofs are among the tags
		r.of = said
	case !r.sealed():
		r.of = r.kept.archive.ID()
		r.prover = provenance.NewProver(r.of)
	}
	if r.out = r.more(); len(r.out) == 0 {
		return errNothingKept
	}
	return nil
}

// sealed reports whether the chunks that are kept are those of a private channel.
func (r *Replay) sealed() bool { return r.kept.unsealer != nil }

// Title is what the broadcaster called it, "" if nothing.
func (r *Replay) Title() string {
	return flv.CleanTitle(flv.Describe(r.header.Payload()).Title)
}

// Of is the channel whose source has signed what is played, as everybody can check; zero if nobody can, as it was sealed.
func (r *Replay) Of() stream.ChannelID { return r.of }

// next is the next chunk that opens, or io.EOF.
func (r *Replay) next() (stream.Item, error) {
	if it := r.ahead; it != nil {
		r.ahead = nil
		return *it, nil
	}
	var sealed error // of what did not open, while nothing has
	for {
		it, ok, err := r.past.Next()
		switch {
		case err != nil:
			return it, err
		case !ok && sealed != nil:
			return it, sealed
		case !ok:
			return it, io.EOF
		}
		if it, err = r.plain(it); err == nil {
			r.opened = true
			return it, nil
		}
		if !r.opened { // what does not open at all has been given the wrong secret
			sealed = err
		}
	}
}

// more is what comes next: the chunks up to the next boundary of tags, as tags. It is empty at the end.
func (r *Replay) more() (out []byte) {
	var chunks []*stream.Chunk
	var whole []byte // what they hold
	for r.ended == nil {
		it, err := r.next()
		if err != nil {
			r.ended = err
			break
		}
		if r.header == nil {
			out = append(out, it.Header.Payload()...)
		}
		if it.Jump || it.Chunk.Has(stream.Tag) {
			chunks, whole = nil, nil // what is left goes no further
		}
		if len(chunks) == 0 {
			if !it.Chunk.Has(stream.Tag) {
				continue // the beginning is missing
			}
			if r.prover != nil && !r.prover.Follows(it.Header, it.Chunk) {
				out = append(out, r.prover.Tag(r.newest)...)
			}
			if it.Jump && r.header != nil {
				out = append(out, r.turn(it)...)
			}
		}
		r.header = it.Header
		chunks, whole = append(chunks, it.Chunk), append(whole, it.Chunk.Payload()...)
		if tags, ok := wholeTags(whole); ok {
			return append(out, r.send(chunks, tags)...)
		}
		if len(chunks) > maxHeld {
			chunks, whole = nil, nil
		}
	}
	if r.prover != nil {
		out = append(out, r.prover.Tag(r.newest)...)
	}
	return out
}

// turn goes over to a chunk that does not follow, and returns the configurations that go before it. Without a jump, those
// that change are tags of the stream.
func (r *Replay) turn(it stream.Item) (configs []byte) {
	if it.Header.Epoch() != r.header.Epoch() {
		r.timeline.Restart()
	} else {
		r.timeline.Gap()
	}
	if !bytes.Equal(it.Header.Payload(), r.header.Payload()) {
		for t := range flv.Tags(it.Header.Payload()) {
			t = bytes.Clone(t)
			flv.PutTimestamp(t, r.newest)
			configs = append(configs, t...)
		}
	}
	return configs
}

// send returns tags at their place in the timeline, and has chunks proved that they were sent in.
func (r *Replay) send(chunks []*stream.Chunk, tags []flv.Tag) (out []byte) {
	if r.prover != nil {
		if r.prover.Late(tags[0]) {
			out = append(out, r.prover.Tag(r.newest)...)
		}
		r.prover.Add(r.header, chunks, tags)
	}
	for _, t := range tags {
		at := len(out)
		out = append(out, t...)
		ts := t.Timestamp()
		if t.Type() == flv.Script {
			ts = r.timeline.Place(ts)
		} else {
			ts = r.timeline.Map(ts)
		}
		flv.PutTimestamp(out[at:], ts)
		r.newest = ts
	}
	return out
}

// wholeTags takes b apart into tags. It reports false if the last is not whole.
func wholeTags(b []byte) (tags []flv.Tag, ok bool) {
	n := 0
	for t := range flv.Tags(b) {
		tags, n = append(tags, t), n+len(t)
	}
	return tags, n == len(b)
}

// Read implements [io.Reader].
func (r *Replay) Read(b []byte) (int, error) {
	for len(r.out) == 0 {
		if r.out = r.more(); len(r.out) == 0 && r.ended != nil {
			return 0, r.ended
		}
	}
	n := copy(b, r.out)
	r.out = r.out[n:]
	return n, nil
}

// Seek implements [io.Seeker], for the beginning alone.
func (r *Replay) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, errors.ErrUnsupported
	}
	return 0, r.rewind()
}

// Close lets go of the file.
func (r *Replay) Close() error {
	if r.past != nil {
		r.past.Close()
	}
	return nil
}
