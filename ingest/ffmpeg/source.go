package ffmpeg

import (
	"context"
	"net/url"
	"time"
)

// Source is what ffmpeg is to read, and what becomes of it.
type Source struct {
	Live  bool // it has no end
	Paced bool // it is to be sent at the pace of its timestamps
	// Film is what is filmed, nil for a file or an address.
	Film *Film
	// Encoder makes its pictures; its name is "" if they are copied.
	Encoder Encoder
	Output  Output // of a file or an address

	in   []string // what opens it
	hide []string
}

// Job is what ffmpeg is told now.
func (s Source) Job(now time.Time, said func(string)) Job {
	j := Job{Hide: s.hide, Said: said}
	if s.Film != nil {
		j.Args = s.Film.arguments(s.Encoder, now)
		return j
	}
	j.Args = append(append(append([]string(nil), s.Encoder.before...), s.in...), s.Output.arguments(s.Encoder)...)
	return j
}

// ReadFile looks into a file and returns what becomes of it. aac says that no other sound is wanted. Its errors are
// [*Error].
func (e *Encoders) ReadFile(ctx context.Context, path string, aac bool) (Source, error) {
	args := fromFile(path)
	return e.read(ctx, args, []string{"file:" + path, path}, aac, false)
}

// ReadURL looks into what is at an address likewise. Without a duration it is live.
func (e *Encoders) ReadURL(ctx context.Context, u *url.URL, aac bool) (Source, error) {
	args, hide := fromURL(u)
	return e.read(ctx, args, hide, aac, true)
}

func (e *Encoders) read(ctx context.Context, args, hide []string, aac, mayLive bool) (Source, error) {
	m, err := e.Program.probe(ctx, Job{Args: args, Hide: hide})
	if err != nil {
		return Source{}, err
	}
	s := Source{Live: mayLive && m.Duration == 0, Paced: m.paced(), Output: e.Program.outputOf(m, aac), in: args, hide: hide}
	if s.Output.Video != nil && !s.Output.CopyVideo {
		s.Encoder, err = e.best(ctx)
	}
	return s, err
}

// Film looks at the machine and returns what is filmed. Its errors are [*PickError], [ErrWayland] and [*Error].
func (e *Encoders) Film(ctx context.Context, w Wish) (Source, error) {
	f, err := e.Program.open(ctx, w)
	if err != nil {
		return Source{}, err
	}
	enc, err := e.best(ctx)
	return Source{Live: true, Film: &f, Encoder: enc}, err
}
