package sample

import (
	"io"

	"relay/ingest/convert"
	"relay/ingest/flv"
)

// Queue makes a reader's units into tags, several at a time, and hands them out one by one. It belongs to
// one goroutine.
type Queue struct {
	conv *convert.Converter
	tags []flv.Tag
	came bool  // there was a tag
	end  error // why there is no more
}

// NewQueue returns an empty one. told hears of what the converter finds.
func NewQueue(told func(convert.Trouble, string)) *Queue {
	return &Queue{conv: convert.New(func(t convert.Trouble) { told(t, "MP2 sound") })}
}

// Configure tells how the tracks are coded, as [convert.Converter.Configure] has it.
func (q *Queue) Configure(video, sound convert.Track) { q.conv.Configure(video, sound) }

// Stats returns the converter's counts so far.
func (q *Queue) Stats() convert.Stats { return q.conv.Stats() }

// Came reports whether there was a tag.
func (q *Queue) Came() bool { return q.came }

// Put takes a picture, or a unit of sound.
func (q *Queue) Put(u convert.Unit, picture bool) {
	if picture {
		q.tags = append(q.tags, q.conv.Picture(u)...)
	} else {
		q.tags = append(q.tags, q.conv.Sound(u)...)
	}
	q.came = q.came || len(q.tags) > 0
}

// Next returns the next tag. Until there is one, it calls step, which puts units or fails: with [io.EOF] at
// the end of the stream, with [io.ErrUnexpectedEOF] in the middle of something; what waits in the converter
// comes then. If there was no tag at all, nothing says why.
func (q *Queue) Next(step, nothing func() error) (flv.Tag, error) {
	for len(q.tags) == 0 {
		if q.end != nil {
			return nil, q.end
		}
		q.tags = q.tags[:0]
		if q.end = step(); q.end != io.EOF && q.end != io.ErrUnexpectedEOF {
			continue
		}
		q.tags = append(q.tags, q.conv.Flush()...)
		if q.came = q.came || len(q.tags) > 0; !q.came {
			q.end = nothing()
		}
	}
	t := q.tags[0]
	q.tags = q.tags[1:]
	return t, nil
}
