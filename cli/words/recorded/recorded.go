// Package recorded says what was found of a stream that calls itself a recording of a channel.
package recorded

import (
	"time"

	"relay/cli/term"
	"relay/playback/api"
)

// patience is how long a stream may say that it is a recording before a person hears that nothing shows it.
const patience = 15 * time.Second

// Told says it to people, once for each change. Its zero value has said nothing.
type Told struct {
	of    string    // the channel, "" for none
	since time.Time // when the stream was first seen to name it
	said  verdict
}

type verdict int

const (
	open verdict = iota // nothing is known yet
	shown
	bare // nothing shows it
	wrong
)

// Tell says what r, which may be nil, has that was not said before.
func (t *Told) Tell(out *term.Terminal, r *api.Recorded, now time.Time) {
	if r == nil {
		*t = Told{}
		return
	}
	if r.Of != t.of {
		*t = Told{of: r.Of, since: now}
	}
	v := open
	switch {
	case r.Unproved > 0:
		v = wrong
	case r.Shown():
		v = shown
	case now.Sub(t.since) >= patience:
		v = bare
	}
	if v == t.said || v == open || t.said == wrong {
		return
	}
	t.said = v
	switch v {
	case shown:
		out.Say("A recording of channel %s, made on %s. What is played is as that channel's source signed it.", r.Name, time.UnixMilli(r.MadeMs).Format("2006-01-02, 15:04"))
	case bare:
		out.Say("The stream says that it is a recording of channel %s. Nothing in it shows that.", r.Name)
	case wrong:
		out.Say("The stream says that it is a recording of channel %s. Some of it was not signed by that channel's source.", r.Name)
	}
}
