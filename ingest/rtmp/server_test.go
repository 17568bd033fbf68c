package rtmp

import (
	"bytes"
	"encoding/binary"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib"
	"github.com/bluenviron/gortmplib/pkg/codecs"
	rtmpmessage "github.com/bluenviron/gortmplib/pkg/message"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"relay/ingest/flv"
)

const (
	statusStart   = "NetStream.Publish.Start"
	statusBusy    = "NetStream.Publish.BadName"
	statusDenied  = "NetStream.Publish.Denied"
	setDataFrame  = "\x02\x00\x0d@setDataFrame"
	deepArray     = "\x0a\x00\x00\x00\x01"
	onMetaDataAMF = "\x02\x00\x0aonMetaData"
)

func TestEveryCodecArrivesByteForByte(t *testing.T) {
	frame := []byte{0x65, 1, 2, 3, 4}
	big := bytes.Repeat(frame, 50_000) // many RTMP chunks, many of ours
	aac := &gortmplib.Track{Codec: &codecs.MPEG4Audio{Config: &mpeg4audio.AudioSpecificConfig{
		Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 48000, ChannelConfig: 2,
	}}}
	mp3 := &gortmplib.Track{Codec: &codecs.MPEG1Audio{}}
	opusTrack := &gortmplib.Track{Codec: &codecs.Opus{IDHeader: &opus.IDHeader{Version: 1, ChannelCount: 2}}}
	h264 := &gortmplib.Track{Codec: &codecs.H264{}}
	h265 := &gortmplib.Track{Codec: &codecs.H265{}}
	av1 := &gortmplib.Track{Codec: &codecs.AV1{}}
	vp9 := &gortmplib.Track{Codec: &codecs.VP9{}}
	for name, c := range map[string]struct {
		tracks       []*gortmplib.Track
		send         func(w *gortmplib.Writer) error
		video, audio string
	}{
		"H.264 and AAC": {[]*gortmplib.Track{h264, aac}, func(w *gortmplib.Writer) error {
			if err := w.WriteMPEG4Audio(aac, 0, frame); err != nil {
				return err
			}
			return w.WriteH264(h264, 40*time.Millisecond, 0, [][]byte{big})
		}, "h264", "aac"},
		"HEVC": {[]*gortmplib.Track{h265}, func(w *gortmplib.Writer) error {
			return w.WriteH265(h265, 0, 0, [][]byte{{0x26, 1, 2, 3}})
		}, "hevc", ""},
		"legacy HEVC": {nil, func(w *gortmplib.Writer) error {
			for _, typ := range []rtmpmessage.VideoType{rtmpmessage.VideoTypeAU, rtmpmessage.VideoTypeEOS} {
				err := w.Conn.Write(&rtmpmessage.Video{
					ChunkStreamID: rtmpmessage.VideoChunkStreamID, MessageStreamID: mediaStream,
					Codec: rtmpmessage.CodecH265, IsKeyFrame: true, Type: typ, AU: big,
				})
				if err != nil {
					return err
				}
			}
			return nil
		}, "", ""},
		"AV1": {[]*gortmplib.Track{av1}, func(w *gortmplib.Writer) error {
			return w.WriteAV1(av1, 0, [][]byte{{0x0a, 1, 2}})
		}, "av1", ""},
		"VP9 and Opus": {[]*gortmplib.Track{vp9, opusTrack}, func(w *gortmplib.Writer) error {
			if err := w.WriteVP9(vp9, 0, big); err != nil {
				return err
			}
			return w.WriteOpus(opusTrack, 0, frame)
		}, "vp9", "opus"},
		"MP3": {[]*gortmplib.Track{mp3}, func(w *gortmplib.Writer) error {
			return w.WriteMPEG1Audio(mp3, 0, []byte{0xff, 0xfb, 0x90, 0x00, 1, 2, 3})
		}, "", "mp3"},
	} {
		t.Run(name, func(t *testing.T) {
			ch := newInbox()
			conn, rec := client(t, serve(t, ch))
			w := &gortmplib.Writer{Conn: conn, Tracks: c.tracks}
			if err := w.Initialize(); err != nil {
				t.Fatal(err)
			}
			if err := c.send(w); err != nil {
				t.Fatal(err)
			}
			sent := rec.messages(t)
			if len(sent) < 2 {
				t.Fatalf("only %d messages were sent", len(sent))
			}
			for i, m := range sent {
				arrived(t, i, m, <-ch.accepted)
			}
			conn.Close()
			info := ch.info()
			if info.VideoCodec != c.video || info.AudioCodec != c.audio {
				t.Errorf("shown as %q and %q", info.VideoCodec, info.AudioCodec)
			}
		})
	}
}

