package rtspout

import (
	"context"
	"testing"
	"time"

	"relay/ingest/flv"
	"relay/ingest/ingesttest"
)

var played = []struct{ name, args string }{
	{"H.264 without B-frames, AAC", "-c:v libx264 -preset ultrafast -bf 0 -g 250 -c:a aac"},
	{"H.264 with B-frames, MP3", "-c:v libx264 -preset veryfast -bf 3 -g 250 -c:a libmp3lame"},
	{"HEVC with B-frames, Opus", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=3:keyint=250:pools=1 -c:a libopus"},
	{"H.264 alone", "-map 0:v -c:v libx264 -preset ultrafast -g 250"},
	{"AAC alone", "-map 1:a -c:a aac"},
}

// ffmpeg decodes all that was sent, over both ways, and says nothing of anything missing.
func TestFFmpegPlaysEveryFrame(t *testing.T) {
	for _, c := range played {
		for _, how := range []string{"tcp", "udp"} {
			t.Run(c.name+" "+how, func(t *testing.T) {
				t.Parallel()
				tags := clip(t, c.args)
				s := start(t)
				s.write(tags...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				done := make(chan struct{})
				go func() { // ends with the player
					defer close(done)
					s.watched(1)
					s.ring.Close()
				}()
				v, a, err := ffmpeg(t, ctx, how, s.url()+"?start=gop")
				<-done
				if err != nil {
					t.Error(err)
				}
				wantV, wantA := len(ingesttest.Frames(tags, flv.Video)), len(ingesttest.Frames(tags, flv.Audio))
				if v != wantV || a < wantA-1 || a > wantA {
					t.Errorf("%d pictures and %d sounds, want %d and %d", v, a, wantV, wantA)
				}
			})
		}
	}
}

// Who comes in the middle sees a picture at once, squashed up to what is live, and then every frame: ffmpeg misses no packet.
func TestWhoComesLateBeginsAtTheKeyFrame(t *testing.T) {
	for _, how := range []string{"tcp", "udp"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			tags := clip(t, played[0].args)
			s := start(t)
			half := len(tags) / 2
			s.write(tags[:half]...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			done := make(chan struct{})
			go func() { // ends with the player
				defer close(done)
				s.watched(1)
				for s.channel.Status("").Viewers[0].Bytes == 0 && ctx.Err() == nil {
					time.Sleep(5 * time.Millisecond)
				}
				s.write(tags[half:]...)
				s.ring.Close()
			}()
			v, a, err := ffmpeg(t, ctx, how, s.url())
			<-done
			if err != nil {
				t.Error(err)
			}
			sounds := len(ingesttest.Frames(tags[half:], flv.Audio))
			if want := len(ingesttest.Frames(tags, flv.Video)); v != want || a > sounds+1 { // what has come before it had begun is squashed
				t.Errorf("%d pictures and %d sounds, want %d and at most %d", v, a, want, sounds)
			}
		})
	}
}
