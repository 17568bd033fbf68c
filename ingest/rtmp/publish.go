package rtmp

import (
	"context"
	"errors"

	"relay/ingest/flv"
)

// Why a publisher is refused; see [Server.Publish].
var (
	// ErrBusy says that there is a publisher already.
	ErrBusy = errors.New("another encoder is sending")
	// ErrDenied says that the address or the key is wrong.
	ErrDenied = errors.New("no such stream key")

	errPublish = errors.New("it asked to publish")
)

// What an encoder that is refused is told, which many show to whoever sits there. Translations leave it as it
// is: nobody knows that person's language.
const (
	ToldBusy   = "Another encoder is already sending to this address: stop it first. For a second channel, run a second relay source."
	ToldDenied = "The server address or the stream key is wrong. In OBS they are set in Settings, Stream: copy both from where relay source printed them."
)

// Sink takes the media of one publisher, from one goroutine.
type Sink interface {
	// Write takes the next tag, which it may change and is good until it returns. An error ends the
	// connection.
	Write(flv.Tag) error
	// Flush says that nothing more is at hand: what was written must not wait for what follows.
	Flush()
	// Close says that the publisher has gone. It may be called more than once.
	Close()
}

// publish asks for a sink and answers. A wrong app and a wrong key get the same words.
func (s *Server) publish(ctx context.Context, p *peer, app, key string) error {
	if s.Publish == nil {
		return errors.Join(errPublish, p.status("error", "NetStream.Publish.Denied",
			"This address plays a channel and takes no stream. An encoder sends to the address that relay source prints."))
	}
	app, key, _ = streamPath(app, key)
	sink, err := s.Publish(ctx, app, key)
	switch {
	case errors.Is(err, ErrBusy):
		return errors.Join(err, p.status("error", "NetStream.Publish.BadName",
			ToldBusy))
	case errors.Is(err, ErrDenied):
		return errors.Join(err, p.status("error", "NetStream.Publish.Denied",
			ToldDenied))
	case err != nil:
		return errors.Join(err, p.status("error", "NetStream.Publish.Failed",
			"The stream cannot be taken."))
	}
	p.sink = sink
	err = p.event(eventStreamBegin, 1)
	if err == nil {
		err = p.status("status", "NetStream.Publish.Start", "The stream is taken.")
	}
	if err != nil {
		sink.Close()
	}
	return err
}

// receive moves the encoder's media into its sink until the encoder says that it
// stops, and then returns nil.
func (p *peer) receive() error {
	for {
		m, err := p.next()
		if err != nil {
			return err
		}
		if !isCommand(m) {
			if err := p.tags.tagsOf(m, p.sink.Write); err != nil {
				return err
			}
			continue
		}
		cmd, err := parseCommand(m)
		if err != nil {
			return err
		}
		switch cmd.name {
		case "FCUnpublish", "deleteStream", "closeStream":
			return nil
		}
	}
}