func arrived(t *testing.T, i int, m message, got flv.Tag) {
	t.Helper()
	want := bytes.TrimPrefix(m.body, []byte(setDataFrame))
	if uint8(got.Type()) != m.typ || !bytes.Equal(got.Body(), want) {
		t.Errorf("message %d of type %d and %d bytes came as type %d and %d bytes", i, m.typ, len(want), got.Type(), len(got.Body()))
	}
}

func TestRefusalsSayWhyAndNoMore(t *testing.T) {
	ch := newInbox()
	addr := serve(t, ch)
	for name, c := range map[string][2]string{
		"wrong key":  {testApp, "guess"},
		"wrong app":  {"other", testKey},
		"both wrong": {"other", "guess"},
		"no key":     {testApp, ""},
		"nothing":    {"", ""},
	} {
		e := dial(t, addr)
		if got := e.publish(t, c[0], c[1]); got != statusDenied {
			t.Errorf("%s: %s", name, got)
		}
		e.gone(t)
	}
	first := dial(t, addr)
	if got := first.publish(t, testApp, testKey); got != statusStart {
		t.Fatalf("right key: %s", got)
	}
	second := dial(t, addr)
	if got := second.publish(t, testApp, testKey); got != statusBusy {
		t.Errorf("second publisher: %s", got)
	}
	second.gone(t)
	first.media(t, msgAudio, 0, aacFrame) // unharmed
	<-ch.accepted
}

func TestKeyMayStandInTheApp(t *testing.T) {
	for in, want := range map[[2]string][3]string{
		{"live", "k"}:                 {"live", "k"},
		{"live/", "k"}:                {"live", "k"},
		{"live/k", ""}:                {"live", "k"},
		{"a/b", "c"}:                  {"a/b", "c"},
		{"live", ""}:                  {"live", ""},
		{"", "k"}:                     {"k", ""},
		{"//", "//"}:                  {"", ""},
		{"/live/", "/k/"}:             {"live", "k"},
		{"live", "a/b?c"}:             {"live/a", "b", "c"},
		{"live", "k?u=a/b"}:           {"live", "k", "u=a/b"},
		{"live?x=y", "k"}:             {"live", "k"},
		{"live?x=a/b", "k?start=key"}: {"live", "k", "start=key"},
		{"live/k?x=y", ""}:            {"live", "k", "x=y"},
		{"live/k/?x=y", "/"}:          {"live", "k", "x=y"},
		{"live", "k?"}:                {"live", "k"},
		{"live", "k?a?b"}:             {"live", "k", "a?b"},
	} {
		if app, key, query := streamPath(in[0], in[1]); app != want[0] || key != want[1] || query != want[2] {
			t.Errorf("%q: %q, %q, %q", in, app, key, query)
		}
	}
}

// Services that check who sends have encoders put tokens behind the key or the app.
func TestAQueryIsNoPartOfTheKey(t *testing.T) {
	addr := serve(t, newInbox())
	for _, in := range [][2]string{{testApp, testKey + "?token=a"}, {testApp, testKey + "?u=a/b"}, {testApp + "?x=y", testKey}, {testApp + "/" + testKey + "?x=y", ""}} {
		e := dial(t, addr)
		if got := e.publish(t, in[0], in[1]); got != statusStart {
			t.Errorf("%q: %s", in, got)
		}
		e.say(t, "deleteStream", nil, 1.0)
		e.gone(t)
	}
	e := dial(t, addr)
	if got := e.publish(t, testApp, "guess?"+testKey); got != statusDenied {
		t.Errorf("a wrong key with a query: %s", got)
	}
}

