package ingest

import (
	"context"
	"fmt"
	"io"

	"go.uber.org/zap"

	"relay/ingest/flv"
)

// Pipe sends FLV, Matroska, fragmented MP4 or MPEG-TS from a reader, such as standard input, as fast as it comes: the
// encoder at its other end sets the pace.
type Pipe struct {
	From io.Reader
	Open Opener
	Log  *zap.Logger // nil for none
}

// Run sends what comes until the input ends, or until ctx does, and then returns
// nil. A read that blocks forever does not hold Run up, but keeps one goroutine.
func (p *Pipe) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tags := make(chan flv.Tag)
	ended := make(chan error, 1)
	go func() { ended <- p.read(ctx, tags) }() // ends with the input, or at the first tag after ctx

	var session *Session
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			return err
		case t := <-tags:
			if session == nil {
				var err error
				if session, err = p.Open(); err != nil {
					return err
				}
				defer session.Close()
			}
			if err := session.Write(t); err != nil {
				return err
			}
		}
	}
}

func (p *Pipe) read(ctx context.Context, tags chan<- flv.Tag) error {
	r := newOrigin("standard input", 0, p.Log).read(p.From)
	for n := 0; ; n++ {
		t, err := r.Next()
		switch {
		case err == io.EOF && n > 0:
			return nil
		case err != nil:
			return fmt.Errorf("read the input: %w", noEOF(err))
		}
		select {
		case tags <- t:
		case <-ctx.Done():
			return nil
		}
	}
}
