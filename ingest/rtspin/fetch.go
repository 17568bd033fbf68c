//go:build !lean

package rtspin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"go.uber.org/zap"

	"relay/ingest/convert"
	"relay/ingest/flv"
)

const (
	dialTime = 5 * time.Second
	// askTime bounds the dialogue until the camera plays; the library has 10 s for each answer.
	askTime = 10 * time.Second
	// dialsMost is how often a camera may send on; the library sets no bound.
	dialsMost = 5
	// silence is how long a camera that plays may send no packet, and useless how long nothing that can be
	// shown. A key frame that is awaited is there within that.
	silence, useless = 10 * time.Second, 30 * time.Second
	// watchEvery is how often that is looked at.
	watchEvery = time.Second
	// udpBuffer is what the system is asked to hold of packets that wait, in bytes: a key frame's, with room.
	udpBuffer = 1 << 20
	// textMost bounds what is shown of a camera's words, in bytes.
	textMost = 80
)

// Fetch connects to a camera, hands over tags, and returns why it stopped, never nil: an [Error], what take
// returned, or the cause of ctx.
func Fetch(ctx context.Context, a Address, log *zap.Logger, take func(flv.Tag) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f := &fetching{Address: a, log: log, take: take, stop: cancel}
	err := f.run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return f.failed
	}
	if _, ok := errors.AsType[*Error](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return &Error{a.Host(), f.said(err)}
}

// fetching is one connection to a camera.
type fetching struct {
	Address
	log  *zap.Logger
	take func(flv.Tag) error
	stop context.CancelCauseFunc

	dials     int // by the library's one goroutine
	first     begins
	elsewhere atomic.Pointer[RedirectError]
	distrust  atomic.Pointer[CertificateError]

	mu     sync.Mutex // of all below: over UDP each track has a goroutine
	failed error      // of take
	to     *convert.Converter
	clock  clock
	heard  time.Time // when the newest packet came
	shown  time.Time // when the newest tag was made
}

func (f *fetching) run(ctx context.Context) error {
	how := gortsplib.ProtocolTCP
	if f.UDP {
		how = gortsplib.ProtocolUDP
	}
	c := &gortsplib.Client{
		Scheme: f.URL.Scheme, Host: f.URL.Host, Protocol: &how, UserAgent: "relay",
		ReadTimeout: askTime, WriteTimeout: dialTime, UDPReadBufferSize: udpBuffer,
		TLSConfig: f.tls(), DialContext: f.dial,
		OnPacketsLost: func(uint64) {}, OnDecodeError: func(error) {}, // they are seen in the packets' numbers
	}
	if err := c.Start(); err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, c.Close)()
	asked := time.AfterFunc(askTime, func() { f.stop(&Error{f.Host(), ErrNoAnswer}) })
	defer asked.Stop()
	desc, _, err := c.Describe((*base.URL)(f.URL))
	if err != nil {
		return err
	}
	if err := f.setUp(c, desc); err != nil {
		return err
	}
	f.heard, f.shown = time.Now(), time.Now()
	if _, err := c.Play(nil); err != nil {
		return err
	}
	asked.Stop()
	var watch sync.WaitGroup
	defer watch.Wait()
	ctx, done := context.WithCancel(ctx)
	defer done()
	watch.Go(func() { f.watch(ctx) }) // ends with ctx
	err = c.Wait()
	if errors.Is(err, io.EOF) {
		return ErrEnded
	}
	return err
}

// watch ends a camera that sends nothing, or nothing of use.
func (f *fetching) watch(ctx context.Context) {
	look := time.NewTicker(watchEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-look.C:
			f.mu.Lock()
			heard, shown := f.heard, f.shown
			f.mu.Unlock()
			switch {
			case now.Sub(heard) < silence && now.Sub(shown) < useless:
				continue
			case now.Sub(heard) < silence:
				f.stop(&Error{f.Host(), ErrUseless})
			case f.UDP:
				f.stop(&Error{f.Host(), ErrNoUDP})
			default:
				f.stop(&Error{f.Host(), ErrSilence})
			}
			return
		}
	}
}