// What connect may have in it beside what is looked for (AMF 0, section 2).
func TestAConnectMayHaveAnyValuesInIt(t *testing.T) {
	addr := serve(t, newInbox())
	for name, value := range map[string]string{
		"a date":               "\x0b\x42\x76\x57\x1f\x5d\xc0\x00\x00\x00\x00",
		"an object of a class": "\x10\x00\x01C\x00\x01a\x05\x00\x00\x09",
		"a reference":          "\x07\x00\x00",
		"XML":                  "\x0f\x00\x00\x00\x04<a/>",
		"unsupported":          "\x0d",
	} {
		e := dial(t, addr)
		body := "\x02\x00\x07connect\x00\x3f\xf0\x00\x00\x00\x00\x00\x00" + "\x03\x00\x01x" + value + "\x00\x03app\x02\x00\x04" + testApp + "\x00\x00\x09" + value
		e.media(t, msgCommandAMF0, 0, body)
		e.say(t, "publish", nil, testKey)
		if got := e.answer(t); got != statusStart {
			t.Errorf("%s: %s", name, got)
		}
		e.say(t, "deleteStream", nil, 1.0)
		e.gone(t)
	}
}

func TestPlayIsRefused(t *testing.T) {
	e := dial(t, serve(t, newInbox()))
	e.say(t, "connect", nil)
	e.say(t, "createStream", nil)
	e.say(t, "play", nil, testKey)
	if got := e.answer(t); got != "NetStream.Play.StreamNotFound" {
		t.Error(got)
	}
	e.gone(t)
}

func TestAnEncoderThatStopsMakesRoom(t *testing.T) {
	for _, how := range []string{"FCUnpublish", "deleteStream", "closeStream", "a closed connection"} {
		ch := newInbox()
		addr := serve(t, ch)
		e := dial(t, addr)
		if got := e.publish(t, testApp, testKey); got != statusStart {
			t.Fatal(got)
		}
		e.media(t, msgVideo, 9000, avcKey)
		if strings.HasPrefix(how, "a ") {
			e.Close()
		} else {
			e.say(t, how, nil)
			e.gone(t)
		}
		// The next one is taken as soon as the server has noticed.
		for {
			e = dial(t, addr)
			got := e.publish(t, testApp, testKey)
			if got == statusStart {
				break
			}
			if got != statusBusy {
				t.Fatalf("%s: %s", how, got)
			}
		}
		e.media(t, msgVideo, 0, avcKey)
		if a, b := (<-ch.accepted).Timestamp(), (<-ch.accepted).Timestamp(); a != 9000 || b != 0 {
			t.Errorf("%s: timestamps %d, %d", how, a, b)
		}
	}
}

func TestMediaMessagesBecomeTags(t *testing.T) {
	ch := newInbox()
	e := publishing(t, serve(t, ch))
	meta := onMetaDataAMF + "\x03\x00\x00\x09"
	run := string(video(100, avcKey)) + string(audio(110, aacFrame)) + string(flv.NewTag(flv.Script, 120, []byte(meta)))
	e.media(t, msgDataAMF0, 0, setDataFrame+meta)
	e.media(t, msgDataAMF3, 0, "\x00"+meta)
	e.media(t, msgAudio, 10, "")
	e.media(t, msgVideo, 20, "\x9fwhatever")
	e.media(t, 30, 20, "no media")
	e.media(t, msgAggregate, 1000, run)
	e.media(t, msgAggregate, 1040, run[:20])
	e.media(t, msgAudio, 1050, aacFrame)
	for i, want := range []flv.Tag{
		flv.NewTag(flv.Script, 0, []byte(meta)), flv.NewTag(flv.Script, 0, []byte(meta)),
		audio(10, ""), video(20, "\x9fwhatever"),
		video(1000, avcKey), audio(1010, aacFrame), flv.NewTag(flv.Script, 1020, []byte(meta)),
		audio(1050, aacFrame),
	} {
		if got := <-ch.accepted; !bytes.Equal(got, want) {
			t.Errorf("tag %d: %q, want %q", i, got, want)
		}
	}
}

