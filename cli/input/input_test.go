package input

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"relay/cli/fault"
	"relay/ingest"
	"relay/ingest/flv"
	"relay/ingest/mkv"
	"relay/ingest/mp4"
	"relay/ingest/mpegts"
	"relay/ingest/pcpin"
	"relay/ingest/rtspin"
	"relay/ingest/sample"
	"relay/relay/pcp"
)

func TestWhatIsGivenAsAnInput(t *testing.T) {
	folder(t)
	for _, c := range []struct {
		args string // a | between two
		loop bool
		path string // that is taken
		says string // the error, a newline and the hint
	}{
		{"", false, "", ""},
		{"movie.flv", true, "movie.flv", ""},
		{"my|movie.flv", false, "my movie.flv", ""},
		{"file:///tmp/a%20b.flv", false, "/tmp/a b.flv", "/tmp/a b.flv: there is no such file or folder\nis its name whole, with the folder that it is in? relay source alone waits for OBS or ffmpeg"},
		{"a.flv|b.flv", false, "", "relay source takes one input, 2 were given\na name with blanks in it needs quotes, as in relay source \"my movie.flv\"; for several channels, run relay source several times, each with --channel NAME"},
		{"", true, "", "--loop needs a file to repeat\nname it: relay source movie.flv --loop"},
		{"http://h/live.flv", true, "", "--loop needs a file to repeat\nwhat is fetched is live; leave --loop out, and relay connects again by itself"},
		{"movei.flv", false, "movei.flv", "movei.flv: there is no such file or folder\ndid you mean movie.flv?"},
		{"Finals", false, "Finals", "Finals: there is no such file or folder\nrelay source alone waits for OBS or ffmpeg; --title Finals gives the channel a title"},
		{"example.org/live/key", false, "example.org/live/key", "example.org/live/key: there is no such file or folder\nfor a stream on the network: relay source rtmp://example.org/live/key"},
		{"10.77.0.2:80/live.flv", false, "10.77.0.2:80/live.flv", "10.77.0.2:80/live.flv: there is no such file or folder\nfor a stream on the network: relay source http://10.77.0.2:80/live.flv"},
		{"relay://x@h:1", false, "", "a relay:// link is no input\nto watch a channel: relay watch LINK. To broadcast, relay source alone waits for OBS or ffmpeg"},
		{"gopher://h:1", false, "", "relay cannot fetch from gopher://\nrtmp://, http(s)://, rtsp(s)://, srt:// and udp:// can be taken; for others: ffmpeg -i gopher://h:1 -c copy -f flv - | relay source -"},
		{"srt://h:1", false, "", ""},
		{"RTSP://me:secret@h/x", false, "", ""},
		{"screen", false, "", ""},
		{"camera:1", false, "", ""},
		{"camera", true, "", "--loop needs a file to repeat\nwhat is fetched is live; leave --loop out, and relay connects again by itself"},
		{"udp://239.1.1.1:1234", false, "", ""},
		{"UDP://@:1234?program=3", false, "", ""},
		{"udp://239.1.1.1", false, "", "\"udp://239.1.1.1\" is no address for MPEG-TS over UDP\nas in udp://:1234 for what is sent to this machine, or udp://239.1.1.1:1234 for what is sent to a group"},
		{"udp://host:1234", false, "", "\"udp://host:1234\" is no address for MPEG-TS over UDP\nas in udp://:1234 for what is sent to this machine, or udp://239.1.1.1:1234 for what is sent to a group"},
		{"udp://:1234?program=x", false, "", "\"udp://:1234?program=x\" names no program\n?program=N has the number of one of its programs, from 1 to 65535; without it, relay takes the first"},
		{"udp://:1234", true, "", "--loop needs a file to repeat\nwhat is fetched is live; leave --loop out, and relay connects again by itself"},
		{"rtsp://cam/stream1?transport=udp", false, "", ""},
		{"rtspt://cam/stream1", false, "", ""},
		{"rtsps://user:password@cam:322/stream1", false, "", ""},
		{"rtsp://cam/stream1", true, "", "--loop needs a file to repeat\nwhat is fetched is live; leave --loop out, and relay connects again by itself"},
		{"rtsp://", false, "", "\"rtsp:\" is no address of RTSP\nas in rtsp://user:password@192.168.1.10/stream1; the camera's manual has the path. In a password, write %40 for @, %23 for #, %2F for / and %3F for ?"},
		{"rtsp://user:p#ss@cam/", false, "", "that is no address of RTSP\nas in rtsp://user:password@192.168.1.10/stream1; the camera's manual has the path. In a password, write %40 for @, %23 for #, %2F for / and %3F for ?"},
		{"rtmp://127.0.0.1:1935/live", false, "", "an RTMP address has two parts after the host: rtmp://host/app/stream\nthat is where an encoder sends to: relay source alone waits for it, and prints what to paste into OBS"},
		{"rtmp://example.org/live", false, "", "an RTMP address has two parts after the host: rtmp://host/app/stream\nan encoder's server is its address, and the stream key its last part: rtmp://host/app/KEY"},
		{"pcp://h:7144/x", false, "", "a PeerCast ID has 32 hexadecimal digits, this one has 1 characters\nas in relay source pcp://HOST:7144/ID, with the channel's ID of 32 digits; or paste the channel's whole line of an index.txt, in quotes"},
		{"pcp://h/97968780D09CC97BB98D4A2BF221EDE7", true, "", "--loop needs a file to repeat\nwhat is fetched is live; leave --loop out, and relay connects again by itself"},
		{"pcp://h/97968780D09CC97BB98D4A2BF221EDE7", false, "", ""},
		{"a b<>c", false, "", "a line of an index page has 19 fields with <> between them, and a channel's 32 hexadecimal digits in the second\nas in relay source pcp://HOST:7144/ID, with the channel's ID of 32 digits; or paste the channel's whole line of an index.txt, in quotes"},
		{"rtmp://", false, "", "\"rtmp://\" is no address\nas in rtmp://host/app/stream or http://host/live.flv"},
	} {
		var args []string
		if c.args != "" {
			args = strings.Split(c.args, "|")
		}
		in, err := Of(args, c.loop, strings.NewReader(""))
		if err == nil && in.Path != c.path {
			t.Errorf("%q is taken for the file %q, want %q", c.args, in.Path, c.path)
		}
		if err == nil {
			err = in.Check()
		}
		if got := said(err); got != c.says {
			t.Errorf("%q:\n%s\nwant\n%s", c.args, got, c.says)
		}
	}
}

