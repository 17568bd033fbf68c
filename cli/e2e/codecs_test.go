//go:build e2e

package e2e

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"
	"github.com/bluenviron/gortmplib/pkg/message"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"relay/ingest/flv"
)

// noise returns a frame's worth of bytes that mean nothing to any parser.
func noise(n int, first ...byte) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	copy(b, first)
	return b
}

// frames is how many frames of each track are sent, at 25 Hz.
const frames = 50

func at(i int) time.Duration { return time.Duration(i) * 40 * time.Millisecond }

// coded is the body of an enhanced video frame, every tenth a key frame. gortmplib's own writer
// marks no key frames: it leaves the frame type at 0. Behind FLV's own framing stands one NAL unit
// of noise.
func coded(i int, packet byte, codec string, size int) []byte {
	frame := byte(2)
	if i%10 == 0 {
		frame = 1
	}
	head := append([]byte{0x80 | frame<<4 | packet}, codec...)
	head = binary.BigEndian.AppendUint32(head, uint32(size-len(head)-4))
	return noise(size, append(head, 0x02, 0x01)...) // an ordinary picture of HEVC (ITU-T H.265, 7.3.1.2)
}

// TestEveryCodecPassesUntouched publishes each codec with gortmplib's client, whose
// messages are read off the wire, through a source and a chain of two watchers.
func TestEveryCodecPassesUntouched(t *testing.T) {
	t.Parallel()
	aac := &gortmplib.Track{Codec: &codecs.MPEG4Audio{Config: &mpeg4audio.AudioSpecificConfig{
		Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2,
	}}}
	mp3 := &gortmplib.Track{Codec: &codecs.MPEG1Audio{}}
	opusTrack := &gortmplib.Track{Codec: &codecs.Opus{IDHeader: &opus.IDHeader{Version: 1, ChannelCount: 2}}}
	h265 := hevcTrack(t)
	av1 := &gortmplib.Track{Codec: &codecs.AV1{}}
	vp9 := &gortmplib.Track{Codec: &codecs.VP9{}}
	mp3Frame := func() []byte { return noise(417, 0xff, 0xfb, 0x90, 0x00) }

	for _, c := range []struct {
		name         string
		tracks       []*gortmplib.Track
		send         func(w *gortmplib.Writer, raw *rawmessage.Writer, i int) error
		video, audio string
	}{
		{"enhanced HEVC and AAC", []*gortmplib.Track{h265, aac}, func(w *gortmplib.Writer, raw *rawmessage.Writer, i int) error {
			if err := w.WriteMPEG4Audio(aac, at(i), noise(200)); err != nil {
				return err
			}
			return sendRaw(raw, flv.Video, at(i), coded(i, 1, "hvc1\x00\x00\x50", 30_000))
		}, "hevc", "aac"},
		{"enhanced AV1 and Opus", []*gortmplib.Track{av1, opusTrack}, func(w *gortmplib.Writer, raw *rawmessage.Writer, i int) error {
			if err := w.WriteOpus(opusTrack, at(i), noise(160)); err != nil {
				return err
			}
			return sendRaw(raw, flv.Video, at(i), coded(i, 1, "av01", 20_000))
		}, "av1", "opus"},
		{"enhanced VP9 and MP3", []*gortmplib.Track{vp9, mp3}, func(w *gortmplib.Writer, raw *rawmessage.Writer, i int) error {
			if err := w.WriteMPEG1Audio(mp3, at(i), mp3Frame()); err != nil {
				return err
			}
			return sendRaw(raw, flv.Video, at(i), coded(i, 3, "vp09", 25_000))
		}, "vp9", "mp3"},
		{"a codec that nobody knows", nil, func(_ *gortmplib.Writer, raw *rawmessage.Writer, i int) error {
			return sendRaw(raw, flv.Video, at(i), coded(i, 1, "zz99", 25_000))
		}, "", ""},
		{"legacy HEVC", nil, func(w *gortmplib.Writer, _ *rawmessage.Writer, i int) error {
			return w.Conn.Write(&message.Video{
				ChunkStreamID: message.VideoChunkStreamID, MessageStreamID: mediaStream,
				DTS: at(i), Codec: message.CodecH265, Type: message.VideoTypeAU, IsKeyFrame: i%10 == 0, AU: noise(40_000),
			})
		}, "", ""},
		{"MP3 alone", []*gortmplib.Track{mp3}, func(w *gortmplib.Writer, _ *rawmessage.Writer, i int) error {
			return w.WriteMPEG1Audio(mp3, at(i), mp3Frame())
		}, "", "mp3"},
		{"Opus alone", []*gortmplib.Track{opusTrack}, func(w *gortmplib.Writer, _ *rawmessage.Writer, i int) error {
			return w.WriteOpus(opusTrack, at(i), noise(160))
		}, "", "opus"},
	} {
		t.Run(c.name, func(t *testing.T) {
			waiting.Take(t)
			w := newWorld(t)
			src := w.source("--max-children", "1")
			watchers := w.watchMany(2, src.link)
			player := play(t, "viewer at "+watchers[1].name, watchers[1].url)

			client, wire := published(t, src)
			writer := &gortmplib.Writer{Conn: client, Tracks: c.tracks}
			if err := writer.Initialize(); err != nil {
				t.Fatal(err)
			}
			raw := rawWriter(client)
			for i := range frames {
				if err := c.send(writer, raw, i); err != nil {
					t.Fatal(err)
				}
			}
			sent := wire.tags(t)
			if len(sent) < frames {
				t.Fatalf("only %d messages were sent", len(sent))
			}
			eventually(t, "the source has taken in all", func() error { return sameNumber(logged(t, src.tagLog), sent) })
			want := logged(t, src.tagLog)
			for i, g := range want {
				if !g.same(sent[i]) {
					t.Fatalf("message %d was %v and was taken in as %v", i, sent[i], g)
				}
			}
			player.reaches(t, want)
			complete(t, player.name, player.got(), want)
			if codec := status(t, watchers[1].url).Codec; codec.Video != c.video || codec.Audio != c.audio {
				t.Errorf("the codecs are shown as %q and %q", codec.Video, codec.Audio)
			}
			client.Close()
			for _, v := range slices.Backward(watchers) {
				reached(t, v.rec, want)
				v.interrupt(t)
				got := recording(t, v.rec)
				first := complete(t, v.name, got, want)
				t.Logf("%s: from tag %d of %d: %s", v.name, first, len(want), summary(got))
			}
		})
	}
}