func TestPingIsAnswered(t *testing.T) {
	e := dial(t, serve(t, newInbox()))
	if err := e.event(eventPingRequest, 77); err != nil {
		t.Fatal(err)
	}
	m, err := e.r.read()
	if err != nil || m.typ != msgUserControl || string(m.body) != "\x00\x07\x00\x00\x00\x4d" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestPublisherThatBreaksBoundsIsCut(t *testing.T) {
	for name, send := range map[string]func(e *encoder){
		"chunks of 0 bytes":  func(e *encoder) { e.control(msgSetChunkSize, []byte{0, 0, 0, 0}) },
		"chunks of 2 GiB":    func(e *encoder) { e.control(msgSetChunkSize, []byte{0x80, 0, 0, 0}) },
		"chunk size cut off": func(e *encoder) { e.control(msgSetChunkSize, []byte{0}) },
		"a deep script":      func(e *encoder) { e.media(t, msgDataAMF0, 0, strings.Repeat(deepArray, flv.MaxAMFDepth+9)) },
		"a long script":      func(e *encoder) { e.media(t, msgDataAMF0, 0, strings.Repeat("\x05", flv.MaxScript+1)) },
		"a deep command":     func(e *encoder) { e.media(t, msgCommandAMF0, 0, strings.Repeat(deepArray, 10_000)) },
		"a command of 1 MiB": func(e *encoder) { e.media(t, msgCommandAMF0, 0, strings.Repeat("\x05", 1<<20)) },
		"a message of 15 MiB": func(e *encoder) {
			e.Conn.Write(append([]byte("\x04\x00\x00\x00\xf0\x00\x00\x09\x01\x00\x00\x00"), make([]byte, firstChunkSize)...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := publishing(t, serve(t, newInbox()))
			send(e)
			e.gone(t)
		})
	}
}

func TestStrangersAreCut(t *testing.T) {
	addr := serve(t, newInbox())
	t.Run("10 MiB of nested AMF before publish", func(t *testing.T) {
		e := dial(t, addr)
		body := []byte(strings.Repeat(deepArray, 2<<20))
		e.w.SetChunkSize(largeChunk)
		e.control(msgSetChunkSize, []byte{0, 2, 0, 0})
		e.w.Write(&rawmessage.Message{ChunkStreamID: 3, Type: msgCommandAMF0, Body: body}) // breaks off
		e.gone(t)
	})
	t.Run("commands without end", func(t *testing.T) {
		e := dial(t, addr)
		for e.send(0, command{"_checkbw", 0, []any{nil}}) == nil {
		}
		e.gone(t)
	})
	t.Run("publish before connect", func(t *testing.T) {
		e := dial(t, addr)
		e.say(t, "publish", nil, testKey)
		e.gone(t)
	})
	for name, first := range map[string]string{"an encrypted handshake": "\x06", "HTTP": "GET / HTTP/1.1\r\n\r\n", "TLS": "\x16\x03\x01"} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(strangerTime / 2))
			conn.Write([]byte(first))
			(&encoder{nil, conn}).gone(t)
		})
	}
}

// largeChunk is more than encoders use, in bytes.
const largeChunk = 128 << 10

// connSlack is what a connection may hold whatever it sends, in bytes.
const connSlack = 1 << 20

func TestAPublisherHasHeldWhatItSends(t *testing.T) {
	for name, chunk := range map[string]uint32{"small chunks": 128, "usual chunks": 4096, "one chunk": maxChunkSize} {
		ch := newInbox()
		e := publishing(t, serve(t, ch))
		e.w.SetChunkSize(chunk)
		e.control(msgSetChunkSize, binary.BigEndian.AppendUint32(nil, chunk))
		body := strings.Repeat("x", 9<<20)
		before := held()
		e.media(t, msgAudio, 0, body)
		tag := <-ch.accepted
		got := held() - before
		if got -= 2 * len(body); got > 4*len(body)+connSlack { // the ring and tag hold it too
			t.Errorf("%s: %d bytes held for %d", name, got, len(body))
		}
		runtime.KeepAlive(tag)
	}
}

// held returns the bytes in use.
func held() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestALengthThatIsNeverSentIsNotAllocated(t *testing.T) {
	e := publishing(t, serve(t, newInbox()))
	e.control(msgSetChunkSize, binary.BigEndian.AppendUint32(nil, largeChunk))
	before := held()
	for id := byte(3); id < 64; id++ { // the first chunk of 9 MiB on every chunk stream
		e.Conn.Write(append([]byte{id, 0, 0, 0, 0x90, 0, 0, msgVideo, 1, 0, 0, 0}, make([]byte, largeChunk)...))
	}
	if err := e.event(eventPingRequest, 1); err != nil { // answered when all was read
		t.Fatal(err)
	}
	for {
		m, err := e.r.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.typ == msgUserControl && m.body[1] == eventPingResponse {
			break
		}
	}
	if got, sent := held()-before, 61*largeChunk; got > 4*sent+connSlack {
		t.Errorf("%d bytes held for %d", got, sent)
	}
}