// folder goes into a folder with what people have.
func folder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, dir := range []string{"clips", "none", "c/kept/ds2b"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"my movie.flv": "FLV", "movie.flv": "FLV", "clips/a b.flv": "FLV", "c/kept/ds2b/1.relay": ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// said is an error and its hint as a person sees them.
func said(err error) string {
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		return fault.Plain(err)
	}
	return fault.Plain(err) + "\n" + f.Hint
}

func TestWhatToDoAboutAnInputThatFails(t *testing.T) {
	folder(t)
	fetched := Input{URL: &url.URL{Scheme: "http", User: url.UserPassword("u", "secret"), Host: "h:7145", Path: "/"}}
	fromPeerCast := Input{PeerCast: &pcpin.Address{}}
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		in   Input
		err  error
		says string
	}{
		{Input{Path: "it's.mp4", Loop: true}, fmt.Errorf("it's.mp4: %w", &flv.NotFLVError{Looks: "MP4"}), `it's.mp4: the input is not FLV, it looks like MP4
relay takes FLV, Matroska, MP4 and MPEG-TS; to convert: ffmpeg -re -stream_loop -1 -i 'it'\''s.mp4' -c copy -f flv - | relay source -`},
		{Input{Path: "a.flv"}, fmt.Errorf("a.flv: %w", &flv.NotFLVError{Looks: "nothing at all"}), "a.flv is empty\ndid the program that made it fail? Run it alone to see"},
		{Input{Path: "a.md"}, &flv.NotFLVError{Looks: "text"}, "the input is not FLV, it looks like text\nis that the right file? relay source broadcasts video and sound"},
		{Input{Path: "a.flv"}, fmt.Errorf("a.flv: %w", flv.ErrFormat), "a.flv: malformed FLV\nto mend it: ffmpeg -i a.flv -c copy mended.flv"},
		{Input{Path: "a.flv"}, &fs.PathError{Op: "open", Path: "a.flv", Err: syscall.EACCES}, "a.flv: you do not have the permission for that\nis it yours, and may you open the folders that it is in?"},
		{Input{Stdin: strings.NewReader("")}, &flv.NotFLVError{Looks: "MPEG-TS"}, "the input is not FLV, it looks like MPEG-TS\nrelay takes FLV, Matroska, MP4 and MPEG-TS; to convert: ffmpeg -re -i INPUT -c copy -f flv - | relay source -"},
		{Input{Stdin: strings.NewReader("")}, io.ErrUnexpectedEOF, "it ends too early\ndid the program that makes the stream fail? Run it alone to see"},
		{fetched, fmt.Errorf("connect to h:7145: %w", refused), "connect to h:7145: nothing listens on that port\nis the address right, and is a stream sent there now? relay source alone waits for an encoder on this machine"},
		{fetched, &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}, "there is no host of that name\nis the host's name right? Copy the address again"},
		{fetched, &flv.NotFLVError{Looks: "HTML"}, "the input is not FLV, it looks like HTML\nthat is a page. To watch a channel of relay: relay watch http://h:7145/. To broadcast a stream, name its own address, as in http://host/live.flv"},
		{fetched, &flv.NotFLVError{Looks: "MPEG-TS"}, "the input is not FLV, it looks like MPEG-TS\nrelay takes FLV, Matroska, MP4 and MPEG-TS; to convert: ffmpeg -i http://u:xxxxx@h:7145/ -c copy -f flv - | relay source -"},
		{Input{Path: "a.ts"}, fmt.Errorf("a.ts: %w", &mpegts.CodecError{Has: []string{"MPEG-2 video", "MP2 sound"}}), "a.ts: the MPEG-TS has MPEG-2 video and MP2 sound, which cannot be carried\nhave the sender make it H.264 and AAC, or: ffmpeg -re -i a.ts -c:v libx264 -c:a aac -f mpegts - | relay source -"},
		{Input{Path: "a b.mkv"}, fmt.Errorf("a b.mkv: %w", &sample.CodecError{In: "Matroska", Has: []string{"VP8", "Vorbis"}}), "a b.mkv: the Matroska has VP8 and Vorbis, which cannot be carried\nhave the sender make it H.264 and AAC, or: ffmpeg -re -i 'a b.mkv' -c:v libx264 -c:a aac -f mpegts - | relay source -"},
		{Input{Path: "a.mp4"}, mp4.ErrUnfinished, "the MP4 has no table of its pictures and sound, which are written last\nwhat recorded it was ended before it could write that. A tool such as untrunc may mend it, with a whole file of the same camera or program beside it; of MKV, which OBS records as well, all up to a crash can be read"},
		{Input{Stdin: strings.NewReader("")}, fmt.Errorf("read the input: %w", mp4.ErrTableLast), "read the input: the MP4 has the table of its pictures and sound at its end, so that it cannot be read as a stream\nname the file, which is read at any place: relay source clip.mp4; or put it in front: ffmpeg -i clip.mp4 -c copy -movflags faststart new.mp4"},
		{fetched, mp4.ErrPiece, "the MP4 begins in the middle: it is a piece of a stream\nits beginning is a file by itself, called init.mp4 as a rule, that has to come first: cat init.mp4 piece.m4s | relay source -"},
		{Input{Path: "a.webm"}, mkv.ErrEncrypted, "the Matroska is encrypted\nwhoever made it has encrypted it, as shops and subscriptions do; only their own player can open it"},
		{Input{Path: "a.mkv"}, mkv.ErrNoTracks, "the Matroska does not say what is in it\nis it whole? To mend it: ffmpeg -i a.mkv -c copy -f mpegts - | relay source -"},
		{fetched, &mpegts.ProgramError{Asked: 7, Has: []int{1, 3}}, "the MPEG-TS has no program 7, but 1, 3\nname one of these, or leave ?program= out for the first"},
		{Input{Stdin: strings.NewReader("")}, fmt.Errorf("read the input: %w", mpegts.ErrScrambled), "read the input: the MPEG-TS is scrambled\nwhoever sends it has encrypted it, as pay TV is; only their own receiver can open it"},
		{Input{Path: "a.ts"}, mpegts.ErrNothing, "the MPEG-TS has no picture to start at and no sound\nis it whole? To mend it: ffmpeg -i a.ts -c copy -f mpegts - | relay source -"},
		{Input{URL: &url.URL{Scheme: "udp", Host: ":1234"}, UDP: &ingest.UDPAddr{}}, &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}, "another program has that port\nanother program listens at that port: end it, or have the sender take another port"},
		{fromPeerCast, &pcpin.HostError{Host: "h:7144", Err: refused}, "h:7144: nothing listens on that port\nis the address right, and is the channel on now? Copy it again from the index page"},
		{fromPeerCast, &pcpin.HostError{Host: "h:7144", Err: pcpin.ErrFullAll}, "h:7144: it has no room for one more, and those that it names do not give the channel\ntry again in a while: places get free as others leave"},
		{fromPeerCast, &pcpin.HostError{Host: "h:7144", Err: pcpin.ErrNotThere}, "h:7144: it does not have the channel\nis the channel still on? Each broadcast has an address of its own: copy it again from the index page"},
		{fromPeerCast, &pcpin.HostError{Host: "h:7144", Err: &pcpin.ProtocolError{Why: &pcp.Error{Why: pcp.Deep}}}, "h:7144: it answers, but not as PeerCast does\nthe address needs the port of a PeerCast, 7144 as a rule, and not that of a page"},
		{fromPeerCast, &pcpin.HostError{Host: "h:7144", Err: &pcpin.TypeError{Type: "OGG"}}, "h:7144: the channel is OGG, and relay brings FLV, MKV, WebM, TS and MP3 in\na PeerCast of your own can give it to ffmpeg: ffmpeg -i http://127.0.0.1:7144/stream/00000000000000000000000000000000 -c:v libx264 -c:a aac -f flv - | relay source -"},
		{Input{Path: "clips"}, &fs.PathError{Op: "read", Path: "clips", Err: syscall.EISDIR}, "clips is a folder\nname a file in it: relay source 'clips/a b.flv'"},
		{Input{Path: "c/kept"}, &fs.PathError{Op: "read", Path: "c/kept", Err: syscall.EISDIR}, "c/kept is a folder\nwhat was kept of each channel is in a folder of its own: relay source c/kept/ds2b"},
		{Input{Path: "c"}, &fs.PathError{Op: "read", Path: "c", Err: syscall.EISDIR}, "c is a folder\nwhat was kept of each channel is in a folder of its own: relay source c/kept/ds2b"},
		{Input{Path: "none"}, &fs.PathError{Op: "read", Path: "none", Err: syscall.EISDIR}, "none is a folder\nname a file of FLV, Matroska, MP4 or MPEG-TS in it, as in relay source none/movie.flv"},
	} {
		if got := said(c.in.Explain(c.err)); got != c.says {
			t.Errorf("%v:\n%s\nwant\n%s", c.err, got, c.says)
		}
	}
}

