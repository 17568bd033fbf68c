package ingest

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"relay/ingest/ffmpeg"
	"relay/ingest/flv"
)

const (
	// soundQueue is how many frames of sound may wait for ffmpeg: 5 s of Opus, which it takes to begin on a machine
	// that is busy. What is more is lost.
	soundQueue = 256
	// soundStuck is how many frames ffmpeg has to have been given since it made one, and soundStuckTime how long ago
	// that has to be, for it to count as stuck: it holds a few back until there are more.
	soundStuck     = 100
	soundStuckTime = 10 * time.Second
	// soundTries is how often ffmpeg is started in a row without having run for soundRan.
	soundTries = 5
	soundRan   = 30 * time.Second
)

// AAC makes AAC of the sound that encoders send, where it is none, by an ffmpeg that runs beside: pictures are not
// touched, and sound keeps its timestamps. While ffmpeg is started again there is no sound: players would have to
// change the codec twice. If it cannot be kept running, sound is sent as it came. It works once Run does.
type AAC struct {
	Program ffmpeg.Program
	Log     *zap.Logger // nil for none

	heard chan heard
}

// heard is a frame of sound, or a configuration, on its way.
type heard struct {
	session *Session
	codec   string
	tag     flv.Tag
}

// MakeAAC has sound made AAC. It comes before the first Open.
func (in *Input) MakeAAC(a *AAC) {
	a.heard = make(chan heard, soundQueue)
	in.aac = a
}

// madeConfig is the configuration that ffmpeg has of what it is asked for here, 48 kHz and two channels: so the header
// is whole before its first frame is.
var madeConfig = []byte{0xaf, 0x00, 0x11, 0x90, 0x56, 0xe5, 0x00}

// sound is what a session has of sound that is made AAC. It is guarded by the input's mu.
type sound struct {
	codec  string  // that comes in; "" if nothing is made AAC
	config flv.Tag // of that codec; nil for none
	as     bool    // ffmpeg has given up: it goes out as it is
}

// divert sends sound that is no AAC to ffmpeg, and reports whether it has. It is called with input.mu held, with a
// tag that has its final timestamp.
func (s *Session) divert(t flv.Tag, k flv.Kind) (bool, error) {
	a := s.input.aac
	if a == nil || t.Type() != flv.Audio || k.Codec == "aac" || k.Codec == "" || k.Slot.Track != 0 {
		return false, nil
	}
	if k.Config {
		s.sound.config = slices.Clone(t)
	}
	switch {
	case s.sound.as && s.sound.codec != "":
		s.sound.codec = ""
		if c := s.sound.config; c != nil && !k.Config {
			flv.PutTimestamp(c, t.Timestamp())
			return false, s.put(c, flv.Classify(c))
		}
		return false, nil
	case s.sound.as:
		return false, nil
	}
	if s.sound.codec == "" {
		c := flv.NewTag(flv.Audio, t.Timestamp(), madeConfig)
		if err := s.put(c, flv.Classify(c)); err != nil {
			return true, err
		}
	}
	s.sound.codec = k.Codec
	s.heard = time.Now()
	select {
	case a.heard <- heard{s, k.Codec, slices.Clone(t)}:
	default: // ffmpeg is behind: the gap becomes silence
	}
	return true, nil
}

// made takes a tag of AAC from ffmpeg, with its timestamp on the input's timeline.
func (s *Session) made(t flv.Tag) {
	in := s.input
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.has(s) || s.sound.as {
		return
	}
	if s.put(t, flv.Classify(t)) == nil && s.gathers { // a failed writer tells the next tag that comes in
		in.writer.Gathered()
	}
}

// asItIs has sound go out as it comes from now on.
func (s *Session) asItIs() {
	s.input.mu.Lock()
	s.sound.as = true
	s.input.mu.Unlock()
}