// setUp asks for one track of pictures and one of sound. The camera's loudspeaker, a back channel, is none.
func (f *fetching) setUp(c *gortsplib.Client, desc *description.Session) error {
	var strange, mute []string
	var video, audio *description.Media
	var see pictures
	var hear sound
	var seen, heard format.Format
	for _, m := range desc.Medias {
		if m.IsBackChannel {
			continue
		}
		for _, g := range m.Formats {
			switch m.Type {
			case description.MediaTypeVideo:
				if p, ok := picturesOf(g); ok && video == nil {
					video, see, seen = m, p, g
				} else if !ok {
					strange = named(strange, g)
				}
			case description.MediaTypeAudio:
				if s, ok := soundOf(g); ok && audio == nil {
					audio, hear, heard = m, s, g
				} else if !ok {
					mute = named(mute, g)
				}
			}
		}
	}
	switch {
	case video == nil && len(strange) > 0:
		return &CodecError{strange}
	case video == nil && audio == nil && len(mute) > 0:
		return &CodecError{mute}
	case video == nil && audio == nil:
		return ErrNoMedia
	case audio == nil && len(mute) > 0:
		f.log.Warn("sound that cannot be carried", zap.String("from", f.Host()), zap.String("which", strings.Join(mute, ", ")))
	}
	f.to = convert.New(f.told())
	f.to.Configure(see.track, hear.track)
	if video != nil {
		f.clock.tracks[ofPictures].rate = int64(seen.ClockRate())
		if err := f.track(c, desc, video, seen, ofPictures, func(p *rtp.Packet, gap bool) {
			see.take(p, gap, func(u convert.Unit, ts uint32) {
				u.PTS, u.HasPTS = f.clock.at(ofPictures, ts, f.heard), true
				f.give(f.to.Picture(u))
			})
		}); err != nil {
			return err
		}
	}
	if audio == nil {
		return nil
	}
	f.clock.tracks[ofSound].rate = int64(heard.ClockRate())
	lost := false
	return f.track(c, desc, audio, heard, ofSound, func(p *rtp.Packet, gap bool) {
		lost = lost || gap
		frames := hear.frames(p)
		if len(frames) == 0 {
			return
		}
		for _, u := range hear.units(frames, f.clock.at(ofSound, p.Timestamp, f.heard), lost) {
			f.give(f.to.Sound(u))
		}
		lost = false
	})
}

// mostNamed bounds how many codecs are named to a person.
const mostNamed = 4

// named adds a format's name, as the library has it, or as the camera has one that it does not know.
func named(all []string, f format.Format) []string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", f), "*format.")
	if g, ok := f.(*format.Generic); ok {
		name, _, _ = strings.Cut(printable(g.RTPMap()), "/")
	}
	if name == "" || len(all) >= mostNamed || slices.Contains(all, name) {
		return all
	}
	return append(all, name)
}

// track sets one up. take is called with mu held, and told whether packets are missing in front of one.
func (f *fetching) track(c *gortsplib.Client, desc *description.Session, m *description.Media, of format.Format, which int, take func(p *rtp.Packet, gap bool)) error {
	if of.ClockRate() <= 0 {
		return ErrSDP
	}
	if _, err := c.Setup(desc.BaseURL, m, 0, 0); err != nil {
		return err
	}
	begun, next := false, uint16(0)
	c.OnPacketRTP(m, of, func(p *rtp.Packet) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.failed != nil || begun && p.SequenceNumber == next-1 {
			return // it came twice
		}
		gap := begun && p.SequenceNumber != next
		begun, next = true, p.SequenceNumber+1
		f.heard = time.Now()
		take(p, gap)
	})
	c.OnPacketRTCP(m, func(p rtcp.Packet) {
		r, ok := p.(*rtcp.SenderReport)
		if !ok {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.clock.report(which, r.NTPTime, r.RTPTime)
	})
	return nil
}

// give hands tags over.
func (f *fetching) give(tags []flv.Tag) {
	for _, t := range tags {
		if f.failed != nil {
			return
		}
		f.shown = f.heard
		if err := f.take(t); err != nil {
			f.failed = err
			f.stop(err)
		}
	}
}

// told returns what warns of each trouble.
func (f *fetching) told() func(convert.Trouble) {
	return func(t convert.Trouble) {
		f.log.Debug("trouble with a camera", zap.String("from", f.Host()), zap.String("what", string(t)))
	}
}