func TestAShellTakesAQuotedNameAsOneWord(t *testing.T) {
	for name, want := range map[string]string{"movie.flv": "movie.flv", "my movie.flv": "'my movie.flv'", "a'b": `'a'\''b'`, "$(x)": "'$(x)'", "": "''"} {
		if got := quoted(name); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestWhatACameraSaysIsAnswered(t *testing.T) {
	in, err := Of([]string{"rtsp://admin:geheim@cam:8554/stream1?transport=udp"}, false, nil)
	if err != nil || in.Camera == nil || !in.Camera.UDP || in.Awaited() || in.URL.String() != "rtsp://admin:geheim@cam:8554/stream1" {
		t.Fatalf("%+v, %v", in, err)
	}
	said := map[string]error{}
	for _, e := range []error{
		rtspin.ErrLean, rtspin.ErrNoPassword, rtspin.ErrPassword, rtspin.ErrPath, rtspin.ErrBusy, rtspin.ErrHTTP, rtspin.ErrNotRTSP, rtspin.ErrSilence, rtspin.ErrNoUDP,
		rtspin.ErrTransport, rtspin.ErrNoMedia, rtspin.ErrLoop, &rtspin.StatusError{Code: 551}, &rtspin.RedirectError{To: "other:554"}, &rtspin.CodecError{Codecs: []string{"M-JPEG"}},
		&rtspin.CertificateError{SHA256: "aa", Retry: "rtsps://cam"}, &rtspin.CertificateError{SHA256: "aa", Wanted: "bb"},
	} {
		err := in.Explain(&rtspin.Error{Host: "cam:8554", Err: e})
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Hint == "" || strings.Contains(f.Hint+f.Error(), "geheim") || !strings.HasPrefix(f.Error(), "cam:8554: ") {
			t.Errorf("%v: %+v", e, f)
			continue
		}
		if other := said[f.Hint]; other != nil {
			t.Errorf("%v and %v have the same hint", e, other)
		}
		said[f.Hint] = e
	}
}