// Run makes AAC until ctx ends, and then returns nil.
func (a *AAC) Run(ctx context.Context) error {
	var next *heard
	tries, backoff := 0, backoffFirst
	for {
		if next == nil {
			select {
			case <-ctx.Done():
				return nil
			case h := <-a.heard:
				next = &h
			}
		}
		began, of := time.Now(), next.session
		var err error
		next, err = a.run(ctx, *next)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil { // another session, or another codec
			tries, backoff = 0, backoffFirst
			continue
		}
		if time.Since(began) > soundRan {
			tries, backoff = 0, backoffFirst
		}
		if tries++; tries == soundTries {
			logger(a.Log).Warn("sound is sent as it comes", zap.Error(err))
			of.asItIs()
			tries, backoff = 0, backoffFirst
		} else {
			logger(a.Log).Warn("sound is not made AAC now", zap.Error(err))
		}
		if next = a.wait(ctx, backoff); next == nil && ctx.Err() != nil {
			return nil
		}
		backoff = min(2*backoff, backoffMost)
	}
}

// wait lets time pass. What comes meanwhile is lost, but for a configuration, which begins the next run.
func (a *AAC) wait(ctx context.Context, d time.Duration) (config *heard) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			return config
		case h := <-a.heard:
			if k := flv.Classify(h.tag); k.Config {
				config = &h
			}
		}
	}
}

// run is one run of ffmpeg, for the sound of a session and a codec. It returns what came and is for another, or why
// ffmpeg has ended.
func (a *AAC) run(ctx context.Context, h heard) (*heard, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	log := logger(a.Log)
	p, err := a.Program.Start(ctx, ffmpeg.SoundJob(h.codec, func(line string) { log.Info("ffmpeg says", zap.String("line", line)) }))
	if err != nil {
		return nil, err
	}
	defer p.Close()
	log.Info("ffmpeg makes sound AAC", zap.Int("pid", p.Pid), zap.String("of", h.codec))
	first := h.tag.Timestamp()
	w := ffmpeg.NewSoundWriter(p.In, h.codec, first)
	given := progress{began: time.Now()}
	watch := time.AfterFunc(soundStuckTime, cancel)
	defer watch.Stop()
	made := make(chan error, 1)
	session := h.session
	go func() { // ends with ffmpeg
		made <- a.read(p, session, first, given.made)
	}()
	config := h.session.soundConfig()
	if config != nil && w.Write(config) != nil {
		return nil, ended(<-made)
	}
	for {
		watch.Reset(soundStuckTime)
		if err := w.Write(h.tag); err != nil { // ffmpeg has ended
			return nil, ended(<-made)
		}
		watch.Stop()
		if given.since.Add(1) > soundStuck && time.Since(given.began)-time.Duration(given.came.Load()) > soundStuckTime {
			return nil, errStuck
		}
		before := h
		select {
		case <-ctx.Done():
			return nil, ended(<-made)
		case err := <-made:
			return nil, ended(err)
		case h = <-a.heard:
		}
		if h.session != before.session || h.codec != before.codec || flv.Classify(h.tag).Config && (config == nil || !bytes.Equal(h.tag.Body(), config.Body())) {
			return &h, nil
		}
	}
}

// progress is how far ffmpeg is with what it was given.
type progress struct {
	began time.Time
	since atomic.Int64 // frames that were given since the last that came
	came  atomic.Int64 // when that was, in ns since then
}

func (p *progress) made() {
	p.since.Store(0)
	p.came.Store(int64(time.Since(p.began)))
}

// ended is why ffmpeg has: it should not.
func ended(err error) error {
	if err == nil || err == io.EOF {
		return errEnded
	}
	return err
}

// read takes what ffmpeg makes, until it ends. Its error is why it has.
func (a *AAC) read(p *ffmpeg.Process, to *Session, first uint32, came func()) error {
	r := flv.NewReader(p)
	for {
		t, err := r.Next()
		if err != nil {
			return p.Wait()
		}
		if t.Type() != flv.Audio {
			continue
		}
		came()
		if flv.Classify(t).Config {
			if bytes.Equal(t.Body(), madeConfig) {
				continue // it has gone out
			}
			flv.PutTimestamp(t, first)
		} else {
			ffmpeg.Back(t, first)
		}
		to.made(t)
	}
}

// soundConfig is the newest configuration of what comes in, nil for none.
func (s *Session) soundConfig() flv.Tag {
	s.input.mu.Lock()
	defer s.input.mu.Unlock()
	return s.sound.config
}
