package ingest

import (
	"context"
	"errors"
	"io"
	"time"

	"go.uber.org/zap"

	"relay/ingest/ffmpeg"
	"relay/ingest/flv"
)

// ffmpegSilence is how long ffmpeg may bring nothing before it counts as stuck: pieces of HLS come once in 10 s, and a
// device may take seconds to begin. ffmpeg has been seen to stay without a word where its input has gone.
const ffmpegSilence = 30 * time.Second

// FFmpeg sends what an ffmpeg of this machine reads or films.
type FFmpeg struct {
	Program ffmpeg.Program
	// Source is what it reads, as [ffmpeg.Encoders] finds it. It is asked for anew when
	// a live input comes again: devices change their numbers.
	Source func(ctx context.Context) (ffmpeg.Source, error)
	Name   string // of the input, for people: no credentials
	Loop   bool   // begin again at the end, if it has one
	Open   Opener
	Log    *zap.Logger // nil for none
}

// Run sends until ctx ends, or the end of what has one, and then returns nil. That the first attempt brings nothing is
// an error; after that, a live input that ends is opened again for as long as it takes.
func (f *FFmpeg) Run(ctx context.Context) error {
	src, err := f.Source(ctx)
	if err != nil {
		return err
	}
	if !src.Live {
		from := &rerun{ctx: ctx, f: f, src: src}
		defer from.close()
		return (&File{Path: f.Name, From: from, Loop: f.Loop, Open: f.Open, Log: f.Log}).Run(ctx)
	}
	first := true
	origin := newOrigin(f.Name, 0, f.Log)
	p := pull{from: f.Name, open: f.Open, log: logger(f.Log), fetch: func(ctx context.Context, take func(flv.Tag) error) error {
		if !first {
			if src, err = f.Source(ctx); err != nil {
				return err
			}
		}
		first = false
		return f.fetch(ctx, src, origin, take)
	}}
	return p.run(ctx)
}

// start starts ffmpeg on a source.
func (f *FFmpeg) start(ctx context.Context, src ffmpeg.Source) (*ffmpeg.Process, error) {
	log := logger(f.Log)
	p, err := f.Program.Start(ctx, src.Job(time.Now(), func(line string) { log.Info("ffmpeg says", zap.String("line", line)) }))
	if err == nil {
		log.Info("ffmpeg runs", zap.Int("pid", p.Pid), zap.String("for", f.Name))
	}
	return p, err
}

// fetch is one run on a live source. Its error is never nil.
func (f *FFmpeg) fetch(ctx context.Context, src ffmpeg.Source, from *origin, take func(flv.Tag) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p, err := f.start(ctx, src)
	if err != nil {
		return err
	}
	defer p.Close()
	watch := time.AfterFunc(ffmpegSilence, func() { cancel(errStuck) })
	defer watch.Stop()
	r := from.read(&watched{p, watch, ffmpegSilence})
	var pace pacer
	for {
		t, err := r.Next()
		switch {
		case errors.Is(context.Cause(ctx), errStuck):
			return errStuck
		case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
			if err := p.Wait(); err != nil {
				return err // why there is no more
			}
			return errEnded
		case err != nil:
			return err
		}
		if src.Paced {
			watch.Stop() // what waits for its time is no silence
			if err := pace.wait(ctx, t); err != nil {
				return err
			}
			watch.Reset(ffmpegSilence)
		}
		if err := take(t); err != nil {
			return err
		}
	}
}

// errStuck says that ffmpeg was ended because it brought nothing.
var errStuck = errors.New("nothing came of ffmpeg for 30 s")

// rerun is what ffmpeg makes of a source that has an end, to be read again from its beginning.
type rerun struct {
	ctx  context.Context
	f    *FFmpeg
	src  ffmpeg.Source
	proc *ffmpeg.Process // that is read; nil before the first byte
	next *ffmpeg.Process // that is read after it; nil if it has not been started
}

// Read implements io.Reader.
func (r *rerun) Read(b []byte) (int, error) {
	if r.proc == nil {
		p, err := r.f.start(r.ctx, r.src)
		if err != nil {
			return 0, err
		}
		r.proc = p
	}
	select {
	case <-r.proc.Done():
		// What it has left to read takes as long to be sent as the next one takes to begin.
		if r.f.Loop && r.next == nil && r.proc.Wait() == nil {
			r.next, _ = r.f.start(r.ctx, r.src) // Read tries again
		}
	default:
	}
	return r.proc.Read(b)
}

// Seek implements io.Seeker, for the beginning alone.
func (r *rerun) Seek(int64, int) (int64, error) {
	if r.proc != nil {
		r.proc.Close()
	}
	r.proc, r.next = r.next, nil
	return 0, nil
}

func (r *rerun) close() {
	for _, p := range []*ffmpeg.Process{r.proc, r.next} {
		if p != nil {
			p.Close()
		}
	}
}
