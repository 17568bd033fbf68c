package station

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/playback"
	"relay/relay/archive"
	"relay/relay/seal"
	"relay/relay/store"
	"relay/relay/stream"
)

// OpenReplay opens a file, or a folder of files, that was kept of a channel by --keep, to be broadcast
// again, and tells the person what it is. Unless the configuration has a title, that becomes one which
// says that it is a recording, and of when; and the stream names the channel, if those who watch can check that. It returns nil if there is something else. dir is the
// configuration folder, which may have the secret of a private channel.
func OpenReplay(t *term.Terminal, cfg *Config, path, dir string) (io.ReadSeeker, error) {
	if path == "" {
		return nil, nil
	}
	a, err := archive.OpenOld(path)
	if errors.Is(err, archive.ErrFormat) || errors.Is(err, os.ErrNotExist) {
		return nil, nil // who reads it next says what it is not
	}
	if err != nil {
		return nil, err
	}
	var unsealer func() *stream.Unsealer
	if access, err := store.SecretOf(dir, a.ID()); err == nil && access.CanRead() {
		content := access.Content(seal.Channel(a.ID()))
		unsealer = func() *stream.Unsealer { return stream.NewUnsealer(content) }
	}
	r, err := playback.NewReplay(a, unsealer)
	switch {
	case errors.Is(err, playback.ErrSealed):
		return nil, fault.Fail("watch the channel once with the whole link: its secret is kept then", "%s is of the private channel %s, whose secret is not in this machine's folder", path, a.ID().Short())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	st := a.Stats()
	when := st.From.Format("2 January 2006, 15:04")
	t.Say("A recording of channel %s, made on %s, %v long. What its source has not signed is left out.", a.ID().Short(), when, st.To.Sub(st.From).Round(time.Second))
	if of := r.Of(); of != (stream.ChannelID{}) {
		cfg.RecordingOf = of.String()
	} else {
		t.Say("Its signatures are under the secret of a private channel, and go no further: who watches has your word alone.")
	}
	title := "Recording of " + when
	if of := r.Title(); of != "" {
		title = of + " (recording of " + when + ")"
	}
	cfg.Title = cmp.Or(cfg.Title, title)
	return r, nil // its file is open until the process ends
}
