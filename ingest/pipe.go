package ingest

import (
	"context"
	"fmt"
	"io"

	"relay/ingest/flv"
)

// Pipe sends FLV from a reader, such as standard input, as fast as it comes: the
// encoder at its other end sets the pace.
type Pipe struct {
	From io.Reader
	Open Opener
}

// Run sends what comes until the input ends, or until ctx does, and then returns
// nil. A read that blocks forever does not hold Run up, but keeps one goroutine.
func (p *Pipe) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tags := make(chan flv.Tag)
	ended := make(chan error, 1)
	go func() { ended <- read(ctx, p.From, tags) }() // ends with the input, or at the first tag after ctx

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

func read(ctx context.Context, from io.Reader, tags chan<- flv.Tag) error {
	r := flv.NewReader(from)
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
